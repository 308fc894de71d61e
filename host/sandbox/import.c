// SPDX-License-Identifier: MIT
// Import: takes the answer of a list call, from here or from the service, and makes those widgets.
// Sitekeys and times stay; secrets are new, and one in the text is not even looked at.
#include "host/sandbox/fields.h"
#include "host/sandbox/op.h"

// Deletes what the rows replace, then inserts; both read the rows from the body.
static int import_run(struct ts_sandbox_service *service, enum ts_sandbox_statement which,
    const struct ts_sandbox_request *request)
{
    sqlite3_stmt *stmt = ts_sandbox_store_borrow(&service->store, which);
    if (!stmt || sqlite3_bind_text(stmt, 1, request->account, -1, SQLITE_STATIC) ||
        sqlite3_bind_text(
            stmt, 2, ts_buf_text(&request->body), (int)request->body.len, SQLITE_STATIC)) {
        return SQLITE_ERROR;
    }
    int code = sqlite3_step(stmt);
    sqlite3_reset(stmt);
    return code & 0xff;
}

void ts_sandbox_op_import(struct ts_sandbox_service *service,
    const struct ts_sandbox_request *request, struct ts_sandbox_reply *reply)
{
    if (!ts_sandbox_fields_check_object(request, reply)) {
        return;
    }
    if (import_run(service, TS_SANDBOX_STATEMENT_IMPORT_CHECK, request) != SQLITE_ROW) {
        ts_sandbox_reply_refuse_with(
            reply, TS_SANDBOX_INVALID, "expected an object with widgets in `result`");
        return;
    }
    if (!ts_sandbox_store_begin(&service->store)) {
        ts_sandbox_reply_refuse(reply, TS_SANDBOX_BROKEN);
        return;
    }
    int code = import_run(service, TS_SANDBOX_STATEMENT_IMPORT_REPLACE, request);
    if (code == SQLITE_DONE) {
        code = import_run(service, TS_SANDBOX_STATEMENT_IMPORT_INSERT, request);
    }
    int64_t count = sqlite3_changes64(service->store.db);
    if (code == SQLITE_CONSTRAINT || code == SQLITE_ERROR) {
        ts_sandbox_reply_refuse_with(reply, TS_SANDBOX_INVALID, "not a list of widgets: %s",
            sqlite3_errmsg(service->store.db));
    } else if (code != SQLITE_DONE) {
        ts_sandbox_reply_refuse(reply, TS_SANDBOX_BROKEN);
    }
    if (ts_sandbox_store_end(&service->store, code == SQLITE_DONE)) {
        char text[64];
        sqlite3_snprintf((int)sizeof text, text, "{\"imported\":%lld}", count);
        ts_sandbox_reply_result(reply, text);
    } else if (code == SQLITE_DONE) {
        ts_sandbox_reply_refuse(reply, TS_SANDBOX_BROKEN);
    }
}
