// SPDX-License-Identifier: MIT
// Reading: widgets.get, and what the Lua half reads on behalf of writes. Each function checks
// everything, then pushes its exchange, then waits in a continuation that looks again before it
// pushes the result.
#include <stdio.h>
#include <string.h>

#include <lauxlib.h>

#include "bindings/client.h"
#include "bindings/json_decode.h"
#include "bindings/list_query.h"
#include "bindings/snapshot.h"
#include "bindings/widget.h"
#include "bindings/widget_decode.h"
#include "bindings/widget_words.h"
#include "bindings/widgets.h"
#include "host/api/retry.h"
#include "host/base/str.h"

// Decodes a result that is to be a widget.
static bool push_decoded(struct lx_json *json, void *self)
{
    struct lx_decoded *widget = self;
    *widget = (struct lx_decoded){0};
    if (*json->at != '{') {
        return push_json_value(json);
    }
    push_words(json->L);
    return push_widget(json, lua_gettop(json->L), widget);
}

bool push_exchange_widget(lua_State *L, struct lx_exchange *exchange)
{
    struct lx_decoded widget = {0};
    struct lx_result result = {.push = push_decoded, .self = &widget};
    if (!push_exchange_answer(L, exchange, &result)) {
        return false;
    }
    if (!lua_istable(L, -1)) {
        push_exchange_reject(L, exchange, "the answer holds no widget");
        return false;
    }
    if (!widget.has_sitekey) {
        push_exchange_reject(L, exchange, "the answer's widget has no sitekey");
        return false;
    }
    lx_snapshot_single(L, widget.digest, lx_exchange_start(exchange), exchange->done_us);
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
    if (!push_exchange_widget(L, exchange)) {
        return 2;
    }
    if (ts_endpoint_of(exchange->op)->is_write) {
        lx_freshness_read(L, lx_client_freshness(L, lua_upvalueindex(1)),
            lx_freshness_key(exchange->sitekey), lua_gettop(L));
    }
    if (!exchange->is_quiet) {
        return 1;
    }
    push_info(L, exchange);
    return 2;
}

static int read_start(lua_State *L, const char *sitekey, enum ts_op op, bool is_quiet)
{
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
    char sitekey[TS_WIDGET_SITEKEY_MAX + 1];
    check_sitekey(L, 1, "widgets.get", sitekey);
    return read_start(L, sitekey, TS_OP_GET, false);
}

// read(sitekey that was checked, name of a write) -> widget | nil, err: on behalf of the write,
// which a failure is one of
static int core_read(lua_State *L)
{
    enum ts_op op = check_write_op(L, 2);
    return read_start(L, luaL_checkstring(L, 1), op, false);
}

// peek(sitekey) -> widget, info | nil, err; a failure counts for nothing
static int core_peek(lua_State *L)
{
    char sitekey[TS_WIDGET_SITEKEY_MAX + 1];
    check_sitekey(L, 1, "widgets.get", sitekey);
    return read_start(L, sitekey, TS_OP_GET, true);
}

enum { PAGE_EXCHANGE = 3 };

static int page_k(lua_State *L, int status, lua_KContext ctx)
{
    (void)status;
    struct lx_exchange *exchange = lua_touserdata(L, PAGE_EXCHANGE);
    if (!exchange->is_done) {
        return ts_task_wait(L, &exchange->waiter, ctx, page_k);
    }
    struct lx_result result = {0};
    if (!push_exchange_answer(L, exchange, &result)) {
        return 2;
    }
    if (!lua_istable(L, -1)) {
        return push_exchange_reject(L, exchange, "the answer holds no list of widgets");
    }
    push_info(L, exchange);
    if (result.per_page >= 0) {
        field_set(L, "per_page", result.per_page);
    }
    if (result.total_count >= 0) {
        field_set(L, "total_count", result.total_count);
    }
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
