// SPDX-License-Identifier: MIT
// Globals are declared or an error: a misspelt name is found where it stands.
// rawset(_G, "name", value) still declares one on purpose.
#include <lauxlib.h>

#include "bindings/modules.h"

static int strict__index(lua_State *L)
{
    lx_misuse(L, "undeclared global `%s`", luaL_tolstring(L, 2, NULL));
}

static int strict__newindex(lua_State *L)
{
    lx_misuse(L, "undeclared global `%s`: write `local %s = ...`", luaL_tolstring(L, 2, NULL),
        luaL_tolstring(L, 2, NULL));
}

void ts_open_strict(lua_State *L)
{
    lua_pushglobaltable(L);
    lua_createtable(L, 0, 3);
    lua_pushcfunction(L, strict__index);
    lua_setfield(L, -2, "__index");
    lua_pushcfunction(L, strict__newindex);
    lua_setfield(L, -2, "__newindex");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_setmetatable(L, -2);
    lua_pop(L, 1);
}
