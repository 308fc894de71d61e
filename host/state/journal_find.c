// SPDX-License-Identifier: MIT
// Which run a user means: people type the end of an id, or its day.
#include <stdio.h>
#include <string.h>

#include "host/base/str.h"
#include "host/state/journal_private.h"
#include "host/state/journal_read.h"

#define SHOWN 4       // of the runs that could be meant
#define TEXT_SHOWN 32 // of what was typed

struct candidates {
    size_t count;
    char ids[SHOWN + 1][TS_RUN_ID_MAX]; // one more tells that there are others
};

static const char exact[] = "SELECT id FROM run WHERE id = ?1";
static const char newest[] = "SELECT id FROM run ORDER BY number DESC";
static const char similar[] =
    "SELECT id FROM run WHERE substr(id, 1, length(?1)) = ?1 OR substr(id, -length(?1)) = ?1"
    " ORDER BY number DESC";

static bool candidates_add(void *owner, const char *id, size_t len)
{
    (void)len;
    struct candidates *candidates = owner;
    ts_str_copy(candidates->ids[candidates->count++], TS_RUN_ID_MAX, id);
    return candidates->count <= SHOWN;
}

// "A, B, C and others"
static const char *candidates_text(const struct candidates *candidates, char *text, size_t size)
{
    size_t len = 0;
    text[0] = '\0';
    for (size_t i = 0; i < candidates->count && i < SHOWN && len < size; i++) {
        len += (size_t)snprintf(text + len, size - len, "%s%s", i ? ", " : "", candidates->ids[i]);
    }
    if (candidates->count > SHOWN && len < size) {
        snprintf(text + len, size - len, " and others");
    }
    return text;
}

static enum ts_err candidates_read(struct candidates *candidates, struct ts_journal *journal,
    const char *query, const char *text, struct ts_error *err)
{
    candidates->count = 0;
    return ts_journal_read(journal, query, text, candidates_add, candidates, err);
}

enum ts_err ts_journal_find(
    struct ts_journal *journal, const char *text, char id[TS_RUN_ID_MAX], struct ts_error *err)
{
    struct candidates found;
    char list[(SHOWN + 1) * TS_RUN_ID_MAX];
    bool is_last = ts_str_is(text, "last");
    enum ts_err code = candidates_read(&found, journal, is_last ? newest : exact, text, err);
    if (!code && found.count == 0 && !is_last) {
        code = candidates_read(&found, journal, similar, text, err);
    }
    if (code) {
        return code;
    }
    if (found.count == 1 || (is_last && found.count > 0)) {
        ts_str_copy(id, TS_RUN_ID_MAX, found.ids[0]);
        return TS_OK;
    }
    if (found.count > 1) {
        return ts_error_set(err, TS_ERR_USAGE, "more than one run is meant by \"%.*s\": %s",
            TEXT_SHOWN, text, candidates_text(&found, list, sizeof list));
    }
    code = candidates_read(&found, journal, newest, NULL, err);
    if (code) {
        return code;
    }
    if (found.count == 0) {
        return ts_error_set(
            err, TS_ERR_USAGE, "there is no run in the journal %s", journal->database.path);
    }
    return ts_error_set(err, TS_ERR_USAGE, "there is no run \"%.*s\"; the last are %s", TEXT_SHOWN,
        text, candidates_text(&found, list, sizeof list));
}
