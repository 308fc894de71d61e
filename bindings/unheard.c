// SPDX-License-Identifier: MIT
// Failures that nobody asked for must still be heard: tasks that were spawned, failed, and were
// never awaited.
#include <lauxlib.h>

#include "bindings/host.h"
#include "bindings/interrupt.h"
#include "bindings/sched.h"

// Called protected: the text may be made by a __tostring of the script.
static int error_text(lua_State *L)
{
    luaL_tolstring(L, 1, NULL);
    return 1;
}

// Notes the error value on top, and pops it. A stop is no failure of the tasks that it ends.
static void note(lua_State *L, bool is_stopped)
{
    if (!is_stopped || !lx_is_interruption(L, -1)) {
        lua_pushcfunction(L, error_text);
        lua_pushvalue(L, -2);
        bool is_text = lua_pcall(L, 1, 1, 0) == LUA_OK;
        struct lx_failure failure = {
            .message = is_text ? lua_tostring(L, -1) : "an error that cannot be shown"};
        lx_note(L, TS_ENTRY_SCRIPT, &failure);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

// Pushes the list of those tasks; how many there are.
static lua_Integer push_unheard(lua_State *L)
{
    lua_newtable(L);
    ts_sched_push_tasks(L); // unheard tasks
    lua_Integer count = 0;
    for (lua_pushnil(L); lua_next(L, -2);) {
        const struct ts_task *task = lua_touserdata(L, -1);
        if (task->state == TS_TASK_FAILED && !task->is_observed) {
            lua_rawseti(L, -4, ++count);
        } else {
            lua_pop(L, 1);
        }
    }
    lua_pop(L, 1);
    return count;
}

// The list first: a __tostring could change the table of tasks while it is walked.
void ts_sched_report_unheard(lua_State *L, bool is_stopped)
{
    lua_Integer count = push_unheard(L);
    for (lua_Integer i = 1; i <= count; i++) {
        lua_rawgeti(L, -1, i);
        struct ts_task *task = lua_touserdata(L, -1);
        task->is_observed = true;
        lua_pushvalue(task->co, 1);
        lua_xmove(task->co, L, 1);
        note(L, is_stopped);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}
