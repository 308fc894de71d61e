// SPDX-License-Identifier: MIT
// One query for each text: they are a few, and read once in a resume.
#include "host/state/journal_origin.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "host/base/buf.h"
#include "host/base/str.h"
#include "host/state/journal_private.h"

// The runs of the chain of ?1, as ts_journal_read_chain has them.
#define CHAIN                                                                                      \
    "WITH RECURSIVE up (id, command, of) AS ("                                                     \
    " SELECT id, command, of FROM run WHERE id = ?1"                                               \
    " UNION SELECT run.id, run.command, run.of FROM up JOIN run ON run.id = up.of"                 \
    "  WHERE up.command = 'resume'),"                                                              \
    " whole (id) AS ("                                                                             \
    " SELECT id FROM up"                                                                           \
    " UNION SELECT run.id FROM whole JOIN run ON run.of = whole.id WHERE run.command = 'resume')," \
    " chain AS (SELECT run.* FROM run JOIN whole USING (id)) "
#define FIRST " FROM chain ORDER BY number LIMIT 1"
#define LAST "(SELECT * FROM chain ORDER BY number DESC LIMIT 1)"
// One of another machine may be a container that has another name by now: the account's lock tells.
#define SEEN_RUNNING "is_here(host) AND is_running(host, pid, process_start)"

_Static_assert(TS_OPERATION_INTENT == 0 && TS_OPERATION_UNKNOWN == 3, "SQL below has the numbers");

static const char first_run[] = CHAIN "SELECT id" FIRST;
static const char has_arguments[] = CHAIN "SELECT arguments IS NOT NULL" FIRST;
static const char arguments[] =
    CHAIN "SELECT value FROM (SELECT arguments" FIRST "), json_each(arguments) ORDER BY key";
static const char has_options[] = CHAIN "SELECT options IS NOT NULL FROM " LAST;
static const char options[] = CHAIN "SELECT value FROM " LAST ", json_each(options) ORDER BY key";
static const char running_run[] =
    CHAIN "SELECT id FROM chain WHERE ended IS NULL AND " SEEN_RUNNING;
static const char running_pid[] =
    CHAIN "SELECT pid FROM chain WHERE ended IS NULL AND " SEEN_RUNNING;
static const char is_finished[] =
    CHAIN "SELECT ifnull(exit, 1) IN (0, 3) AND NOT EXISTS ("
          " SELECT 1 FROM chain JOIN operation ON operation.run = chain.number"
          " LEFT JOIN outcome ON outcome.number = operation.number"
          " WHERE ifnull(state, 0) IN (0, 3)) FROM " LAST;
static const char is_foreign[] =
    "SELECT count(*) FROM operation LEFT JOIN outcome USING (number)"
    " WHERE operation.number <> CAST(?1 AS INTEGER)"
    " AND ifnull(outcome.sitekey, operation.sitekey) = substr(?1, instr(?1, ' ') + 1)"
    " AND (op = 'create' OR operation.number < CAST(?1 AS INTEGER))";

static const struct {
    const char *query;
    size_t at; // in struct ts_journal_origin
} texts[] = {
    {CHAIN "SELECT ifnull(command, '')" FIRST, offsetof(struct ts_journal_origin, command)},
    {CHAIN "SELECT ifnull(script, '')" FIRST, offsetof(struct ts_journal_origin, script)},
    {CHAIN "SELECT ifnull(sha256, '')" FIRST, offsetof(struct ts_journal_origin, sha256)},
    {CHAIN "SELECT ifnull(directory, '')" FIRST, offsetof(struct ts_journal_origin, directory)},
    {CHAIN "SELECT ifnull(account, '')" FIRST, offsetof(struct ts_journal_origin, account)},
    {CHAIN "SELECT ifnull(base_url, '')" FIRST, offsetof(struct ts_journal_origin, base_url)},
    {running_pid, offsetof(struct ts_journal_origin, running_pid)},
};

// The first row of a query, copied.
struct cell {
    char *text; // NULL: there was none
    bool is_exhausted;
};

static bool on_cell(void *owner, const char *text, size_t len)
{
    struct cell *cell = owner;
    cell->text = strndup(text, len);
    cell->is_exhausted = !cell->text;
    return false;
}

