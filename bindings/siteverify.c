// SPDX-License-Identifier: MIT
// turnstile.siteverify: redeems a visitor's token. Another host, no API credentials, an answer of
// its own form whatever the HTTP status.
#include <string.h>

#include <lauxlib.h>

#include "bindings/client.h"
#include "bindings/exchange.h"
#include "bindings/host.h"
#include "bindings/json_decode.h"
#include "bindings/secret.h"
#include "bindings/widget.h"
#include "bindings/widgets.h"

#define TOKEN_MAX 2048 // characters, from the siteverify page

enum { SITEVERIFY_EXCHANGE = 2 };

static int siteverify_k(lua_State *L, int status, lua_KContext ctx)
{
    (void)status;
    struct lx_exchange *exchange = lua_touserdata(L, SITEVERIFY_EXCHANGE);
    if (!exchange->is_done) {
        return ts_task_wait(L, &exchange->waiter, ctx, siteverify_k);
    }
    struct ts_answer *answer = ts_call_answer(exchange->call);
    char why[TS_ERROR_MESSAGE_MAX];
    if (!answer->code && push_json(L, ts_buf_text(answer->body), answer->body->len, why)) {
        if (lua_istable(L, -1) && lua_getfield(L, -1, "success") == LUA_TBOOLEAN) {
            ts_host_of(L)->door->ledger.reads++;
            lua_pop(L, 1);
            return 1;
        }
        return push_exchange_reject(L, exchange, "the answer is not siteverify's");
    }
    struct lx_result result = {0};
    push_exchange_answer(L, exchange, &result); // fails, with the reason
    return 2;
}

static void add_secret(lua_State *L, struct ts_widget_body *body)
{
    size_t len;
    push_member(L, 1, "secret");
    struct ts_secret *secret = lx_test_secret(L, -1);
    if (secret) {
        const char *text = ts_secret_borrow(secret, &len);
        enum ts_err code = ts_widget_body_add_text(body, "secret", text, len);
        ts_secret_return(secret);
        lx_check_body(L, code);
    } else if (lua_type(L, -1) == LUA_TSTRING) {
        const char *text = lua_tolstring(L, -1, &len);
        lx_check_body(L, ts_widget_body_add_text(body, "secret", text, len));
    } else {
        lx_misuse(
            L, "siteverify: `secret` must be a secret or a string, is a %s", luaL_typename(L, -1));
    }
    lua_pop(L, 1);
}

static void add_text(lua_State *L, struct ts_widget_body *body, const char *name)
{
    size_t len = 0;
    const char *text = opt_member_string(L, 1, "siteverify", name, &len);
    if (text) {
        lx_check_body(L, ts_widget_body_add_text(body, name, text, len));
    }
}

// siteverify{ secret =, response =, remoteip =, idempotency_key = } -> verdict | nil, err
int turnstile_siteverify(lua_State *L)
{
    static const char *const names[] = {"secret", "response", "remoteip", "idempotency_key", NULL};
    lua_settop(L, 1);
    check_options(L, 1, "siteverify", names, false);
    size_t len = 0;
    if (!opt_member_string(L, 1, "siteverify", "response", &len)) {
        lx_misuse(L, "siteverify: `response` is missing");
    }
    if (len > TOKEN_MAX) {
        lx_misuse(
            L, "siteverify: `response` has %zu characters, a token has at most %d", len, TOKEN_MAX);
    }
    struct ts_client *client = check_client(L);
    struct lx_exchange *exchange = push_exchange(L, TS_OP_SITEVERIFY); // 2
    add_secret(L, &exchange->body);
    add_text(L, &exchange->body, "response");
    add_text(L, &exchange->body, "remoteip");
    add_text(L, &exchange->body, "idempotency_key");
    lx_check_body(L, ts_widget_body_end(&exchange->body));
    struct ts_call_spec spec = {
        .op = TS_OP_SITEVERIFY,
        .body = ts_buf_text(&exchange->body.json),
        .body_len = exchange->body.json.len,
    };
    return lx_exchange_read(L, exchange, client, &spec) ? siteverify_k(L, LUA_OK, 0) : 2;
}
