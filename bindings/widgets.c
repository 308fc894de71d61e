// SPDX-License-Identifier: MIT
// The writes of `turnstile.widgets` as scripts see them: each hands its arguments to the Lua half.
// The half, widgets.lua, exists once for each client, and is loaded when the client first writes.
#include "bindings/widgets.h"

#include <lauxlib.h>

#include "bindings/client.h"
#include "bindings/host.h"

// Pushes the table of the client's functions that are written in Lua.
static void push_half(lua_State *L)
{
    lua_getiuservalue(L, lua_upvalueindex(1), 1);
    if (lua_getfield(L, -1, "half") == LUA_TNIL) {
        lua_pop(L, 1);
        lua_getglobal(L, "require");
        lua_pushliteral(L, "tshost.widgets");
        lua_call(L, 1, 1);
        lua_newtable(L); // settings, half, core
        lx_add_reads(L, lua_upvalueindex(1));
        lx_add_writes(L, lua_upvalueindex(1));
        lx_add_knowledge(L, lua_upvalueindex(1));
        lua_pushinteger(L, ts_host_of(L)->fresh_us);
        lua_call(L, 2, 1);
        lua_pushvalue(L, -1);
        lua_setfield(L, -3, "half");
    }
    lua_remove(L, -2);
}

static int half_k(lua_State *L, int status, lua_KContext ctx)
{
    (void)status;
    (void)ctx;
    return lua_gettop(L);
}

// Calls the half's function of that name with what is on the stack.
static int half_call(lua_State *L, const char *name)
{
    push_half(L);
    lua_getfield(L, -1, name);
    lua_replace(L, -2);
    lua_insert(L, 1);
    lua_callk(L, lua_gettop(L) - 1, LUA_MULTRET, 0, half_k);
    return half_k(L, LUA_OK, 0);
}

// create(fields) -> widget | nil, err
int widgets_create(lua_State *L)
{
    return half_call(L, "create");
}

// update(sitekey | widget, changes) -> widget | nil, err
int widgets_update(lua_State *L)
{
    return half_call(L, "update");
}

// delete(sitekey | widget) -> true | nil, err
int widgets_delete(lua_State *L)
{
    return half_call(L, "delete");
}

// rotate_secret(sitekey | widget, { invalidate_immediately = false }) -> widget | nil, err
int widgets_rotate_secret(lua_State *L)
{
    return half_call(L, "rotate_secret");
}
