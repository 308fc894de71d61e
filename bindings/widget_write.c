// SPDX-License-Identifier: MIT
// One write each, as the Lua half orders it: checked and normalised before, sent once, settled by
// its answer. What an answer that was lost means is found out in doubt.lua.
#include <string.h>

#include <lauxlib.h>

#include "bindings/client.h"
#include "bindings/host.h"
#include "bindings/snapshot.h"
#include "bindings/widget.h"
#include "bindings/widgets.h"

enum ts_op check_write_op(lua_State *L, int arg)
{
    static const char *const names[] = {"create", "update", "delete", "rotate", NULL};
    static const enum ts_op ops[] = {TS_OP_CREATE, TS_OP_UPDATE, TS_OP_DELETE, TS_OP_ROTATE};
    return ops[luaL_checkoption(L, arg, NULL, names)];
}

// begin_create(fields) -> changes, to be closed. They share the name with other creates of it.
static int core_begin_create(lua_State *L)
{
    struct lx_changes *changes = push_changes(L, 1, "widgets.create", true);
    const struct lx_text *name = &changes->fields.texts[TS_WIDGET_NAME];
    changes->hold.is_shared = true;
    return lx_hold_take(L, LX_HOLD_NAME, ts_seen_hash(name->text, name->len));
}

// begin_update(sitekey | widget, changes) -> changes, to be closed. They hold the widget.
static int core_begin_update(lua_State *L)
{
    char sitekey[TS_WIDGET_SITEKEY_MAX + 1];
    lua_settop(L, 2);
    check_sitekey(L, 1, "widgets.update", sitekey);
    struct lx_changes *changes = push_changes(L, 2, "widgets.update", false);
    memcpy(changes->sitekey, sitekey, sizeof sitekey);
    changes->key = lx_freshness_key(sitekey);
    return lx_hold_take(L, LX_HOLD_SITEKEY, changes->key);
}

// name_of(changes) -> the name that they give
static int core_name_of(lua_State *L)
{
    const struct lx_changes *changes = lua_touserdata(L, 1);
    const struct lx_text *name = &changes->fields.texts[TS_WIDGET_NAME];
    lua_pushlstring(L, name->text, name->len);
    return 1;
}

// sitekey_of(changes, sitekey | widget) -> the sitekey of the widget that they are for
static int core_sitekey_of(lua_State *L)
{
    const struct lx_changes *changes = lua_touserdata(L, 1);
    if (lua_type(L, 2) == LUA_TSTRING) {
        return 1; // as it came
    }
    lua_pushstring(L, changes->sitekey);
    return 1;
}

// check_delete(sitekey | widget) -> sitekey
static int core_check_delete(lua_State *L)
{
    char sitekey[TS_WIDGET_SITEKEY_MAX + 1];
    check_sitekey(L, 1, "widgets.delete", sitekey);
    lua_pushstring(L, sitekey);
    return 1;
}

// check_rotate(sitekey | widget, options) -> sitekey, whether the old secret ends at once
static int core_check_rotate(lua_State *L)
{
    static const char *const names[] = {"invalidate_immediately", NULL};
    char sitekey[TS_WIDGET_SITEKEY_MAX + 1];
    check_sitekey(L, 1, "widgets.rotate_secret", sitekey);
    lua_settop(L, 2);
    check_options(L, 2, "widgets.rotate_secret", names, true);
    lua_pushstring(L, sitekey);
    lua_pushboolean(
        L, opt_member_boolean(L, 2, "widgets.rotate_secret", "invalidate_immediately", false));
    return 2;
}

// may_rotate() -> whether permissions let a rotation pass now
static int core_may_rotate(lua_State *L)
{
    struct ts_error err;
    struct ts_write_spec spec = {.op = TS_OP_ROTATE};
    lua_pushboolean(L, ts_door_check(ts_host_of(L)->door, &spec, &err) == TS_OK);
    return 1;
}

// Index of the exchange on the stack of all writes: they take five arguments at most.
enum { WRITE_EXCHANGE = 6 };

// Of a write that could not begin in time: pushes false, "late".
static int push_late(lua_State *L)
{
    lua_pushboolean(L, 0);
    lua_pushliteral(L, "late");
    return 2;
}

static int widget_k(lua_State *L, int status, lua_KContext ctx)
{
    (void)status;
    struct lx_exchange *exchange = lua_touserdata(L, WRITE_EXCHANGE);
    if (!exchange->is_done) {
        return ts_task_wait(L, &exchange->waiter, ctx, widget_k);
    }
    bool is_update = exchange->op == TS_OP_UPDATE;
    if (ts_write_take_late(exchange->write)) {
        return push_late(L);
    }
    if (!push_exchange_widget(L, exchange)) {
        lua_pushinteger(L,
            is_update ? (lua_Integer)exchange->fields : (lua_Integer)lx_exchange_start(exchange));
        return 3;
    }
    lx_exchange_settle(L, exchange, lua_gettop(L));
    if (exchange->op != TS_OP_CREATE) {
        lx_freshness_wrote(L, lx_client_freshness(L, lua_upvalueindex(1)),
            lx_freshness_key(exchange->sitekey), lua_gettop(L), exchange->fields);
    }
    return 1;
}

