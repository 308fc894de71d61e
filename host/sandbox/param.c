// SPDX-License-Identifier: MIT
// Flat JSON objects into C variables.
// Any content type will do, because these routes are for people with curl.
#include "host/sandbox/param.h"

#include <string.h>

#include "host/base/str.h"
#include "host/sandbox/fields.h"
#include "host/sandbox/json.h"
#include "host/sandbox/utf8.h"

static bool param_take(struct ts_sandbox_param *param, sqlite3_stmt *stmt)
{
    const char *type = ts_sandbox_store_text(stmt, 1);
    param->is_set = true;
    if (param->text && ts_str_is(type, "text")) {
        const char *text = ts_sandbox_store_text(stmt, 2);
        return ts_sandbox_utf8_is_text(text, (size_t)sqlite3_column_bytes(stmt, 2)) &&
               ts_str_copy(param->text, param->size, text);
    }
    if (param->number && ts_str_is(type, "integer")) {
        *param->number = sqlite3_column_int64(stmt, 2);
        return *param->number >= 0;
    }
    if (param->flag && (ts_str_is(type, "true") || ts_str_is(type, "false"))) {
        *param->flag = ts_str_is(type, "true");
        return true;
    }
    return false;
}

bool ts_sandbox_params_read(const struct ts_sandbox_request *request,
    struct ts_sandbox_param *params, size_t count, struct ts_sandbox_reply *reply)
{
    if (!ts_sandbox_fields_check_object(request, reply)) {
        return false;
    }
    sqlite3_stmt *stmt = ts_sandbox_json_borrow_members(reply->store, &request->body);
    if (!stmt) {
        return ts_sandbox_reply_refuse(reply, TS_SANDBOX_BROKEN);
    }
    int code;
    while ((code = sqlite3_step(stmt)) == SQLITE_ROW) {
        const char *name = ts_sandbox_store_text(stmt, 0);
        size_t i = 0;
        while (i < count && !ts_str_is(params[i].name, name)) {
            i++;
        }
        if (i == count) {
            ts_sandbox_reply_refuse_with(
                reply, TS_SANDBOX_INVALID, "unknown parameter \"%.100s\"", name);
            break;
        }
        if (!param_take(&params[i], stmt)) {
            ts_sandbox_reply_refuse_with(
                reply, TS_SANDBOX_INVALID, "invalid value for `%s`", params[i].name);
            break;
        }
    }
    sqlite3_reset(stmt);
    if (code == SQLITE_ROW) {
        return false;
    }
    return code == SQLITE_DONE || ts_sandbox_reply_refuse(reply, TS_SANDBOX_BROKEN);
}
