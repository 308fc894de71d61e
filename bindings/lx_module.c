// SPDX-License-Identifier: MIT
// Module `tshost.lx`: the helpers that Lua halves of modules share with the native ones, and the
// sealing of module tables: a misspelt function is an error with a suggestion, nothing is replaced.
#include <string.h>

#include <lauxlib.h>

#include "bindings/host.h"
#include "bindings/modules.h"
#include "host/base/suggest.h"
#include "host/base/text.h"

#define NAMES_MAX 64

// Collects up to NAMES_MAX string keys of the table at idx, NULL-terminated; the strings stay the
// table's.
static void names_collect(lua_State *L, int idx, const char *names[NAMES_MAX + 1])
{
    size_t count = 0;
    for (lua_pushnil(L); lua_next(L, idx); lua_pop(L, 1)) {
        if (count < NAMES_MAX && lua_type(L, -2) == LUA_TSTRING) {
            names[count++] = lua_tostring(L, -2);
        }
    }
    names[count] = NULL;
}

// Upvalues: 1 the real table, 2 its name. Asked for what the real table has not.
static int sealed__index(lua_State *L)
{
    lua_settop(L, 2);
    const char *names[NAMES_MAX + 1];
    char hint[TS_SUGGEST_MAX] = "";
    const char *key = luaL_tolstring(L, 2, NULL);
    lua_pushvalue(L, lua_upvalueindex(1));
    names_collect(L, lua_gettop(L), names);
    ts_suggest(key, names, hint);
    lx_misuse(L, "%s has no `%s`%s", lua_tostring(L, lua_upvalueindex(2)), key, hint);
}

static int sealed__newindex(lua_State *L)
{
    const char *key = luaL_tolstring(L, 2, NULL);
    lx_misuse(L, "%s cannot be changed: `%s`", lua_tostring(L, lua_upvalueindex(2)), key);
}

static int sealed_next(lua_State *L)
{
    lua_settop(L, 2);
    if (lua_next(L, lua_upvalueindex(1))) {
        return 2;
    }
    lua_pushnil(L);
    return 1;
}

static int sealed__pairs(lua_State *L)
{
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_pushcclosure(L, sealed_next, 1);
    lua_pushvalue(L, 1);
    lua_pushnil(L);
    return 3;
}

// Pushes a metatable with those functions, whose upvalues are as above.
static void push_sealing(lua_State *L, int table, const char *name, const luaL_Reg *metamethods)
{
    lua_createtable(L, 0, 4);
    lua_pushvalue(L, table);
    lua_pushstring(L, name);
    luaL_setfuncs(L, metamethods, 2);
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
}

void lx_seal(lua_State *L, const char *name)
{
    static const luaL_Reg missing[] = {{"__index", sealed__index}, {NULL, NULL}};
    static const luaL_Reg metamethods[] = {
        {"__newindex", sealed__newindex}, {"__pairs", sealed__pairs}, {NULL, NULL}};
    int table = lua_gettop(L);
    lua_newtable(L);
    push_sealing(L, table, name, metamethods);
    lua_pushvalue(L, table);
    lua_setfield(L, -2, "__index"); // what is there is found without a call
    lua_setmetatable(L, -2);
    push_sealing(L, table, name, missing);
    lua_setmetatable(L, table);
    lua_replace(L, table);
}

void check_dot(lua_State *L, int arg, const char *function)
{
    if (!lua_istable(L, arg) || luaL_getmetafield(L, arg, "__newindex") == LUA_TNIL) {
        return;
    }
    if (lua_tocfunction(L, -1) == sealed__newindex) {
        lx_misuse(L, "%s: call it with a dot, not with a colon", function);
    }
    lua_pop(L, 1);
}

static int lx_module_seal(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);
    luaL_checktype(L, 2, LUA_TTABLE);
    lua_settop(L, 2);
    lx_seal(L, name);
    return 1;
}

static int lx_module_misuse(lua_State *L)
{
    lx_misuse(L, "%s", luaL_checkstring(L, 1));
}

// check_options(options, function name, {names})
static int lx_module_check_options(lua_State *L)
{
    const char *names[NAMES_MAX + 1];
    luaL_checktype(L, 3, LUA_TTABLE);
    lua_Integer count = luaL_len(L, 3);
    count = count < NAMES_MAX ? count : NAMES_MAX;
    for (lua_Integer i = 0; i < count; i++) {
        lua_rawgeti(L, 3, i + 1);
        names[i] = luaL_checkstring(L, -1); // anchored by the table
        lua_pop(L, 1);
    }
    names[count] = NULL;
    check_options(L, 1, luaL_checkstring(L, 2), names, true);
    return 0;
}

static int lx_module_verbose(lua_State *L)
{
    ts_log_line(ts_host_of(L)->log, TS_LOG_VERBOSE, "%s", luaL_checkstring(L, 1));
    return 0;
}

// clean(text) -> the text, harmless for a terminal
static int lx_module_clean(lua_State *L)
{
    size_t len;
    const char *text = luaL_checklstring(L, 1, &len);
    luaL_Buffer buffer;
    char *out = luaL_buffinitsize(L, &buffer, len);
    memcpy(out, text, len);
    ts_text_clean(out, len);
    luaL_pushresultsize(&buffer, len);
    return 1;
}

int luaopen_ts_lx(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"clean", lx_module_clean},
        {"seal", lx_module_seal},
        {"misuse", lx_module_misuse},
        {"check_options", lx_module_check_options},
        {"verbose", lx_module_verbose},
        {NULL, NULL},
    };
    luaL_newlib(L, functions);
    return 1;
}
