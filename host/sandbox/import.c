// SPDX-License-Identifier: MIT
// Import: takes the answer of a list call, from here or from the service, and makes those widgets.
// Sitekeys and times stay; secrets are new, and one in the text is not even looked at.
#include "host/sandbox/import.h"

#include <limits.h>

#include "host/sandbox/json.h"
#include "host/sandbox/op.h"

#define CLOCK_AHEAD_MAX_US INT64_C(86400000000) // more is no matter of clocks

struct page {
    const char *account;
    const char *json;
    size_t len;
};

// A statement with the page bound to it, NULL when SQLite fails.
static sqlite3_stmt *page_borrow(
    struct ts_sandbox_service *service, const struct page *page, enum ts_sandbox_statement which)
{
    sqlite3_stmt *stmt = ts_sandbox_store_borrow(&service->store, which);
    bool is_bound = stmt && !sqlite3_bind_text(stmt, 1, page->account, -1, SQLITE_STATIC) &&
                    !sqlite3_bind_text(stmt, 2, page->json, (int)page->len, SQLITE_STATIC);
    return is_bound ? stmt : NULL;
}

static enum ts_err fail_broken(struct ts_sandbox_service *service, struct ts_error *err)
{
    int code = sqlite3_errcode(service->store.db) & 0xff;
    return ts_error_set(err, code == SQLITE_NOMEM ? TS_ERR_NOMEM : TS_ERR_SYSTEM,
        "sandbox database: %s", sqlite3_errmsg(service->store.db));
}

// What the page says of itself and of the whole list.
static enum ts_err page_read(struct ts_sandbox_service *service, const struct page *page,
    struct ts_sandbox_imported *out, struct ts_error *err)
{
    sqlite3_stmt *stmt =
        ts_sandbox_store_borrow(&service->store, TS_SANDBOX_STATEMENT_IMPORT_CHECK);
    if (!stmt || sqlite3_bind_text(stmt, 2, page->json, (int)page->len, SQLITE_STATIC)) {
        return fail_broken(service, err);
    }
    int code = sqlite3_step(stmt);
    if (code == SQLITE_ROW) {
        out->total = sqlite3_column_int64(stmt, 0);
        out->per_page = sqlite3_column_int64(stmt, 1);
        out->rows = sqlite3_column_int64(stmt, 2);
    }
    sqlite3_reset(stmt);
    return code == SQLITE_ROW
               ? TS_OK
               : ts_error_set(err, TS_ERR_INVALID, "expected an object with widgets in `result`");
}

static enum ts_err page_run(struct ts_sandbox_service *service, const struct page *page,
    enum ts_sandbox_statement which, struct ts_error *err)
{
    sqlite3_stmt *stmt = page_borrow(service, page, which);
    if (!stmt || (sqlite3_bind_parameter_count(stmt) > 2 &&
                     sqlite3_bind_int(stmt, 3, service->keys.is_placeholder))) {
        return fail_broken(service, err);
    }
    int code = sqlite3_step(stmt);
    sqlite3_reset(stmt);
    if ((code & 0xff) == SQLITE_CONSTRAINT || (code & 0xff) == SQLITE_ERROR) {
        return ts_error_set(
            err, TS_ERR_INVALID, "not a list of widgets: %s", sqlite3_errmsg(service->store.db));
    }
    return code == SQLITE_DONE ? TS_OK : fail_broken(service, err);
}

// Deletes what the rows replace, then inserts; both read the rows from the page.
static enum ts_err page_store(
    struct ts_sandbox_service *service, const struct page *page, struct ts_error *err)
{
    enum ts_err code = page_run(service, page, TS_SANDBOX_STATEMENT_IMPORT_REPLACE, err);
    return code ? code : page_run(service, page, TS_SANDBOX_STATEMENT_IMPORT_INSERT, err);
}

static int64_t account_number(
    struct ts_sandbox_service *service, const char *account, enum ts_sandbox_statement which)
{
    sqlite3_stmt *stmt = ts_sandbox_store_borrow(&service->store, which);
    if (!stmt || sqlite3_bind_text(stmt, 1, account, -1, SQLITE_STATIC)) {
        return 0;
    }
    int64_t number = sqlite3_step(stmt) == SQLITE_ROW ? sqlite3_column_int64(stmt, 0) : 0;
    sqlite3_reset(stmt);
    return number;
}

// In a copy of an account, widgets that were changed in what is the future here, by a clock that is
// ahead of ours, must not stay newer than all that is still to be changed.
static void service_catch_up(struct ts_sandbox_service *service, const char *account)
{
    int64_t newest = account_number(service, account, TS_SANDBOX_STATEMENT_IMPORT_NEWEST);
    int64_t now = ts_sandbox_service_now(service);
    if (service->keys.is_placeholder && newest >= now && newest - now < CLOCK_AHEAD_MAX_US) {
        service->skew_us += newest - now + 1;
    }
}

enum ts_err ts_sandbox_service_import(struct ts_sandbox_service *service, const char *account,
    const char *json, size_t len, struct ts_sandbox_imported *out, struct ts_error *err)
{
    const struct page page = {account, json, len};
    *out = (struct ts_sandbox_imported){0};
    if (!ts_sandbox_settings_is_account(account) || len > INT_MAX) {
        return ts_error_set(err, TS_ERR_USAGE, "an account id is 32 lower-case hex digits");
    }
    const char *why = ts_sandbox_json_check(&service->store, json, len);
    if (why) {
        return ts_error_set(err, TS_ERR_INVALID, "%s", why);
    }
    enum ts_err code = page_read(service, &page, out, err);
    if (code) {
        return code;
    }
    if (!ts_sandbox_store_begin(&service->store)) {
        return fail_broken(service, err);
    }
    code = page_store(service, &page, err);
    if (!ts_sandbox_store_end(&service->store, code == TS_OK) && !code) {
        return fail_broken(service, err);
    }
    if (!code) {
        out->widgets = account_number(service, account, TS_SANDBOX_STATEMENT_WIDGET_COUNT);
        service_catch_up(service, account);
    }
    return code;
}

void ts_sandbox_op_import(struct ts_sandbox_service *service,
    const struct ts_sandbox_request *request, struct ts_sandbox_reply *reply)
{
    struct ts_sandbox_imported imported;
    struct ts_error err;
    enum ts_err code = ts_sandbox_service_import(
        service, request->account, ts_buf_text(&request->body), request->body.len, &imported, &err);
    if (code == TS_ERR_INVALID) {
        ts_sandbox_reply_refuse_with(reply, TS_SANDBOX_INVALID, "%s", err.message);
        return;
    }
    if (code) {
        ts_sandbox_reply_refuse(reply, TS_SANDBOX_BROKEN);
        return;
    }
    char text[64];
    sqlite3_snprintf((int)sizeof text, text, "{\"imported\":%lld}", imported.rows);
    ts_sandbox_reply_result(reply, text);
}