static enum ts_err exhausted(struct ts_error *err)
{
    return ts_error_set(err, TS_ERR_NOMEM, "out of memory");
}

// The caller's to free; "" when there is no row.
static enum ts_err text_read(
    struct ts_journal *journal, const char *query, const char *id, char **out, struct ts_error *err)
{
    struct cell cell = {NULL, false};
    enum ts_err code = ts_journal_read(journal, query, id, on_cell, &cell, err);
    if (!code && !cell.text && !cell.is_exhausted) {
        cell.text = strdup("");
    }
    *out = cell.text;
    return code ? code : cell.text ? TS_OK : exhausted(err);
}

static enum ts_err flag_read(
    struct ts_journal *journal, const char *query, const char *id, bool *out, struct ts_error *err)
{
    char *text = NULL;
    enum ts_err code = text_read(journal, query, id, &text, err);
    *out = !code && text[0] && !ts_str_is(text, "0");
    free(text);
    return code;
}

static bool on_word(void *owner, const char *text, size_t len)
{
    struct ts_journal_words *words = owner;
    char **more = reallocarray(words->words, (size_t)words->count + 2, sizeof *more);
    if (more) {
        words->words = more;
        more[words->count] = strndup(text, len);
        more[words->count + 1] = NULL;
    }
    words->is_known = more && more[words->count];
    words->count += words->is_known;
    return words->is_known;
}

static enum ts_err words_read(struct ts_journal *journal, const char *has, const char *query,
    const char *id, struct ts_journal_words *out, struct ts_error *err)
{
    enum ts_err code = flag_read(journal, has, id, &out->is_known, err);
    if (!code && out->is_known) {
        code = ts_journal_read(journal, query, id, on_word, out, err);
        code = code || out->is_known ? code : exhausted(err);
    }
    return code;
}

static enum ts_err id_read(struct ts_journal *journal, const char *query, const char *id,
    char out[TS_RUN_ID_MAX], struct ts_error *err)
{
    char *text = NULL;
    enum ts_err code = text_read(journal, query, id, &text, err);
    ts_str_copy(out, TS_RUN_ID_MAX, text ? text : "");
    free(text);
    return code;
}

enum ts_err ts_journal_origin_read(
    struct ts_journal *journal, const char *id, struct ts_journal_origin *out, struct ts_error *err)
{
    *out = (struct ts_journal_origin){.running = ""};
    if (!ts_journal_define(journal)) {
        return ts_database_fail(&journal->database, err);
    }
    enum ts_err code = id_read(journal, first_run, id, out->run, err);
    for (size_t i = 0; !code && i < sizeof texts / sizeof *texts; i++) {
        char **text = (char **)(void *)((char *)out + texts[i].at);
        code = text_read(journal, texts[i].query, id, text, err);
    }
    code = code ? code : words_read(journal, has_arguments, arguments, id, &out->arguments, err);
    code = code ? code : words_read(journal, has_options, options, id, &out->options, err);
    code = code ? code : id_read(journal, running_run, id, out->running, err);
    return code ? code : flag_read(journal, is_finished, id, &out->is_finished, err);
}

static void words_fini(struct ts_journal_words *words)
{
    for (int i = 0; i < words->count; i++) {
        free(words->words[i]);
    }
    free(words->words);
}

void ts_journal_origin_fini(struct ts_journal_origin *origin)
{
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        free(*(char **)(void *)((char *)origin + texts[i].at));
    }
    words_fini(&origin->arguments);
    words_fini(&origin->options);
    *origin = (struct ts_journal_origin){.running = ""};
}

enum ts_err ts_journal_is_foreign(struct ts_journal *journal, int64_t number, const char *sitekey,
    bool *out, struct ts_error *err)
{
    struct ts_buf key;
    ts_buf_init(&key, 4096);
    enum ts_err code = ts_buf_add_format(&key, "%lld %s", (long long)number, sitekey);
    code = code ? exhausted(err) : flag_read(journal, is_foreign, ts_buf_text(&key), out, err);
    ts_buf_fini(&key);
    return code;
}
