// SPDX-License-Identifier: MIT
// Looks at the budget of the client in upvalue 1. Nothing here waits or sends.
#include "bindings/budget.h"

#include <lauxlib.h>

#include "bindings/client.h"
#include "host/api/budget.h"
#include "host/api/wait.h"

#define SECOND_US 1000000

static lua_Integer seconds_up(int64_t span_us)
{
    return (lua_Integer)((span_us + SECOND_US - 1) / SECOND_US);
}

static void set_integer(lua_State *L, const char *name, lua_Integer value)
{
    lua_pushinteger(L, value);
    lua_setfield(L, -2, name);
}

// budget() -> { limit =, window =, left =, reserve =, others =, paused =, wait =, reason = }
static int turnstile_budget(lua_State *L)
{
    check_dot(L, 1, "budget");
    struct ts_budget_view view;
    ts_budget_look(check_budget(L), &view);
    lua_createtable(L, 0, 8);
    set_integer(L, "limit", view.limit);
    set_integer(L, "window", seconds_up(view.window_us));
    set_integer(L, "left", view.left);
    set_integer(L, "reserve", view.reserve);
    set_integer(L, "others", view.others);
    set_integer(L, "paused", seconds_up(view.paused_us));
    set_integer(L, "wait", seconds_up(view.wait_us));
    if (view.wait.reason != TS_WAIT_NONE) {
        lua_pushstring(L, ts_wait_name(view.wait.reason));
        lua_setfield(L, -2, "reason");
    }
    return 1;
}

// estimate(requests) -> seconds
static int turnstile_estimate(lua_State *L)
{
    check_dot(L, 1, "estimate");
    int is_integer;
    lua_Integer requests = lua_tointegerx(L, 1, &is_integer);
    if (lua_type(L, 1) != LUA_TNUMBER || !is_integer || requests < 0 || requests > 1000000000) {
        lx_misuse(L, "estimate: the number of requests must be a whole number from 0 to 10^9");
    }
    struct ts_budget *budget = check_budget(L);
    lua_pushnumber(L, (lua_Number)ts_budget_estimate_us(budget, requests) / SECOND_US);
    return 1;
}

void lx_add_budget(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"budget", turnstile_budget},
        {"estimate", turnstile_estimate},
        {NULL, NULL},
    };
    luaL_setfuncs(L, functions, 1); // takes the box as their upvalue
}
