// SPDX-License-Identifier: MIT
// Configuration, token, one list call, rate budget. It needs no Lua: answers are judged by status,
// and the token routes by which of the two knows the token.
#include "host/runtime/doctor.h"

#include <stdio.h>
#include <string.h>

#include "host/api/budget.h"
#include "host/api/call.h"
#include "host/base/human.h"
#include "host/net/loop.h"
#include "host/runtime/exit_status.h"
#include "host/runtime/parts.h"
#include "host/runtime/report.h"
#include "host/runtime/script.h"

struct visit {
    struct ts_call *call;
    bool is_done;
};

static void line(const char *mark, const char *what, const char *text)
{
    printf("%-4s %-12s %s\n", mark, what, text);
}

static void on_done(void *owner, struct ts_call *call)
{
    struct visit *visit = owner;
    (void)call;
    visit->is_done = true;
}

// Makes one call and waits for its end; the caller cancels visit->call.
static enum ts_err visit_make(struct ts_parts *parts, struct ts_client *client, enum ts_op op,
    const char *query, struct visit *visit, struct ts_error *err)
{
    struct ts_call_spec spec = {.op = op, .query = query};
    *visit = (struct visit){0};
    enum ts_err code = ts_call_read(client, &spec, on_done, visit, &visit->call, err);
    while (!code && !visit->is_done) {
        ts_secret_pool_seal(parts->secrets);
        code = ts_loop_turn(parts->loop, TS_NEVER, err);
    }
    if (!code) {
        *err = ts_call_answer(visit->call)->error;
        code = ts_call_answer(visit->call)->code;
    }
    return code;
}

static int unreachable(const char *what, const struct ts_error *err)
{
    line("FAIL", what, err->message);
    return TS_EXIT_UNREACHABLE;
}

// User tokens and account tokens have a verify route each; a token is known to one of them.
static int look_token(struct ts_parts *parts, struct ts_client *client)
{
    static const enum ts_op ops[] = {TS_OP_VERIFY_USER, TS_OP_VERIFY_ACCOUNT};
    for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++) {
        struct visit visit;
        struct ts_error err;
        enum ts_err code = visit_make(parts, client, ops[i], NULL, &visit, &err);
        long status = code ? 0 : ts_call_answer(visit.call)->status;
        ts_call_cancel(visit.call);
        if (code) {
            return unreachable("token", &err);
        }
        if (status == 200) {
            line("ok", "token", i == 0 ? "valid (user token)" : "valid (account token)");
            return TS_EXIT_DONE;
        }
        if (status >= 500 || status == 429) {
            char text[64];
            snprintf(text, sizeof text, "the API answers HTTP %ld", status);
            line("FAIL", "token", text);
            return TS_EXIT_UNREACHABLE;
        }
    }
    line("warn", "token", "not verified (a global key has no verify route); the list call decides");
    return TS_EXIT_DONE;
}

// Adds what keeps requests from starting, if it is more than that they were sent.
static void add_wait(const struct ts_wait *wait, char *text, size_t size)
{
    char left[TS_HUMAN_MAX];
    size_t len = strlen(text);
    ts_human_duration(wait->until_us, left);
    if (wait->reason == TS_WAIT_PAUSE) {
        snprintf(text + len, size - len, "; paused by the API for %s", left);
    } else if (wait->reason == TS_WAIT_VERSION || wait->reason == TS_WAIT_DAMAGE) {
        snprintf(text + len, size - len,
            "; the record of earlier requests is %s: one at a time for %s",
            wait->reason == TS_WAIT_VERSION ? "of another version of tshost" : "damaged", left);
    }
}

static void show_budget(struct ts_client *client)
{
    struct ts_budget_view view;
    char left[TS_HUMAN_MAX], limit[TS_HUMAN_MAX], window[TS_HUMAN_MAX];
    char text[512], others[80] = "";
    ts_budget_look(ts_client_budget(client), &view);
    ts_human_count(view.left, left);
    ts_human_count(view.limit, limit);
    ts_human_duration(view.window_us, window);
    if (view.others > 0) {
        snprintf(others, sizeof others, ", who use about %d", (int)view.others);
    }
    snprintf(text, sizeof text, "%s of %s requests in %s left, besides %d for others%s%s%s", left,
        limit, window, (int)view.reserve, others, view.is_heard ? "" : "; the answers do not tell",
        view.is_shared ? "" : "; not shared with other processes");
    add_wait(&view.wait, text, sizeof text);
    line(view.is_heard && view.paused_us == 0 ? "ok" : "warn", "rate budget", text);
}

static int look_widgets(struct ts_parts *parts, struct ts_client *client)
{
    struct visit visit;
    struct ts_error err;
    char text[160];
    enum ts_err code = visit_make(parts, client, TS_OP_LIST, "per_page=5&page=1", &visit, &err);
    if (code) {
        ts_call_cancel(visit.call);
        return unreachable("widgets", &err);
    }
    const struct ts_answer *answer = ts_call_answer(visit.call);
    int status = TS_EXIT_DONE;
    snprintf(text, sizeof text, "HTTP %ld in %.0f ms%s%s", answer->status,
        (double)answer->duration_us / 1000, answer->ray[0] ? ", CF-Ray " : "", answer->ray);
    if (answer->status == 200) {
        line("ok", "widgets", text);
        show_budget(client);
    } else if (answer->status == 401 || answer->status == 403 || answer->status == 400) {
        line("FAIL", "widgets", text);
        line("", "", "the token must have Account > Turnstile > Edit (or Read) for this account");
        status = TS_EXIT_CREDENTIALS;
    } else if (answer->status == 404) {
        line("FAIL", "widgets", text);
        line("", "", "no such account for this token; check --account");
        status = TS_EXIT_USAGE;
    } else {
        line("FAIL", "widgets", text);
        status = TS_EXIT_UNREACHABLE;
    }
    ts_call_cancel(visit.call);
    return status;
}

static void show_scripts(void)
{
    char path[TS_SCRIPT_PATH_MAX];
    ts_script_stock(path);
    line(path[0] ? "ok" : "warn", "scripts", path[0] ? path : "no stock scripts found");
}

static int look(struct ts_parts *parts)
{
    struct ts_client_wish wish = {0};
    struct ts_client *client;
    struct ts_error err;
    show_scripts();
    enum ts_err code = parts->host.open_client(&parts->host, &wish, &client, &err);
    if (code) {
        line("FAIL", code == TS_ERR_CREDENTIALS ? "credentials" : "account", err.message);
        return code == TS_ERR_CREDENTIALS ? TS_EXIT_CREDENTIALS : TS_EXIT_USAGE;
    }
    line("ok", "API", ts_client_base_url(client));
    line("ok", "account", ts_client_account(client));
    line("ok", "credentials", ts_client_source(client));
    int status = look_token(parts, client);
    if (!status) {
        status = look_widgets(parts, client);
    }
    ts_client_destroy(client);
    return status;
}

int ts_doctor(const struct ts_config *config)
{
    struct ts_parts parts;
    struct ts_error err;
    struct ts_config looking = *config;
    looking.permissions.is_read_only = true;
    if (ts_parts_init(&parts, &looking, &err)) {
        line("FAIL", "set-up", err.message);
        return TS_EXIT_USAGE;
    }
    // It tells how things are, and does not wait for them to get better.
    parts.queue.outage.policy.attempts = 0;
    parts.queue.outage.policy.max_wait_us = 0;
    int status = look(&parts);
    ts_parts_fini(&parts);
    if (fflush(stdout) && !status) {
        status = TS_EXIT_SCRIPT;
    }
    return status;
}
