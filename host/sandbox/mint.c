// SPDX-License-Identifier: MIT
// Minting of siteverify tokens: what a visitor's browser would have got from the widget.
// A hostname that the widget does not cover gets none, as in the browser.
#include <string.h>

#include "host/base/str.h"
#include "host/sandbox/domains.h"
#include "host/sandbox/op.h"
#include "host/sandbox/param.h"
#include "host/sandbox/testing_key.h"

#define DAY_S 86400
#define SECOND_US INT64_C(1000000)

struct mint {
    char sitekey[33];
    char hostname[TS_SANDBOX_DOMAIN_MAX + 2]; // a dot at the end is allowed
    char action[33];
    char cdata[256];
    int64_t age; // seconds since the challenge
};

static bool mint_read(
    struct mint *mint, const struct ts_sandbox_request *request, struct ts_sandbox_reply *reply)
{
    *mint = (struct mint){0};
    struct ts_sandbox_param params[] = {
        {"sitekey", .text = mint->sitekey, .size = sizeof mint->sitekey},
        {"hostname", .text = mint->hostname, .size = sizeof mint->hostname},
        {"action", .text = mint->action, .size = sizeof mint->action},
        {"cdata", .text = mint->cdata, .size = sizeof mint->cdata},
        {"age", .number = &mint->age},
    };
    if (!ts_sandbox_params_read(request, params, sizeof params / sizeof params[0], reply)) {
        return false;
    }
    if (!*mint->sitekey) {
        return ts_sandbox_reply_refuse_with(reply, TS_SANDBOX_INVALID, "missing field `sitekey`");
    }
    return mint->age <= DAY_S || ts_sandbox_reply_refuse_with(reply, TS_SANDBOX_INVALID,
                                     "`age` is more than a day, and such tokens are forgotten");
}

// Finds a domain of the widget that covers the hostname; a widget without domains covers all.
// Without a hostname the widget's first one is taken.
static bool mint_place(
    struct ts_sandbox_service *service, struct mint *mint, struct ts_sandbox_reply *reply)
{
    sqlite3_stmt *stmt =
        ts_sandbox_store_borrow(&service->store, TS_SANDBOX_STATEMENT_WIDGET_DOMAINS);
    if (!stmt || sqlite3_bind_text(stmt, 1, mint->sitekey, -1, SQLITE_STATIC)) {
        return ts_sandbox_reply_refuse(reply, TS_SANDBOX_BROKEN);
    }
    bool is_found = false;
    bool is_covered = false;
    while (sqlite3_step(stmt) == SQLITE_ROW) {
        const char *domain = ts_sandbox_store_text(stmt, 0);
        is_found = true;
        if (!*mint->hostname) {
            ts_str_copy(mint->hostname, sizeof mint->hostname, *domain ? domain : "example.com");
        }
        is_covered = is_covered || !*domain || ts_sandbox_domain_covers(domain, mint->hostname);
    }
    sqlite3_reset(stmt);
    if (!is_found) {
        return ts_sandbox_reply_refuse(reply, TS_SANDBOX_NO_WIDGET);
    }
    return is_covered || ts_sandbox_reply_refuse_with(reply, TS_SANDBOX_INVALID,
                             "the widget's domains do not cover this hostname");
}

static bool mint_store(
    struct ts_sandbox_service *service, const struct mint *mint, const char *token, int64_t issued)
{
    if (!ts_sandbox_store_begin(&service->store)) {
        return false;
    }
    int64_t oldest = ts_sandbox_service_now(service) - 2 * DAY_S * SECOND_US;
    sqlite3_stmt *purge =
        ts_sandbox_store_borrow(&service->store, TS_SANDBOX_STATEMENT_TOKEN_PURGE);
    sqlite3_stmt *stmt =
        ts_sandbox_store_borrow(&service->store, TS_SANDBOX_STATEMENT_TOKEN_INSERT);
    bool is_done = purge && !sqlite3_bind_int64(purge, 1, oldest) && ts_sandbox_store_run(purge) &&
                   stmt && !sqlite3_bind_text(stmt, 1, token, -1, SQLITE_STATIC) &&
                   !sqlite3_bind_text(stmt, 2, mint->sitekey, -1, SQLITE_STATIC) &&
                   !sqlite3_bind_text(stmt, 3, mint->hostname, -1, SQLITE_STATIC) &&
                   !sqlite3_bind_text(stmt, 4, mint->action, -1, SQLITE_STATIC) &&
                   !sqlite3_bind_text(stmt, 5, mint->cdata, -1, SQLITE_STATIC) &&
                   !sqlite3_bind_int64(stmt, 6, issued) && ts_sandbox_store_run(stmt);
    return ts_sandbox_store_end(&service->store, is_done);
}

static void mint_reply(struct ts_sandbox_service *service, const struct mint *mint,
    const char *token, int64_t issued, struct ts_sandbox_reply *reply)
{
    char when[TS_CLOCK_TEXT_MAX];
    ts_clock_format(issued, when);
    sqlite3_stmt *stmt = ts_sandbox_store_borrow(&service->store, TS_SANDBOX_STATEMENT_JSON_TOKEN);
    if (!stmt || sqlite3_bind_text(stmt, 1, token, -1, SQLITE_STATIC) ||
        sqlite3_bind_text(stmt, 2, mint->sitekey, -1, SQLITE_STATIC) ||
        sqlite3_bind_text(stmt, 3, mint->hostname, -1, SQLITE_STATIC) ||
        sqlite3_bind_text(stmt, 4, mint->action, -1, SQLITE_STATIC) ||
        sqlite3_bind_text(stmt, 5, mint->cdata, -1, SQLITE_STATIC) ||
        sqlite3_bind_text(stmt, 6, when, -1, SQLITE_STATIC) || sqlite3_step(stmt) != SQLITE_ROW) {
        ts_sandbox_reply_refuse(reply, TS_SANDBOX_BROKEN);
        return;
    }
    ts_sandbox_reply_result(reply, ts_sandbox_store_text(stmt, 0));
    sqlite3_reset(stmt);
}

void ts_sandbox_op_mint(struct ts_sandbox_service *service,
    const struct ts_sandbox_request *request, struct ts_sandbox_reply *reply)
{
    struct mint mint;
    if (!mint_read(&mint, request, reply)) {
        return;
    }
    int64_t issued = ts_sandbox_service_now(service) - mint.age * SECOND_US;
    if (ts_sandbox_testing_key_is_sitekey(mint.sitekey)) {
        mint_reply(service, &mint, TS_SANDBOX_DUMMY_TOKEN, issued, reply);
        return;
    }
    char hostname[TS_SANDBOX_DOMAIN_MAX + 1];
    if (*mint.hostname) {
        const char *why =
            ts_sandbox_domain_normalise(mint.hostname, strlen(mint.hostname), hostname);
        if (why) {
            ts_sandbox_reply_refuse_with(reply, TS_SANDBOX_INVALID, "`hostname` %s", why);
            return;
        }
        ts_str_copy(mint.hostname, sizeof mint.hostname, hostname);
    }
    char token[TS_SANDBOX_TOKEN_LEN + 1];
    if (!mint_place(service, &mint, reply)) {
        return;
    }
    if (ts_sandbox_keys_token(&service->keys, token, NULL) ||
        !mint_store(service, &mint, token, issued)) {
        ts_sandbox_reply_refuse(reply, TS_SANDBOX_BROKEN);
        return;
    }
    mint_reply(service, &mint, token, issued, reply);
}
