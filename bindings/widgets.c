// SPDX-License-Identifier: MIT
// The writes of `turnstile.widgets` as scripts see them: each hands its arguments to the Lua half.
// The half, widgets.lua, exists once for each client, and is loaded when the client first writes.
#include "bindings/widgets.h"

#include <lauxlib.h>

#include "bindings/client.h"
#include "bindings/hold.h"
#include "bindings/host.h"
#include "bindings/replay.h"
#include "bindings/widget.h"

// The functions of the half, and where they lie in the settings of the client.
// HALF_ALL is the table of them.
enum half_function { HALF_CREATE = 1, HALF_UPDATE, HALF_DELETE, HALF_ROTATE, HALF_ALL };

static const char *const half_names[HALF_ALL] = {[HALF_CREATE] = "create",
    [HALF_UPDATE] = "update",
    [HALF_DELETE] = "delete",
    [HALF_ROTATE] = "rotate_secret"};

// Loads the half into the settings on top.
static void half_load(lua_State *L)
{
    int settings = lua_gettop(L);
    lx_open_hold(L);
    lx_open_changes(L);
    lua_getglobal(L, "require");
    lua_pushliteral(L, "tshost.widgets");
    lua_call(L, 1, 1);
    lua_newtable(L); // settings, half, core
    lx_add_reads(L, lua_upvalueindex(1));
    lx_add_writes(L, lua_upvalueindex(1));
    lx_add_knowledge(L, lua_upvalueindex(1));
    lx_add_freshness(L, lua_upvalueindex(1));
    lx_add_holds(L);
    lua_pushvalue(L, -2);
    lua_pushvalue(L, -2);
    lua_pushinteger(L, ts_host_of(L)->fresh_us);
    lua_call(L, 2, 1); // settings, half, core, the client's half
    if (ts_host_of(L)->replay) {
        push_replayed(L, settings + 3, settings + 2);
    }
    for (int i = HALF_CREATE; i < HALF_ALL; i++) {
        lua_getfield(L, -1, half_names[i]);
        lua_rawseti(L, settings, i);
    }
    lua_rawseti(L, settings, HALF_ALL);
    lua_settop(L, settings);
}

static void push_half(lua_State *L, enum half_function function)
{
    lua_getiuservalue(L, lua_upvalueindex(1), 1);
    if (lua_rawgeti(L, -1, function) == LUA_TNIL) {
        lua_pop(L, 1);
        half_load(L);
        lua_rawgeti(L, -1, function);
    }
    lua_replace(L, -2);
}

static int half_k(lua_State *L, int status, lua_KContext ctx)
{
    (void)status;
    (void)ctx;
    return lua_gettop(L);
}

// Calls that function of the half with the script's arguments. It takes more than these, which is
// not for scripts.
static int half_call(lua_State *L, enum half_function function, int arguments)
{
    lua_settop(L, arguments);
    push_half(L, function);
    lua_insert(L, 1);
    lua_callk(L, lua_gettop(L) - 1, LUA_MULTRET, 0, half_k);
    return half_k(L, LUA_OK, 0);
}

// create(fields) -> widget | nil, err
int widgets_create(lua_State *L)
{
    return half_call(L, HALF_CREATE, 1);
}

// update(sitekey | widget, changes) -> widget | nil, err
int widgets_update(lua_State *L)
{
    return half_call(L, HALF_UPDATE, 2);
}

// delete(sitekey | widget) -> true | nil, err
int widgets_delete(lua_State *L)
{
    return half_call(L, HALF_DELETE, 1);
}

// rotate_secret(sitekey | widget, { invalidate_immediately = false }) -> widget | nil, err
int widgets_rotate_secret(lua_State *L)
{
    return half_call(L, HALF_ROTATE, 2);
}

static int push_half_all(lua_State *L)
{
    push_half(L, HALF_ALL);
    return 1;
}

void push_widgets_half(lua_State *L, int widgets)
{
    lua_getfield(L, widgets, "update");
    lua_getupvalue(L, -1, 1); // the client box
    lua_pushcclosure(L, push_half_all, 1);
    lua_call(L, 0, 1);
    lua_remove(L, -2);
}
