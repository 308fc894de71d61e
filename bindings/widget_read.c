// SPDX-License-Identifier: MIT
// Reading: widgets.get, and what the Lua half reads on behalf of writes. Each function checks
// everything, then pushes its exchange, then waits in a continuation that looks again before it
// pushes the result.
#include <stdio.h>
#include <string.h>

#include <lauxlib.h>

#include "bindings/client.h"
#include "bindings/host.h"
#include "bindings/list_query.h"
#include "bindings/snapshot.h"
#include "bindings/widget.h"
#include "bindings/widgets.h"
#include "host/api/retry.h"
#include "host/base/str.h"

bool push_result_widget(lua_State *L, struct lx_exchange *exchange)
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
    struct lx_adopted widget;
    lx_widget_adopt(L, &widget);
    struct lx_snapshot *snapshot =
        push_snapshot(L, 1, lx_exchange_start(exchange), exchange->done_us, 0);
    lx_snapshot_add(snapshot, &widget);
    lua_setmetatable(L, -2);
    return true;
}

void lx_exchange_name(struct lx_exchange *exchange, const char *subject, const char *sitekey)
{
    ts_str_copy(exchange->subject, sizeof exchange->subject, subject);
    ts_str_copy(exchange->sitekey, sizeof exchange->sitekey, sitekey ? sitekey : "");
}

static void field_set(lua_State *L, const char *name, int64_t value)
{
    lua_pushinteger(L, (lua_Integer)value);
    lua_setfield(L, -2, name);
}

// Pushes what an answer tells besides: { start_us, end_us, date_us }; the last is the service's
// clock in whole seconds, where it says it.
static void push_info(lua_State *L, struct lx_exchange *exchange)
{
    lua_createtable(L, 0, 5);
    field_set(L, "start_us", lx_exchange_start(exchange));
    field_set(L, "end_us", exchange->done_us);
    int64_t date_s = ts_retry_after(lx_exchange_header(exchange, "Date"), NULL, 0);
    if (date_s > 0) {
        field_set(L, "date_us", date_s * 1000000);
    }
}

enum { READ_EXCHANGE = 2 };

static int read_k(lua_State *L, int status, lua_KContext ctx)
{
    (void)status;
    struct lx_exchange *exchange = lua_touserdata(L, READ_EXCHANGE);
    if (!exchange->is_done) {
        return ts_task_wait(L, &exchange->waiter, ctx, read_k);
    }
    if (!push_exchange_answer(L, exchange)) {
        return 2;
    }
    if (!push_result_widget(L, exchange)) {
        return 2;
    }
    if (!exchange->is_quiet) {
        return 1;
    }
    push_info(L, exchange);
    return 2;
}

static int read_start(lua_State *L, const char *function, enum ts_op op, bool is_quiet)
{
    char sitekey[TS_WIDGET_SITEKEY_MAX + 1];
    check_sitekey(L, 1, function, sitekey);
    lua_settop(L, 1);
    struct ts_client *client = check_client(L);
    struct lx_exchange *exchange = push_exchange(L, op); // 2
    lx_exchange_name(exchange, sitekey, sitekey);
    exchange->is_quiet = is_quiet;
    struct ts_call_spec spec = {.op = TS_OP_GET, .sitekey = exchange->sitekey};
    return lx_exchange_read(L, exchange, client, &spec) ? read_k(L, LUA_OK, 0) : 2;
}

// get(sitekey) -> widget | nil, err
int widgets_get(lua_State *L)
{
    return read_start(L, "widgets.get", TS_OP_GET, false);
}

// read(sitekey) -> widget | nil, err; a failure is one of the update that needs it
static int core_read(lua_State *L)
{
    return read_start(L, "widgets.update", TS_OP_UPDATE, false);
}

// peek(sitekey) -> widget, info | nil, err; a failure counts for nothing
static int core_peek(lua_State *L)
{
    return read_start(L, "widgets.get", TS_OP_GET, true);
}

// Adds to the info on top what the envelope says of the list: per_page and total_count.
static void add_page_info(lua_State *L, int envelope)
{
    static const char *const names[] = {"per_page", "total_count"};
    if (lua_getfield(L, envelope, "result_info") == LUA_TTABLE) {
        for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
            lua_getfield(L, -1, names[i]);
            lua_Number number = lua_tonumber(L, -1);
            bool is_count = lua_type(L, -1) == LUA_TNUMBER && number >= 0 && number < 1e15;
            lua_pop(L, 1);
            if (is_count) {
                lua_pushinteger(L, (lua_Integer)number);
                lua_setfield(L, -3, names[i]);
            }
        }
    }
    lua_pop(L, 1);
}

enum { PAGE_EXCHANGE = 3 };

static int page_k(lua_State *L, int status, lua_KContext ctx)
{
    (void)status;
    struct lx_exchange *exchange = lua_touserdata(L, PAGE_EXCHANGE);
    if (!exchange->is_done) {
        return ts_task_wait(L, &exchange->waiter, ctx, page_k);
    }
    if (!push_exchange_answer(L, exchange)) {
        return 2;
    }
    int envelope = lua_gettop(L);
    if (lua_getfield(L, envelope, "result") != LUA_TTABLE) {
        return push_exchange_reject(L, exchange, "the answer holds no list of widgets");
    }
    push_info(L, exchange);
    add_page_info(L, envelope);
    return 2;
}

// page(options as of list, number) -> rows as they came, info | nil, err; a failure counts for
// nothing
static int core_page(lua_State *L)
{
    struct lx_list_query query = {0};
    char text[LX_LIST_QUERY_MAX + 32];
    lua_Integer number = luaL_checkinteger(L, 2);
    lua_settop(L, 2);
    struct ts_client *client = check_client(L);
    check_list_query(L, 1, &query); // Lua halves pass what is valid: it cannot raise
    snprintf(text, sizeof text, "page=%lld&%s", (long long)number, ts_buf_text(&query.text));
    ts_buf_fini(&query.text);
    struct lx_exchange *exchange = push_exchange(L, TS_OP_LIST); // 3
    lx_exchange_name(exchange, "widgets", NULL);
    exchange->is_quiet = true;
    struct ts_call_spec spec = {.op = TS_OP_LIST, .query = text};
    return lx_exchange_read(L, exchange, client, &spec) ? page_k(L, LUA_OK, 0) : 2;
}

void lx_add_reads(lua_State *L, int client)
{
    static const luaL_Reg functions[] = {
        {"read", core_read}, {"peek", core_peek}, {"page", core_page}, {NULL, NULL}};
    lua_pushvalue(L, client);
    luaL_setfuncs(L, functions, 1);
}
