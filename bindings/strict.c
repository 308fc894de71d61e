// SPDX-License-Identifier: MIT
// Globals are declared or an error: a misspelt name is found where it stands.
// rawset(_G, "name", value) still declares one on purpose. The distribution's own modules are
// left as they are: luaunit and others ask for globals that may not be there.
#include <string.h>

#include <lauxlib.h>
#include <luaconf.h>

#include "bindings/modules.h"

// Whether the function that touches the global lies below a directory of Lua's built-in path.
// LUA_PATH has no say in this: it may name the directory of the script itself.
static bool is_distribution(lua_State *L)
{
    lua_Debug ar;
    if (!lua_getstack(L, 1, &ar) || !lua_getinfo(L, "S", &ar) || ar.source[0] != '@') {
        return false;
    }
    for (const char *path = LUA_PATH_DEFAULT; *path;) {
        size_t len = strcspn(path, ";");
        size_t directory = strcspn(path, "?;");
        if (path[0] == '/' && strncmp(ar.source + 1, path, directory) == 0) {
            return true;
        }
        path += len + (path[len] == ';');
    }
    return false;
}

static int strict__index(lua_State *L)
{
    if (is_distribution(L)) {
        lua_pushnil(L);
        return 1;
    }
    lx_misuse(L, "undeclared global `%s`", luaL_tolstring(L, 2, NULL));
}

static int strict__newindex(lua_State *L)
{
    if (is_distribution(L)) {
        lua_settop(L, 3);
        lua_rawset(L, 1);
        return 0;
    }
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