static struct lx_exchange *push_write(lua_State *L, enum ts_op op, const char *sitekey)
{
    lua_settop(L, WRITE_EXCHANGE - 1);
    struct lx_exchange *exchange = push_exchange(L, op);
    lx_exchange_name(exchange, sitekey ? sitekey : "", sitekey);
    return exchange;
}

static int write_start(
    lua_State *L, struct lx_exchange *exchange, struct ts_write_spec *spec, lua_KFunction k)
{
    struct lx_moves *moves = lx_client_moves(L, lua_upvalueindex(1));
    moves->names += exchange->op == TS_OP_DELETE;
    moves->all += exchange->op != TS_OP_CREATE;
    spec->op = exchange->op;
    spec->sitekey = exchange->sitekey[0] ? exchange->sitekey : NULL;
    if (exchange->body.json.len > 0) {
        spec->body = ts_buf_text(&exchange->body.json);
        spec->body_len = exchange->body.json.len;
    }
    return lx_exchange_write(L, exchange, check_client(L), spec) ? k(L, LUA_OK, 0) : 2;
}

// The error at idx, if there is one, is of the same write, which was not applied: it is sent again.
static void write_repeat(lua_State *L, int idx, struct ts_write_spec *spec)
{
    if (!lua_isnoneornil(L, idx)) {
        spec->is_again = true;
        spec->operation = ts_door_operation(ts_host_of(L)->door, lx_failure_entry(L, idx));
    }
}

// create(changes, lost) -> widget | nil, err, when it was sent. `lost`, here and below, is the
// error of the same write when it is sent again, else nil.
static int core_create(lua_State *L)
{
    const struct lx_changes *changes = lua_touserdata(L, 1);
    struct lx_exchange *exchange = push_write(L, TS_OP_CREATE, NULL);
    lx_add_fields(L, &changes->fields, &exchange->body);
    lx_exchange_name(exchange, changes->fields.texts[TS_WIDGET_NAME].text, NULL);
    struct ts_write_spec spec = {.is_any_hostname = lx_is_any_hostname(&changes->fields)};
    write_repeat(L, 2, &spec);
    return write_start(L, exchange, &spec, widget_k);
}

// Puts the changes at index 2 over the widget at index 1; the error is at `lost`.
static int put_start(lua_State *L, struct lx_exchange *exchange, int64_t good_until_us, int lost)
{
    const struct lx_changes *changes = lua_touserdata(L, 2);
    struct lx_merged merged;
    lx_merge(L, 1, changes, &exchange->body, &exchange->before, &merged);
    if (merged.unfit) {
        lua_pushfstring(
            L, "the widget as read has no `%s` that an update could send back", merged.unfit);
        return push_exchange_unsent(
            L, exchange, "decode", TS_ENTRY_WRITE_FAILED, lua_tostring(L, -1));
    }
    if (!merged.changed) {
        ts_host_of(L)->door->ledger.unchanged++;
        lua_pushboolean(L, 0);
        return 1;
    }
    const struct lx_freshness *fresh = lx_client_freshness(L, lua_upvalueindex(1));
    exchange->fields = changes->fields.there | lx_freshness_own(L, fresh, changes->key, 1);
    lx_client_moves(L, lua_upvalueindex(1))->names += merged.changed >> TS_WIDGET_NAME & 1;
    struct ts_write_spec spec = {
        .is_any_hostname = merged.is_opened, // open already is not opened by this update
        .start_before_us = good_until_us,
    };
    write_repeat(L, lost, &spec);
    return write_start(L, exchange, &spec, widget_k);
}

// put(widget as it is, changes, the moment until which the widget may be relied on, lost) ->
// widget | nil, err, bits of the fields that are our own if it was applied | false: nothing differs
// | false, "late": not sent by that moment
static int core_put(lua_State *L)
{
    const struct lx_changes *changes = lua_touserdata(L, 2);
    int64_t good_until_us = luaL_checkinteger(L, 3);
    struct lx_exchange *exchange = push_write(L, TS_OP_UPDATE, changes->sitekey);
    return put_start(L, exchange, good_until_us, 4);
}

// put_known(sitekey | widget, changes) -> as put | false, "unknown": the script's own table, if it
// is one, cannot be relied on as it is
static int core_put_known(lua_State *L)
{
    const struct lx_freshness *fresh = lx_client_freshness(L, lua_upvalueindex(1));
    const struct lx_changes *changes = lua_touserdata(L, 2);
    struct lx_known known;
    int64_t until_us;
    if (lua_istable(L, 1)) {
        // First, as a finalizer may run in it that changes the table.
        struct lx_exchange *exchange = push_write(L, TS_OP_UPDATE, changes->sitekey);
        if (lx_freshness_ask(L, fresh, changes->key, 1, &known, &until_us) == LX_TRUST_GOOD) {
            return put_start(L, exchange, until_us, 4);
        }
    }
    lua_pushboolean(L, 0);
    lua_pushliteral(L, "unknown");
    return 2;
}

