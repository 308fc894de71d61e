// SPDX-License-Identifier: MIT
// Where require looks: beside the script, among the embedded modules, on the distribution's Lua
// path. Never in the working directory, which belongs to whoever started the process.
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include <lauxlib.h>

#include "bindings/embedded.h"
#include "bindings/modules.h"
#include "host/base/str.h"

// A searcher for the embedded modules.
static int search_embedded(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);
    for (const struct ts_embedded *module = ts_embedded_modules; module->name; module++) {
        if (ts_str_is(module->name, name)) {
            if (luaL_loadbufferx(
                    L, (const char *)module->source, module->len, module->chunk_name, "t")) {
                return lua_error(L);
            }
            lua_pushstring(L, module->chunk_name);
            return 2;
        }
    }
    lua_pushfstring(L, "no embedded module '%s'", name);
    return 1;
}

// A searcher for files beside the script, whose directory is upvalue 1. Not by package.searchpath:
// a semicolon in the directory's name would part it in two, and lead into the working directory.
static int search_beside(lua_State *L)
{
    static const char *const forms[] = {".lua", "/init.lua"};
    const char *directory = lua_tostring(L, lua_upvalueindex(1));
    const char *name = luaL_gsub(L, luaL_checkstring(L, 1), ".", "/");
    const char *files[2];
    for (int i = 0; i < 2; i++) {
        files[i] = lua_pushfstring(L, "%s/%s%s", directory, name, forms[i]);
        if (access(files[i], R_OK) == 0) {
            if (luaL_loadfilex(L, files[i], "t")) { // bytecode can break the host
                return lua_error(L);
            }
            lua_pushstring(L, files[i]);
            return 2;
        }
    }
    lua_pushfstring(L, "no file '%s'\n\tno file '%s'", files[0], files[1]);
    return 1;
}

// Keeps of package[field] the templates that are absolute.
static void path_restrict(lua_State *L, const char *field)
{
    lua_getfield(L, -1, field);
    const char *path = luaL_optstring(L, -1, "");
    luaL_Buffer out;
    luaL_buffinit(L, &out);
    for (bool is_first = true; *path;) {
        size_t len = strcspn(path, ";");
        if (path[0] == '/') {
            if (!is_first) {
                luaL_addchar(&out, ';');
            }
            luaL_addlstring(&out, path, len);
            is_first = false;
        }
        path += len + (path[len] == ';');
    }
    luaL_pushresult(&out);
    lua_setfield(L, -3, field);
    lua_pop(L, 1);
}

static void searcher_insert(lua_State *L, lua_Integer place)
{
    for (lua_Integer i = (lua_Integer)lua_rawlen(L, -2); i >= place; i--) {
        lua_rawgeti(L, -2, i);
        lua_rawseti(L, -3, i + 1);
    }
    lua_rawseti(L, -2, place);
}

void ts_open_require(lua_State *L, const char *script_dir)
{
    lua_getglobal(L, "package");
    path_restrict(L, "path");
    path_restrict(L, "cpath");
    lua_getfield(L, -1, "searchers");
    lua_pushcfunction(L, search_embedded);
    searcher_insert(L, 2);
    if (script_dir) {
        lua_pushstring(L, script_dir);
        lua_pushcclosure(L, search_beside, 1);
        searcher_insert(L, 2);
    }
    lua_pop(L, 2);
}
