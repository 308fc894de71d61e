// SPDX-License-Identifier: MIT
// What the Lua half asks of widgets and failures without a request: how old a row is, what it
// shares with another, what the ledger is to say. Times are whole microseconds; `modified`, `floor`
// and dates are the service's clock, all others the monotonic one.
#include <string.h>

#include <lauxlib.h>

#include "bindings/client.h"
#include "bindings/digest.h"
#include "bindings/host.h"
#include "bindings/image.h"
#include "bindings/secret.h"
#include "bindings/snapshot.h"
#include "bindings/widget.h"
#include "bindings/widgets.h"
#include "host/base/clock.h"
#include "host/net/loop.h"

static void push_time(lua_State *L, int64_t us)
{
    if (us == INT64_MIN) {
        lua_pushnil(L);
    } else {
        lua_pushinteger(L, (lua_Integer)us);
    }
}

// known(widget) -> read, since, floor, modified: when the row was read, and that at `since`, not
// after it, the service's clock said `floor` or later. nil when it is not as it came.
static int core_known(lua_State *L)
{
    struct lx_known known;
    if (!lx_snapshot_of(L, 1, &known)) {
        return 0;
    }
    push_time(L, known.read_us);
    push_time(L, known.since_us);
    push_time(L, known.floor_us);
    push_time(L, lx_modified_of(L, 1));
    return 4;
}

// now() -> the monotonic clock
static int core_now(lua_State *L)
{
    push_time(L, ts_loop_now(ts_host_of(L)->loop));
    return 1;
}

// time(text) -> what it says, nil when it is no time
static int core_time(lua_State *L)
{
    size_t len = 0;
    int64_t us = INT64_MIN;
    if (lua_type(L, 1) == LUA_TSTRING) {
        const char *text = lua_tolstring(L, 1, &len);
        ts_clock_parse(text, len, &us);
    }
    push_time(L, us);
    return 1;
}

// differs(widget, changes) -> whether the changes would change anything
static int core_differs(lua_State *L)
{
    struct lx_merged merged;
    lx_merge(L, 1, lua_touserdata(L, 2), NULL, NULL, &merged);
    lua_pushboolean(L, merged.changed != 0);
    return 1;
}

// is_twin(widget, changes of a creation) -> whether its name, domains and mode are the same
static int core_is_twin(lua_State *L)
{
    static const unsigned bits =
        1u << TS_WIDGET_NAME | 1u << TS_WIDGET_DOMAINS | 1u << TS_WIDGET_MODE;
    struct lx_merged merged;
    lx_merge(L, 1, lua_touserdata(L, 2), NULL, NULL, &merged);
    lua_pushboolean(L, !(merged.changed & bits));
    return 1;
}

// stale_field(base, live, changes, bits of fields that do not count) -> name | nil
static int core_stale_field(lua_State *L)
{
    const struct lx_changes *changes = lua_touserdata(L, 3);
    unsigned but = (unsigned)luaL_checkinteger(L, 4);
    lua_pushstring(L, lx_stale_field(L, 1, 2, changes, but)); // NULL pushes nil
    return 1;
}

// digest(widget, bits of fields) -> integer
static int core_digest(lua_State *L)
{
    lua_Integer fields = luaL_checkinteger(L, 2);
    lua_pushinteger(L, (lua_Integer)lx_digest_fields(L, 1, (unsigned)fields));
    return 1;
}

// fingerprint(secret) -> string | nil when it is none, or was closed
static int core_fingerprint(lua_State *L)
{
    struct ts_secret *secret = lx_test_secret(L, 1);
    char fingerprint[TS_SECRET_FINGERPRINT];
    if (!secret) {
        return 0;
    }
    ts_secret_fingerprint(secret, fingerprint);
    lua_pushlstring(L, fingerprint, sizeof fingerprint);
    return 1;
}

// is_listed(sitekey, moment) -> whether it was in the list that was read last, before that moment
static int core_is_listed(lua_State *L)
{
    size_t len;
    const char *sitekey = luaL_checklstring(L, 1, &len);
    const struct lx_listed *listed = lx_client_listed(L, lua_upvalueindex(1));
    lua_pushboolean(L,
        listed->end_us < luaL_checkinteger(L, 2) && ts_seen_has(&listed->sitekeys, sitekey, len));
    return 1;
}

// resolve(err, op, is_done, widget as it is now | nil): reading has shown what became of the write
// that err speaks of
static int core_resolve(lua_State *L)
{
    enum ts_op op = check_write_op(L, 2);
    lua_settop(L, 4);
    struct ts_write_end end;
    lx_image_end(L, lua_istable(L, 4) ? 4 : 0, op, push_image(L), &end);
    end.outcome = lua_toboolean(L, 3) ? TS_OUTCOME_DONE : TS_OUTCOME_NOT_APPLIED;
    ts_door_resolve(ts_host_of(L)->door, lx_failure_entry(L, 1), op, &end);
    return 0;
}

// refute(err): reading has shown that the write that err speaks of was not applied, and that is all
static int core_refute(lua_State *L)
{
    ts_door_refute(ts_host_of(L)->door, lx_failure_entry(L, 1));
    return 0;
}

// explain(err, more): the summary says that too of the write that err speaks of
static int core_explain(lua_State *L)
{
    ts_ledger_explain(&ts_host_of(L)->door->ledger, lx_failure_entry(L, 1), luaL_checkstring(L, 2));
    return 0;
}

void lx_add_knowledge(lua_State *L, int client)
{
    static const luaL_Reg functions[] = {
        {"known", core_known},
        {"now", core_now},
        {"time", core_time},
        {"differs", core_differs},
        {"is_twin", core_is_twin},
        {"stale_field", core_stale_field},
        {"digest", core_digest},
        {"fingerprint", core_fingerprint},
        {"is_listed", core_is_listed},
        {"resolve", core_resolve},
        {"refute", core_refute},
        {"explain", core_explain},
        {NULL, NULL},
    };
    lua_pushvalue(L, client);
    luaL_setfuncs(L, functions, 1);
}
