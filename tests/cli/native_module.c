// SPDX-License-Identifier: MIT
// A Lua module in C, as the distribution has many: linked against nothing, it finds Lua in the
// program that loads it, and also what the program itself has no use for.
#include <lauxlib.h>
#include <lua.h>

int luaopen_native_module(lua_State *L);

// sum(a, b, ...): by the operator, so that metamethods count.
static int native_sum(lua_State *L)
{
    int count = lua_gettop(L);
    luaL_argcheck(L, count > 0, 1, "nothing to add");
    lua_pushvalue(L, 1);
    for (int i = 2; i <= count; i++) {
        lua_pushvalue(L, i);
        lua_arith(L, LUA_OPADD);
    }
    return 1;
}

// keep(value): the value, by way of a reference in the registry.
static int native_keep(lua_State *L)
{
    lua_settop(L, 1);
    int reference = luaL_ref(L, LUA_REGISTRYINDEX);
    lua_geti(L, LUA_REGISTRYINDEX, reference);
    luaL_unref(L, LUA_REGISTRYINDEX, reference);
    return 1;
}

int luaopen_native_module(lua_State *L)
{
    static const luaL_Reg functions[] = {{"sum", native_sum}, {"keep", native_keep}, {NULL, NULL}};
    luaL_checkversion(L);
    luaL_newlib(L, functions);
    return 1;
}
