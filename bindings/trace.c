// SPDX-License-Identifier: MIT
// A traceback is taken while its stack still stands, by the message handler, and joined to the one
// of an error that came from another task: they belong together when the error is the same value.
#include "bindings/trace.h"

#include <string.h>

#include <lauxlib.h>

#include "bindings/host.h"
#include "bindings/interrupt.h"
#include "bindings/sched.h"

#define HEADING "stack traceback:"
#define JOINED_MAX 16384 // bytes; chains of tasks may be longer than anybody reads

// Pushes the traceback that the error at 1 brought along from another task; false without one.
static bool push_origin(lua_State *L, int handle)
{
    bool is_same = false;
    if (lua_getiuservalue(L, handle, TS_TASK_ORIGIN) == LUA_TTABLE) {
        lua_rawgeti(L, -1, 1);
        is_same = lua_rawequal(L, -1, 1);
        lua_rawgeti(L, -2, 2);
        is_same = is_same && lua_type(L, -1) == LUA_TSTRING;
        lua_replace(L, -3);
        lua_pop(L, 1);
    }
    if (!is_same) {
        lua_pop(L, 1);
    }
    return is_same;
}

int lx_trace_error(lua_State *L)
{
    struct ts_task *task = ts_host_of(L)->sched->current;
    if (task->is_interrupted && lx_is_interruption(L, 1)) {
        return 1; // nobody is shown where a stop came across it
    }
    ts_sched_push(L, task);
    int handle = lua_gettop(L);
    bool has_origin = push_origin(L, handle);
    bool is_full = has_origin && lua_rawlen(L, -1) > JOINED_MAX;
    if (!is_full) {
        luaL_traceback(L, L, NULL, 1);
    }
    if (has_origin && !is_full) {
        lua_pushfstring(
            L, "%s\nawaited from:%s", lua_tostring(L, -2), lua_tostring(L, -1) + strlen(HEADING));
    }
    lua_setiuservalue(L, handle, TS_TASK_TRACEBACK);
    lua_settop(L, 1);
    return 1;
}

int lx_raise_again(lua_State *L)
{
    struct ts_task *task = ts_host_of(L)->sched->current;
    if (!task) { // in a finalizer
        lua_pop(L, 1);
        lua_error(L);
    }
    ts_sched_push(L, task); // error, traceback, handle
    lua_createtable(L, 2, 0);
    lua_pushvalue(L, -4);
    lua_rawseti(L, -2, 1);
    lua_pushvalue(L, -3);
    lua_rawseti(L, -2, 2);
    lua_setiuservalue(L, -2, TS_TASK_ORIGIN);
    lua_pop(L, 2);
    lua_error(L);
    __builtin_unreachable();
}
