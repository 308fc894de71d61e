// SPDX-License-Identifier: MIT
// Boxes, option tables and misuse.
// Embedded modules have chunk names that begin with EMBEDDED; places pass over them.
#include "bindings/lx.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <lauxlib.h>

#include "bindings/embedded.h"
#include "bindings/host.h"
#include "bindings/sched.h"
#include "host/base/suggest.h"
#include "host/base/str.h"

// "file.lua:12", without printf's cost: every call and every task notes its place.
static void place_write(char out[LX_PLACE_MAX], const char *file, int line)
{
    char digits[16];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + line % 10);
        line /= 10;
    } while (line > 0);
    size_t len = strlen(file); // less than LUA_IDSIZE
    memcpy(out, file, len);
    out[len++] = ':';
    memcpy(out + len, digits + at, sizeof digits - at);
    out[len + sizeof digits - at] = 0;
}

// The nearest script function on the stack of one coroutine.
static bool place_find(lua_State *co, char out[LX_PLACE_MAX])
{
    lua_Debug ar;
    for (int level = 0; lua_getstack(co, level, &ar); level++) {
        lua_getinfo(co, "S", &ar);
        if (*ar.what == 'C' || ts_str_has_prefix(ar.source, TS_EMBEDDED_PREFIX)) {
            continue;
        }
        lua_getinfo(co, "l", &ar);
        if (ar.currentline > 0) { // it was not stripped of its lines
            place_write(out, ar.short_src, ar.currentline);
            return true;
        }
    }
    return false;
}

void lx_place(lua_State *L, char out[LX_PLACE_MAX])
{
    const struct ts_sched *sched = ts_host_of(L)->sched;
    out[0] = '\0';
    if (place_find(L, out) || !sched->current) {
        return;
    }
    for (const struct ts_frame *frame = sched->frames; frame; frame = frame->up) {
        if (place_find(frame->from, out)) {
            return;
        }
    }
    snprintf(out, LX_PLACE_MAX, "%s", sched->current->place);
}

int64_t lx_step(lua_State *L)
{
    const struct ts_task *current = ts_host_of(L)->sched->current;
    return current ? current->step : 0;
}

int lx_misuse(lua_State *L, const char *format, ...)
{
    char place[LX_PLACE_MAX];
    lx_place(L, place);
    if (place[0]) {
        lua_pushfstring(L, "%s: ", place);
    } else {
        lua_pushliteral(L, "");
    }
    char text[TS_ERROR_MESSAGE_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    lua_pushstring(L, text);
    lua_concat(L, 2);
    lua_error(L);
    __builtin_unreachable();
}

int lx_misuse_err(lua_State *L, const struct ts_error *err)
{
    lx_misuse(L, "%s", err->message);
}

void *push_box(lua_State *L, size_t size, const char *metatable)
{
    void *box = lua_newuserdatauv(L, size, 1);
    memset(box, 0, size);
    luaL_setmetatable(L, metatable);
    return box;
}

void lx_metatable(lua_State *L, const char *name, lua_CFunction close, const luaL_Reg *metamethods,
    const luaL_Reg *methods)
{
    if (!luaL_newmetatable(L, name)) {
        lua_pop(L, 1);
        return;
    }
    if (metamethods) {
        luaL_setfuncs(L, metamethods, 0);
    }
    if (close) {
        lua_pushcfunction(L, close);
        lua_setfield(L, -2, "__gc");
        lua_pushcfunction(L, close);
        lua_setfield(L, -2, "__close");
    }
    if (methods) {
        lua_newtable(L);
        luaL_setfuncs(L, methods, 0);
        lua_setfield(L, -2, "__index");
    }
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 1);
}

void *lx_test_box(lua_State *L, int arg, const char *metatable)
{
    return luaL_testudata(L, arg, metatable);
}

void *check_box(lua_State *L, int arg, const char *metatable, const char *what)
{
    void *box = luaL_testudata(L, arg, metatable);
    if (!box) {
        lx_misuse(L, "%s expected, got %s", what, luaL_typename(L, arg));
    }
    return box;
}

void check_options(
    lua_State *L, int arg, const char *function, const char *const *names, bool may_be_nil)
{
    if (may_be_nil && lua_isnoneornil(L, arg)) {
        return;
    }
    if (!lua_istable(L, arg)) {
        lx_misuse(L, "%s: a table expected, got %s", function, luaL_typename(L, arg));
    }
    check_dot(L, arg, function);
    arg = lua_absindex(L, arg);
    for (lua_pushnil(L); lua_next(L, arg); lua_pop(L, 1)) {
        if (lua_type(L, -2) != LUA_TSTRING) {
            lx_misuse(
                L, "%s: options are named, but there is a %s key", function, luaL_typename(L, -2));
        }
        const char *key = lua_tostring(L, -2);
        const char *const *name = names;
        while (*name && !ts_str_is(*name, key)) {
            name++;
        }
        if (!*name) {
            char hint[TS_SUGGEST_MAX];
            ts_suggest(key, names, hint);
            lx_misuse(L, "%s: unknown field `%s`%s", function, key, hint);
        }
    }
}

int push_member(lua_State *L, int arg, const char *name)
{
    if (lua_isnoneornil(L, arg)) {
        lua_pushnil(L);
        return LUA_TNIL;
    }
    arg = lua_absindex(L, arg);
    lua_pushstring(L, name);
    return lua_rawget(L, arg);
}

static int member_complain(lua_State *L, const char *function, const char *name, const char *what)
{
    lx_misuse(L, "%s: `%s` must be a %s, is a %s", function, name, what, luaL_typename(L, -1));
}

const char *opt_member_string(
    lua_State *L, int arg, const char *function, const char *name, size_t *len)
{
    const char *text = NULL;
    int type = push_member(L, arg, name);
    if (type == LUA_TSTRING) {
        text = lua_tolstring(L, -1, len); // anchored by the table
        if (!len && strlen(text) != lua_rawlen(L, -1)) {
            lx_misuse(L, "%s: `%s` has a NUL byte in it", function, name);
        }
    } else if (type != LUA_TNIL) {
        member_complain(L, function, name, "string");
    }
    lua_pop(L, 1);
    return text;
}

bool opt_member_boolean(
    lua_State *L, int arg, const char *function, const char *name, bool fallback)
{
    int type = push_member(L, arg, name);
    if (type == LUA_TBOOLEAN) {
        fallback = lua_toboolean(L, -1);
    } else if (type != LUA_TNIL) {
        member_complain(L, function, name, "boolean");
    }
    lua_pop(L, 1);
    return fallback;
}

lua_Number opt_member_number(
    lua_State *L, int arg, const char *function, const char *name, lua_Number fallback)
{
    int type = push_member(L, arg, name);
    if (type == LUA_TNUMBER) {
        fallback = lua_tonumber(L, -1);
    } else if (type != LUA_TNIL) {
        member_complain(L, function, name, "number");
    }
    lua_pop(L, 1);
    return fallback;
}
