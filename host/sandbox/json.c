// SPDX-License-Identifier: MIT
// What SQLite's JSON functions do not check or do quietly: encoding, escaped NULs, half surrogates.
// Nesting too deep for SQLite counts as malformed.
#include "host/sandbox/json.h"

#include <string.h>

#include "host/base/str.h"
#include "host/sandbox/utf8.h"

// The code unit that "\\uXXXX" at p stands for, -1 when it is another escape or none.
static int32_t escape_value(const char *p)
{
    if (p[0] != '\\' || p[1] != 'u') {
        return -1;
    }
    int32_t value = 0;
    for (int i = 2; i < 6; i++) {
        const char *digits = "0123456789abcdef";
        const char *digit =
            p[i] ? strchr(digits, p[i] >= 'A' && p[i] <= 'F' ? p[i] | 0x20 : p[i]) : NULL;
        if (!digit) {
            return -1;
        }
        value = value * 16 + (int32_t)(digit - digits);
    }
    return value;
}

// SQLite ends a string at an escaped NUL in silence and makes bytes that are not UTF-8 of half a
// surrogate pair, so neither may come that far. In valid JSON a backslash always begins an escape.
static bool text_has_bad_escape(const char *json)
{
    for (const char *p = strchr(json, '\\'); p;) {
        int32_t value = escape_value(p);
        bool is_high = value >= 0xd800 && value <= 0xdbff;
        if (is_high) {
            p += 6;
            value = escape_value(p);
        }
        bool is_low = value >= 0xdc00 && value <= 0xdfff;
        if (value == 0 || is_high != is_low) {
            return true;
        }
        p = strchr(p + 2, '\\');
    }
    return false;
}

const char *ts_sandbox_json_check(struct ts_sandbox_store *store, const char *text, size_t len)
{
    if (!ts_sandbox_utf8_is_text(text, len)) {
        return "request body is not valid UTF-8";
    }
    sqlite3_stmt *stmt = ts_sandbox_store_borrow(store, TS_SANDBOX_STATEMENT_JSON_VALID);
    if (!stmt || sqlite3_bind_text(stmt, 1, text, (int)len, SQLITE_STATIC) ||
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
    return text_has_bad_escape(text) ? "request body has escapes that are not allowed" : NULL;
}

sqlite3_stmt *ts_sandbox_json_borrow_members(
    struct ts_sandbox_store *store, const struct ts_buf *body)
{
    sqlite3_stmt *stmt = ts_sandbox_store_borrow(store, TS_SANDBOX_STATEMENT_JSON_FIELDS);
    bool is_bound =
        stmt && !sqlite3_bind_text(stmt, 1, ts_buf_text(body), (int)body->len, SQLITE_STATIC);
    return is_bound ? stmt : NULL;
}
