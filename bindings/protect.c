// SPDX-License-Identifier: MIT
// pcall and xpcall that do not swallow the end of the run: once a task was interrupted, by os.exit
// or by a signal, every protected call in it passes the error on. To-be-closed values are closed on
// the way, as for any error. Otherwise they behave as Lua's own (Lua 5.4 reference manual, 6.1).
#include "bindings/modules.h"

#include <lauxlib.h>

#include "bindings/host.h"
#include "bindings/interrupt.h"
#include "bindings/sched.h"

// How many values lie below the results.
enum { PCALL_BASE = 0, XPCALL_BASE = 2 };

static int protected_k(lua_State *L, int status, lua_KContext base)
{
    if (status != LUA_OK && status != LUA_YIELD) {
        if (lx_is_final(L)) {
            return lua_error(L);
        }
        lua_pushboolean(L, 0);
        lua_insert(L, -2);
        return 2;
    }
    return lua_gettop(L) - (int)base;
}

// pcall(fn, ...)
static int protect_pcall(lua_State *L)
{
    luaL_checkany(L, 1);
    lua_pushboolean(L, 1); // the first result
    lua_insert(L, 1);
    int status = lua_pcallk(L, lua_gettop(L) - 2, LUA_MULTRET, 0, PCALL_BASE, protected_k);
    return protected_k(L, status, PCALL_BASE);
}

// The message handler in upvalue 1, which is not asked about an interruption.
static int handle(lua_State *L)
{
    if (!lx_is_final(L)) {
        lua_pushvalue(L, lua_upvalueindex(1));
        lua_insert(L, 1);
        lua_call(L, 1, 1);
    }
    return 1;
}

// xpcall(fn, handler, ...)
static int protect_xpcall(lua_State *L)
{
    int nargs = lua_gettop(L) - 2;
    luaL_checktype(L, 2, LUA_TFUNCTION);
    lua_pushvalue(L, 2);
    lua_pushcclosure(L, handle, 1);
    lua_replace(L, 2);
    lua_pushboolean(L, 1);
    lua_pushvalue(L, 1);
    lua_rotate(L, 3, 2); // fn, handler, true, fn, args...
    int status = lua_pcallk(L, nargs, LUA_MULTRET, 2, XPCALL_BASE, protected_k);
    return protected_k(L, status, XPCALL_BASE);
}

void ts_open_protect(lua_State *L)
{
    lua_getglobal(L, "pcall"); // for the task module, whose own work ends with the task
    lua_setfield(L, LUA_REGISTRYINDEX, TS_PLAIN_PCALL);
    lua_register(L, "pcall", protect_pcall);
    lua_register(L, "xpcall", protect_xpcall);
}
