// SPDX-License-Identifier: MIT
// A Lua face for host/base/human.h.
// Numbers are taken as Lua has them: a whole float is a whole number, a numeral is none.
#include "bindings/human.h"

#include <math.h>

#include <lauxlib.h>

#include "host/base/human.h"

// human.count(number) -> "12,400"
static int human_count(lua_State *L)
{
    int is_whole = 0;
    lua_Integer count = lua_tointegerx(L, 1, &is_whole);
    if (lua_type(L, 1) != LUA_TNUMBER || !is_whole) {
        lx_misuse(L, "human.count: a whole number expected, got %s",
            lua_type(L, 1) == LUA_TNUMBER ? luaL_tolstring(L, 1, NULL) : luaL_typename(L, 1));
    }
    char text[TS_HUMAN_MAX];
    ts_human_count(count, text);
    lua_pushstring(L, text);
    return 1;
}

// human.duration(seconds) -> "10 min 5 s"
static int human_duration(lua_State *L)
{
    lua_Number seconds = lua_tonumber(L, 1);
    if (lua_type(L, 1) != LUA_TNUMBER || !(seconds >= 0) || !(seconds <= 1e12)) {
        lx_misuse(L, "human.duration: seconds expected, a number from 0 to 1e12, got %s",
            lua_type(L, 1) == LUA_TNUMBER ? luaL_tolstring(L, 1, NULL) : luaL_typename(L, 1));
    }
    char text[TS_HUMAN_MAX];
    ts_human_duration((int64_t)round(seconds * 1e6), text);
    lua_pushstring(L, text);
    return 1;
}

int luaopen_human(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"count", human_count}, {"duration", human_duration}, {NULL, NULL}};
    luaL_newlib(L, functions);
    return 1;
}
