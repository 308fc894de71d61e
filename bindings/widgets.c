// SPDX-License-Identifier: MIT
// get, create, update, delete and rotate_secret. Each checks everything, then pushes its exchange,
// then waits in a continuation that looks again before it pushes the result.
#include "bindings/widgets.h"

#include <string.h>

#include <lauxlib.h>

#include "bindings/client.h"
#include "bindings/exchange.h"
#include "bindings/host.h"
#include "bindings/widget.h"
#include "host/base/str.h"

// The envelope on top becomes its widget: true; or nil, err are pushed: false.
static bool push_result_widget(lua_State *L, struct lx_exchange *exchange)
{
    if (lua_getfield(L, -1, "result") != LUA_TTABLE) {
        push_exchange_reject(L, exchange, "the answer holds no widget");
        return false;
    }
    if (lua_getfield(L, -1, "sitekey") != LUA_TSTRING || lua_rawlen(L, -1) == 0) {
        push_exchange_reject(L, exchange, "the answer's widget has no sitekey");
        return false;
    }
    lua_pop(L, 1);
    lua_remove(L, -2);
    lx_widget_adopt(L);
    return true;
}

static void subject_set(struct lx_exchange *exchange, const char *subject)
{
    ts_str_copy(exchange->subject, sizeof exchange->subject, subject);
}

// Index of the exchange on the stack of each function, behind its arguments.
enum { GET_EXCHANGE = 2, CREATE_EXCHANGE = 3, UPDATE_EXCHANGE = 4, DELETE_EXCHANGE = 2 };

static int get_k(lua_State *L, int status, lua_KContext ctx)
{
    (void)status;
    struct lx_exchange *exchange = lua_touserdata(L, GET_EXCHANGE);
    if (!exchange->is_done) {
        return ts_task_wait(L, &exchange->waiter, ctx, get_k);
    }
    if (!push_exchange_answer(L, exchange)) {
        return 2;
    }
    return push_result_widget(L, exchange) ? 1 : 2;
}

// get(sitekey) -> widget | nil, err
int widgets_get(lua_State *L)
{
    char sitekey[TS_WIDGET_SITEKEY_MAX + 1];
    check_sitekey(L, 1, "widgets.get", sitekey);
    lua_settop(L, 1);
    struct ts_client *client = check_client(L);
    struct lx_exchange *exchange = push_exchange(L, TS_OP_GET); // 2
    memcpy(exchange->sitekey, sitekey, sizeof sitekey);
    subject_set(exchange, sitekey);
    struct ts_call_spec spec = {.op = TS_OP_GET, .sitekey = exchange->sitekey};
    return lx_exchange_read(L, exchange, client, &spec) ? get_k(L, LUA_OK, 0) : 2;
}

static int create_k(lua_State *L, int status, lua_KContext ctx)
{
    (void)status;
    struct lx_exchange *exchange = lua_touserdata(L, CREATE_EXCHANGE);
    if (!exchange->is_done) {
        return ts_task_wait(L, &exchange->waiter, ctx, create_k);
    }
    if (!push_exchange_answer(L, exchange) || !push_result_widget(L, exchange)) {
        return 2;
    }
    lx_exchange_settle(exchange);
    return 1;
}

// create(fields) -> widget | nil, err
int widgets_create(lua_State *L)
{
    lua_settop(L, 1);
    push_fields(L, 1, "widgets.create", true); // 2
    struct ts_client *client = check_client(L);
    struct lx_exchange *exchange = push_exchange(L, TS_OP_CREATE); // 3
    lx_add_fields(L, 2, &exchange->body);
    lua_getfield(L, 2, "name");
    subject_set(exchange, lua_tostring(L, -1));
    lua_pop(L, 1);
    struct ts_write_spec spec = {
        .op = TS_OP_CREATE,
        .body = ts_buf_text(&exchange->body.json),
        .body_len = exchange->body.json.len,
        .is_any_hostname = lx_is_any_hostname(L, 2),
    };
    return lx_exchange_write(L, exchange, client, &spec) ? create_k(L, LUA_OK, 0) : 2;
}

static int update_write_k(lua_State *L, int status, lua_KContext ctx)
{
    (void)status;
    struct lx_exchange *exchange = lua_touserdata(L, UPDATE_EXCHANGE);
    if (!exchange->is_done) {
        return ts_task_wait(L, &exchange->waiter, ctx, update_write_k);
    }
    if (!push_exchange_answer(L, exchange) || !push_result_widget(L, exchange)) {
        return 2;
    }
    lx_exchange_settle(exchange);
    return 1;
}

