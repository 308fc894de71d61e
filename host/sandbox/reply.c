// SPDX-License-Identifier: MIT
// Building replies. The frame of the envelope is constant text; everything that came from outside
// passes through SQLite's JSON functions.
#include "host/sandbox/reply.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/base/str.h"
#include "host/sandbox/utf8.h"

static const char envelope_open[] = "{\"success\":true,\"errors\":[],\"messages\":[],\"result\":";
static const char failure_open[] = "{\"success\":false,\"errors\":[";
static const char failure_close[] = "],\"messages\":[],\"result\":null}";
static const char last_resort[] =
    "{\"success\":false,\"errors\":[{\"code\":10500,\"message\":\"internal error\"}],"
    "\"messages\":[],\"result\":null}";

void ts_sandbox_reply_init(struct ts_sandbox_reply *reply, struct ts_sandbox_store *store)
{
    *reply = (struct ts_sandbox_reply){.store = store, .type = "application/json"};
    ts_buf_init(&reply->body, TS_SANDBOX_REPLY_MAX);
}

void ts_sandbox_reply_fini(struct ts_sandbox_reply *reply)
{
    ts_buf_fini(&reply->body);
}

void ts_sandbox_reply_header(struct ts_sandbox_reply *reply, const char *name, const char *value)
{
    size_t at = 0;
    while (at < reply->header_count && !ts_str_is(reply->headers[at].name, name)) {
        at++;
    }
    if (at == TS_SANDBOX_HEADERS_MAX) {
        reply->has_failed = true;
        return;
    }
    reply->headers[at].name = name;
    ts_str_copy(reply->headers[at].value, sizeof reply->headers[at].value, value);
    reply->header_count += at == reply->header_count;
}

void ts_sandbox_reply_add(struct ts_sandbox_reply *reply, const char *text)
{
    if (ts_buf_add_str(&reply->body, text)) {
        reply->has_failed = true;
    }
}

void ts_sandbox_reply_open(struct ts_sandbox_reply *reply)
{
    ts_buf_clear(&reply->body);
    reply->status = 200;
    ts_sandbox_reply_add(reply, envelope_open);
}

void ts_sandbox_reply_result(struct ts_sandbox_reply *reply, const char *json)
{
    ts_sandbox_reply_open(reply);
    ts_sandbox_reply_add(reply, json);
    ts_sandbox_reply_add(reply, "}");
}

void ts_sandbox_reply_plain(struct ts_sandbox_reply *reply, int status, const char *json)
{
    ts_buf_clear(&reply->body);
    reply->status = status;
    ts_sandbox_reply_add(reply, json);
}

// Adds one entry of the errors array.
static void reply_add_error(
    struct ts_sandbox_reply *reply, int error, const char *message, const char *chain)
{
    sqlite3_stmt *stmt = ts_sandbox_store_borrow(reply->store, TS_SANDBOX_STATEMENT_JSON_ERROR);
    if (!stmt || sqlite3_bind_int(stmt, 1, error) ||
        sqlite3_bind_text(stmt, 2, message, -1, SQLITE_STATIC) ||
        (chain && sqlite3_bind_text(stmt, 3, chain, -1, SQLITE_STATIC)) ||
        sqlite3_step(stmt) != SQLITE_ROW) {
        reply->has_failed = true;
        return;
    }
    ts_sandbox_reply_add(reply, ts_sandbox_store_text(stmt, 0));
    sqlite3_reset(stmt);
}

static void reply_fail(
    struct ts_sandbox_reply *reply, const struct ts_sandbox_problem_row *row, const char *message)
{
    ts_buf_clear(&reply->body);
    reply->status = row->status;
    ts_sandbox_reply_add(reply, failure_open);
    char chain[128];
    snprintf(chain, sizeof chain, "{\"code\":%d,\"message\":\"%s\"}", row->chain_code,
        row->chain_message ? row->chain_message : "");
    reply_add_error(reply, row->code, message, row->chain_code ? chain : NULL);
    if (row->next_code) {
        ts_sandbox_reply_add(reply, ",");
        reply_add_error(reply, row->next_code, row->next_message, NULL);
    }
    ts_sandbox_reply_add(reply, failure_close);
}

bool ts_sandbox_reply_refuse(struct ts_sandbox_reply *reply, enum ts_sandbox_problem problem)
{
    const struct ts_sandbox_problem_row *row = ts_sandbox_problem_row(problem);
    reply_fail(reply, row, row->message);
    return false;
}

bool ts_sandbox_reply_refuse_with(
    struct ts_sandbox_reply *reply, enum ts_sandbox_problem problem, const char *format, ...)
{
    char text[1024];
    char message[1024];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    // A cut in the middle of a character would no longer be text.
    for (size_t end = sizeof text - 1; len >= (int)sizeof text && end > 0;) {
        end--;
        bool is_lead = ((unsigned char)text[end] & 0xc0) != 0x80;
        text[end] = '\0';
        if (is_lead) {
            break;
        }
    }
    ts_sandbox_utf8_clean(message, sizeof message, text);
    reply_fail(reply, ts_sandbox_problem_row(problem), message);
    return false;
}

void ts_sandbox_reply_finish(struct ts_sandbox_reply *reply)
{
    if (!reply->has_failed && reply->status != 0) {
        return;
    }
    ts_buf_clear(&reply->body);
    reply->status = 500;
    reply->type = "application/json";
    // Fits what the buffer holds already in all but the worst case, and then stays empty.
    (void)ts_buf_add_str(&reply->body, last_resort);
}