// What is known of the widget before the write: the one at idx, if there is one.
static void write_witness(lua_State *L, int idx, struct lx_exchange *exchange)
{
    if (lua_istable(L, idx)) {
        lx_image_take(L, idx, &exchange->before);
        lua_pushliteral(L, "secret");
        lua_rawget(L, idx);
        lx_image_mark(L, -1, &exchange->before);
        lua_pop(L, 1);
    }
}

static int delete_k(lua_State *L, int status, lua_KContext ctx)
{
    (void)status;
    struct lx_exchange *exchange = lua_touserdata(L, WRITE_EXCHANGE);
    if (!exchange->is_done) {
        return ts_task_wait(L, &exchange->waiter, ctx, delete_k);
    }
    if (ts_write_take_late(exchange->write)) {
        return push_late(L);
    }
    // What is deleted again may be gone by the first time.
    bool is_gone = lua_toboolean(L, 2) && lx_exchange_status(exchange) == 404;
    struct lx_result result = {0};
    if (!is_gone && !push_exchange_answer(L, exchange, &result)) {
        return 2;
    }
    // The result may be the widget or null, and was not decoded when it is gone already.
    lx_exchange_settle(L, exchange, !is_gone && lua_istable(L, -1) ? lua_gettop(L) : 0);
    lua_pushboolean(L, 1);
    return 1;
}

// delete(sitekey, lost, widget | nil, the moment until which the widget may be relied on | nil) ->
// true | nil, err | false, "late": not sent by that moment
static int core_delete(lua_State *L)
{
    int64_t good_until_us = luaL_optinteger(L, 4, 0);
    struct lx_exchange *exchange = push_write(L, TS_OP_DELETE, luaL_checkstring(L, 1));
    struct ts_write_spec spec = {.start_before_us = good_until_us};
    write_repeat(L, 2, &spec);
    write_witness(L, 3, exchange);
    return write_start(L, exchange, &spec, delete_k);
}

// rotate(sitekey, is_immediate, lost, widget | nil, the moment until which the widget may be relied
// on | nil) -> widget | nil, err, when it was sent | false, "late": not sent by that moment
static int core_rotate(lua_State *L)
{
    int64_t good_until_us = luaL_optinteger(L, 5, 0);
    struct lx_exchange *exchange = push_write(L, TS_OP_ROTATE, luaL_checkstring(L, 1));
    struct ts_widget_body *body = &exchange->body;
    // Always said, never left to the server's default: the published texts disagree about it.
    bool is_immediate = lua_toboolean(L, 2);
    lx_check_body(L, ts_widget_body_add_bool(body, "invalidate_immediately", is_immediate));
    lx_check_body(L, ts_widget_body_end(body));
    struct ts_write_spec spec = {.is_immediate = is_immediate, .start_before_us = good_until_us};
    write_repeat(L, 3, &spec);
    write_witness(L, 4, exchange);
    return write_start(L, exchange, &spec, widget_k);
}

// Gives up the write at 3 to the widget at 1 before it is sent: pushes nil, err. Of a creation the
// name is at 1.
static int write_unsent(lua_State *L, const char *kind, enum ts_entry_kind entry)
{
    enum ts_op op = check_write_op(L, 3);
    const char *subject = luaL_checkstring(L, 1), *why = luaL_checkstring(L, 2);
    struct lx_exchange *exchange = push_write(L, op, op == TS_OP_CREATE ? NULL : subject);
    if (op == TS_OP_CREATE) {
        lx_exchange_name(exchange, subject, NULL);
    }
    return push_exchange_unsent(L, exchange, kind, entry, why);
}

// stale(sitekey, message, name of the write) -> nil, err: a write that is not sent, counted as
// stale
static int core_stale(lua_State *L)
{
    return write_unsent(L, "stale", TS_ENTRY_STALE);
}

// starved(sitekey, message, name of the write) -> nil, err: one that never could begin in time
static int core_starved(lua_State *L)
{
    return write_unsent(L, "timeout", TS_ENTRY_WRITE_UNSENT);
}

void lx_add_writes(lua_State *L, int client)
{
    static const luaL_Reg functions[] = {
        {"begin_create", core_begin_create},
        {"begin_update", core_begin_update},
        {"name_of", core_name_of},
        {"sitekey_of", core_sitekey_of},
        {"check_delete", core_check_delete},
        {"check_rotate", core_check_rotate},
        {"may_rotate", core_may_rotate},
        {"create", core_create},
        {"put", core_put},
        {"put_known", core_put_known},
        {"delete", core_delete},
        {"rotate", core_rotate},
        {"stale", core_stale},
        {"starved", core_starved},
        {NULL, NULL},
    };
    lua_pushvalue(L, client);
    luaL_setfuncs(L, functions, 1);
}
