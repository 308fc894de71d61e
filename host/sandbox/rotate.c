// SPDX-License-Identifier: MIT
// Rotation of a widget's secret, with the grace period in which the previous one still works.
// While it lasts no rotation is possible, an immediate one included.
#include "host/sandbox/fields.h"
#include "host/sandbox/op.h"
#include "host/sandbox/widget.h"

static bool widget_rotate(struct ts_sandbox_service *service,
    const struct ts_sandbox_request *request, bool is_immediate, struct ts_sandbox_reply *reply)
{
    struct ts_sandbox_widget_state state;
    if (!ts_sandbox_widget_read_state(service, request, &state, reply)) {
        return false;
    }
    if (state.is_in_grace) {
        return ts_sandbox_reply_refuse_with(reply, TS_SANDBOX_INVALID,
            "secret cannot be rotated again while the previous one is still valid");
    }
    char secret[TS_SANDBOX_SECRET_LEN + 1];
    char text[TS_CLOCK_TEXT_MAX];
    int64_t now = ts_sandbox_service_now(service);
    ts_clock_format(now, text);
    sqlite3_stmt *stmt =
        ts_sandbox_store_borrow(&service->store, TS_SANDBOX_STATEMENT_WIDGET_ROTATE);
    bool is_done =
        stmt && !ts_sandbox_keys_secret(&service->keys, request->sitekey, secret, NULL) &&
        !sqlite3_bind_text(stmt, 1, request->account, -1, SQLITE_STATIC) &&
        !sqlite3_bind_text(stmt, 2, request->sitekey, -1, SQLITE_STATIC) &&
        !sqlite3_bind_text(stmt, 3, secret, -1, SQLITE_STATIC) &&
        !(is_immediate ? sqlite3_bind_null(stmt, 4)
                       : sqlite3_bind_int64(stmt, 4, now + service->settings.grace_us)) &&
        !sqlite3_bind_int64(stmt, 5, now) && !sqlite3_bind_text(stmt, 6, text, -1, SQLITE_STATIC) &&
        ts_sandbox_store_run(stmt);
    if (!is_done) {
        return ts_sandbox_reply_refuse(reply, TS_SANDBOX_BROKEN);
    }
    return ts_sandbox_widget_show(service, request->account, request->sitekey, reply);
}

void ts_sandbox_op_rotate(struct ts_sandbox_service *service,
    const struct ts_sandbox_request *request, struct ts_sandbox_reply *reply)
{
    struct ts_sandbox_fields fields;
    if (!ts_sandbox_fields_read(&fields, request, TS_SANDBOX_BODY_ROTATE, 0, reply)) {
        goto done;
    }
    if (!ts_sandbox_store_begin(&service->store)) {
        ts_sandbox_reply_refuse(reply, TS_SANDBOX_BROKEN);
        goto done;
    }
    bool is_immediate = fields.values[TS_SANDBOX_INVALIDATE_IMMEDIATELY].flag;
    bool is_fine = widget_rotate(service, request, is_immediate, reply);
    ts_sandbox_widget_finish(service, is_fine, reply);
done:
    ts_sandbox_fields_fini(&fields);
}