// The widget as it is lies on top of the stack: merges, and sends what differs.
static int update_write(lua_State *L, struct lx_exchange *exchange)
{
    const char *unfit;
    int widget = lua_gettop(L);
    bool is_changed = push_merged(L, widget, 3, &unfit);
    if (unfit) {
        lua_pushfstring(L, "the widget as read has no `%s` that an update could send back", unfit);
        return push_exchange_reject(L, exchange, lua_tostring(L, -1));
    }
    if (!is_changed) {
        ts_host_of(L)->door->ledger.unchanged++;
        lua_settop(L, widget);
        return 1;
    }
    int merged = lua_gettop(L);
    lx_add_fields(L, merged, &exchange->body);
    struct ts_write_spec spec = {
        .op = TS_OP_UPDATE,
        .sitekey = exchange->sitekey,
        .body = ts_buf_text(&exchange->body.json),
        .body_len = exchange->body.json.len,
        // Open already is not opened by this update.
        .is_any_hostname = lx_is_any_hostname(L, merged) && !lx_is_any_hostname(L, widget),
    };
    struct ts_client *client = check_client(L);
    return lx_exchange_write(L, exchange, client, &spec) ? update_write_k(L, LUA_OK, 0) : 2;
}

static int update_read_k(lua_State *L, int status, lua_KContext ctx)
{
    (void)status;
    struct lx_exchange *exchange = lua_touserdata(L, UPDATE_EXCHANGE);
    if (!exchange->is_done) {
        return ts_task_wait(L, &exchange->waiter, ctx, update_read_k);
    }
    if (!push_exchange_answer(L, exchange) || !push_result_widget(L, exchange)) {
        return 2;
    }
    return update_write(L, exchange);
}

// update(sitekey | widget, changes) -> widget | nil, err
int widgets_update(lua_State *L)
{
    char sitekey[TS_WIDGET_SITEKEY_MAX + 1];
    lua_settop(L, 2);
    check_sitekey(L, 1, "widgets.update", sitekey);
    push_fields(L, 2, "widgets.update", false); // 3
    struct ts_client *client = check_client(L);
    struct lx_exchange *exchange = push_exchange(L, TS_OP_UPDATE); // 4
    memcpy(exchange->sitekey, sitekey, sizeof sitekey);
    subject_set(exchange, sitekey);
    struct ts_call_spec spec = {.op = TS_OP_GET, .sitekey = exchange->sitekey};
    return lx_exchange_read(L, exchange, client, &spec) ? update_read_k(L, LUA_OK, 0) : 2;
}

static int delete_k(lua_State *L, int status, lua_KContext ctx)
{
    (void)status;
    struct lx_exchange *exchange = lua_touserdata(L, DELETE_EXCHANGE);
    if (!exchange->is_done) {
        return ts_task_wait(L, &exchange->waiter, ctx, delete_k);
    }
    if (!push_exchange_answer(L, exchange)) {
        return 2;
    }
    lx_exchange_settle(exchange); // the result may be the widget or null
    lua_pushboolean(L, 1);
    return 1;
}

// delete(sitekey | widget) -> true | nil, err
int widgets_delete(lua_State *L)
{
    char sitekey[TS_WIDGET_SITEKEY_MAX + 1];
    check_sitekey(L, 1, "widgets.delete", sitekey);
    lua_settop(L, 1);
    struct ts_client *client = check_client(L);
    struct lx_exchange *exchange = push_exchange(L, TS_OP_DELETE); // 2
    memcpy(exchange->sitekey, sitekey, sizeof sitekey);
    subject_set(exchange, sitekey);
    struct ts_write_spec spec = {.op = TS_OP_DELETE, .sitekey = exchange->sitekey};
    return lx_exchange_write(L, exchange, client, &spec) ? delete_k(L, LUA_OK, 0) : 2;
}

// rotate_secret(sitekey | widget, { invalidate_immediately = false }) -> widget | nil, err
int widgets_rotate_secret(lua_State *L)
{
    static const char *const names[] = {"invalidate_immediately", NULL};
    char sitekey[TS_WIDGET_SITEKEY_MAX + 1];
    check_sitekey(L, 1, "widgets.rotate_secret", sitekey);
    lua_settop(L, 2);
    check_options(L, 2, "widgets.rotate_secret", names, true);
    // Always said, never left to the server's default: the published texts disagree about it.
    bool is_immediate =
        opt_member_boolean(L, 2, "widgets.rotate_secret", "invalidate_immediately", false);
    struct ts_client *client = check_client(L);
    struct lx_exchange *exchange = push_exchange(L, TS_OP_ROTATE); // 3, as in create
    memcpy(exchange->sitekey, sitekey, sizeof sitekey);
    subject_set(exchange, sitekey);
    struct ts_widget_body *body = &exchange->body;
    lx_check_body(L, ts_widget_body_init(body));
    lx_check_body(L, ts_widget_body_add_bool(body, "invalidate_immediately", is_immediate));
    lx_check_body(L, ts_widget_body_end(body));
    struct ts_write_spec spec = {
        .op = TS_OP_ROTATE,
        .sitekey = exchange->sitekey,
        .body = ts_buf_text(&exchange->body.json),
        .body_len = exchange->body.json.len,
    };
    return lx_exchange_write(L, exchange, client, &spec) ? create_k(L, LUA_OK, 0) : 2;
}
