// SPDX-License-Identifier: MIT
// The copy is a sandbox in memory that allows what any account might, since what this one is
// entitled to cannot be asked for; it is filled account by account, as the script comes to need
// them.
#include "host/runtime/planning.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "host/base/str.h"
#include "host/sandbox/sandbox.h"

#define DOMAINS_MAX 10000 // more than any account may have

struct ts_planning_account {
    struct ts_planning_account *next;
    char id[64];
};

static struct ts_planning *planning_of(const struct ts_host *host)
{
    return (struct ts_planning *)((char *)host->rehearsal - offsetof(struct ts_planning, face));
}

static bool planning_is_copied(const struct ts_host *host, const char *account)
{
    const struct ts_planning_account *at = planning_of(host)->accounts;
    while (at && !ts_str_is(at->id, account)) {
        at = at->next;
    }
    return at != NULL;
}

static enum ts_err planning_set_copied(
    struct ts_host *host, const char *account, struct ts_error *err)
{
    struct ts_planning *planning = planning_of(host);
    struct ts_planning_account *added = calloc(1, sizeof *added);
    if (!added || !ts_str_copy(added->id, sizeof added->id, account)) {
        free(added);
        return ts_error_set(err, TS_ERR_NOMEM, "out of memory");
    }
    added->next = planning->accounts;
    planning->accounts = added;
    return TS_OK;
}

static enum ts_err planning_add_page(struct ts_host *host, const char *account,
    const struct ts_buf *text, int64_t *rows, int64_t *widgets, struct ts_error *err)
{
    struct ts_sandbox_imported imported;
    enum ts_err code = ts_sandbox_import(
        planning_of(host)->copy, account, ts_buf_text(text), text->len, &imported, err);
    *rows = imported.rows;
    *widgets = imported.widgets;
    return code;
}

enum ts_err ts_planning_init(struct ts_planning *planning, size_t limit, struct ts_error *err)
{
    struct ts_sandbox_config config = {
        .grace_s = -1,
        .entitle = "any-hostname,bot_fight_mode,ephemeral_id,offlabel",
        .max_domains = DOMAINS_MAX,
        .is_placeholder = true,
    };
    *planning = (struct ts_planning){
        .face = {.is_copied = planning_is_copied,
            .set_copied = planning_set_copied,
            .add_page = planning_add_page},
        .budgets = {.is_private = true},
    };
    ts_queue_init(&planning->live, limit);
    return ts_sandbox_start(&config, &planning->copy, err);
}

void ts_planning_fini(struct ts_planning *planning)
{
    ts_sandbox_stop(planning->copy);
    planning->copy = NULL;
    ts_budgets_fini(&planning->budgets);
    ts_outage_fini(&planning->live.outage);
    ts_remarks_fini(&planning->face.remarks);
    ts_remarks_fini(&planning->face.directories);
    while (planning->accounts) {
        struct ts_planning_account *next = planning->accounts->next;
        free(planning->accounts);
        planning->accounts = next;
    }
}
