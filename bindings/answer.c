// SPDX-License-Identifier: MIT
// Answers, good and bad. Branches on the HTTP status first: code 10000 alone has three meanings.
// Message texts are for people; nothing here depends on them.
#include "bindings/answer.h"

#include <stdio.h>
#include <string.h>

#include <lauxlib.h>

#include "host/base/str.h"

static void failure_begin(struct lx_answer *out, const struct ts_answer *answer, const char *kind)
{
    ts_str_copy(out->ray, sizeof out->ray, answer->ray);
    out->failure = (struct lx_failure){
        .kind = kind,
        .message = out->message,
        .ray = out->ray,
        .status = answer->status,
        .is_retryable = ts_answer_is_retryable(answer),
        .attempts = answer->attempts,
    };
    out->outcome = ts_answer_outcome(answer);
}

static const char *kind_of(enum ts_err code)
{
    switch (code) {
    case TS_ERR_TIMEOUT:
        return "timeout";
    case TS_ERR_CANCELLED:
        return "cancelled";
    case TS_ERR_TOO_LARGE:
        return "decode";
    case TS_ERR_JOURNAL:
        return "journal";
    default:
        return "transport";
    }
}

void lx_answer_reject(struct lx_answer *out, const struct ts_answer *answer, const char *why)
{
    failure_begin(out, answer, "decode");
    snprintf(out->message, sizeof out->message, "%s", why);
    if (out->outcome == TS_OUTCOME_DONE) {
        out->outcome = TS_OUTCOME_UNKNOWN; // applied, it says, but what came of it cannot be read
    }
}

// The first error of the list on top of the stack: its code (0: none) and message.
static void first_error(lua_State *L, struct lx_answer *out)
{
    struct ts_error text = {0};
    int top = lua_gettop(L);
    if (lua_istable(L, -1) && lua_rawgeti(L, -1, 1) == LUA_TTABLE) {
        lua_getfield(L, -1, "code");
        lua_getfield(L, -2, "message");
        if (lua_isinteger(L, -2) && lua_tointeger(L, -2) != 0) {
            out->failure.has_code = true;
            out->failure.code = lua_tointeger(L, -2);
        }
        if (lua_type(L, -1) == LUA_TSTRING) {
            ts_error_set(&text, TS_ERR_TRANSPORT, "%s", lua_tostring(L, -1)); // cleans it
        }
    }
    lua_settop(L, top);
    if (!text.message[0]) {
        ts_error_set(&text, TS_ERR_TRANSPORT, "the API refused without saying why");
    }
    ts_str_copy(out->message, sizeof out->message, text.message);
}

// 401; 403 but for entitlements; 400 for a header that the gateway could not read as credentials.
static bool is_credentials_error(const struct lx_failure *failure)
{
    long long code = failure->has_code ? failure->code : 0;
    if (failure->status == 401) {
        return true;
    }
    if (failure->status == 403) {
        return code == 10000 || code == 9109 || code == 0;
    }
    return failure->status == 400 && (code == 9106 || code == 6003 || code == 6111);
}

static const char *status_meaning(long status)
{
    switch (status) {
    case 301:
    case 302:
    case 303:
    case 307:
    case 308:
        return "a redirect, which is not followed";
    case 429:
        return "too many requests";
    case 500:
        return "the server failed";
    case 502:
        return "bad gateway";
    case 503:
        return "the service is unavailable";
    case 504:
        return "the gateway timed out";
    default:
        return "no answer of the API";
    }
}

// Why it was not tried once more goes behind the message.
static void append_remark(struct lx_answer *out, const struct ts_answer *answer)
{
    size_t len = strlen(out->message);
    if (answer->remark[0]) {
        snprintf(out->message + len, sizeof out->message - len, "; %s", answer->remark);
    }
}

// A status without an envelope: a gateway's page, an empty body.
static void reject_status(struct lx_answer *out, const struct ts_answer *answer, const char *why)
{
    failure_begin(out, answer, "http");
    char type[48];
    ts_str_copy(type, sizeof type, answer->content_type[0] ? answer->content_type : "no type");
    struct ts_error text;
    ts_error_set(&text, TS_ERR_TRANSPORT, "%s (%zu bytes of %s, %s)",
        status_meaning(answer->status), answer->body->len, type, why);
    ts_str_copy(out->message, sizeof out->message, text.message);
    append_remark(out, answer);
    out->is_credentials = is_credentials_error(&out->failure);
}

// The envelope's errors are on top.
static void errors_refuse(lua_State *L, struct ts_answer *answer, struct lx_answer *out)
{
    failure_begin(out, answer, "api");
    if (out->outcome == TS_OUTCOME_DONE) {
        out->outcome = TS_OUTCOME_NOT_APPLIED; // the envelope says no, whatever the status
    }
    if (!lua_istable(L, -1)) {
        lua_pop(L, 1);
        lua_newtable(L);
    }
    first_error(L, out);
    out->failure.errors = lua_gettop(L);
    if (answer->status == 429 && answer->retry_after_s >= 0) {
        size_t len = strlen(out->message);
        snprintf(out->message + len, sizeof out->message - len, "; try again in %lld s",
            (long long)answer->retry_after_s);
    }
    append_remark(out, answer);
    out->is_credentials = is_credentials_error(&out->failure);
}

bool push_answer(
    lua_State *L, struct ts_answer *answer, struct lx_result *result, struct lx_answer *out)
{
    *out = (struct lx_answer){0};
    if (answer->code) {
        failure_begin(out, answer, kind_of(answer->code));
        ts_str_copy(out->message, sizeof out->message, answer->error.message);
        append_remark(out, answer);
        lua_pushnil(L);
        return false;
    }
    bool is_2xx = answer->status >= 200 && answer->status < 300;
    char why[TS_ERROR_MESSAGE_MAX];
    struct lx_envelope envelope;
    bool is_json =
        push_envelope(L, ts_buf_text(answer->body), answer->body->len, result, &envelope, why);
    if (is_json && envelope.is_one) {
        bool is_good = is_2xx && envelope.is_success;
        if (is_good && result->keep) {
            *result->keep = *answer->body;
            ts_buf_init(answer->body, 0);
        }
        ts_buf_clear(answer->body);
        if (is_good) {
            lua_pop(L, 1);
        } else {
            lua_remove(L, -2);
            errors_refuse(L, answer, out);
        }
        return is_good;
    }
    if (is_json) {
        lua_pop(L, 2);
        snprintf(why, sizeof why, "JSON, but not the API's envelope");
    }
    if (is_2xx) {
        char text[TS_ERROR_MESSAGE_MAX];
        snprintf(text, sizeof text, "the answer cannot be read: %.400s", why);
        lx_answer_reject(out, answer, text);
    } else {
        reject_status(out, answer, is_json ? why : "not JSON");
    }
    ts_buf_clear(answer->body);
    lua_pushnil(L);
    return false;
}
