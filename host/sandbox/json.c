// SPDX-License-Identifier: MIT
// What SQLite's JSON functions do not check or do quietly: encoding, and escaped NULs.
// Nesting too deep for SQLite counts as malformed.
#include "host/sandbox/json.h"

#include <string.h>

#include "host/base/str.h"
#include "host/sandbox/utf8.h"

// SQLite ends a string at an escaped NUL in silence, so none may come that far. In valid JSON
// a backslash is always the first half of an escape.
static bool text_has_nul_escape(const char *json)
{
    for (const char *p = strchr(json, '\\'); p; p = strchr(p + 2, '\\')) {
        if (strncmp(p, "\\u0000", 6) == 0) {
            return true;
        }
    }
    return false;
}

const char *ts_sandbox_json_check(struct ts_sandbox_store *store, const struct ts_buf *body)
{
    const char *text = ts_buf_text(body);
    if (!ts_sandbox_utf8_is_text(text, body->len)) {
        return "request body is not valid UTF-8";
    }
    sqlite3_stmt *stmt = ts_sandbox_store_borrow(store, TS_SANDBOX_STATEMENT_JSON_VALID);
    if (!stmt || sqlite3_bind_text(stmt, 1, text, (int)body->len, SQLITE_STATIC) ||
        sqlite3_step(stmt) != SQLITE_ROW) {
        return "request body cannot be read";
    }
    const char *type = ts_sandbox_store_text(stmt, 0);
    bool is_json = *type;
    bool is_object = ts_str_is(type, "object");
    sqlite3_reset(stmt);
    if (!is_json) {
        return "request body is not valid JSON";
    }
    if (!is_object) {
        return "request body is not a JSON object";
    }
    return text_has_nul_escape(text) ? "request body has characters that are not allowed: \\u0000"
                                     : NULL;
}

sqlite3_stmt *ts_sandbox_json_borrow_members(
    struct ts_sandbox_store *store, const struct ts_buf *body)
{
    sqlite3_stmt *stmt = ts_sandbox_store_borrow(store, TS_SANDBOX_STATEMENT_JSON_FIELDS);
    bool is_bound =
        stmt && !sqlite3_bind_text(stmt, 1, ts_buf_text(body), (int)body->len, SQLITE_STATIC);
    return is_bound ? stmt : NULL;
}
