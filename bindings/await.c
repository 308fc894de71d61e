// SPDX-License-Identifier: MIT
// The list of those who await a task runs through themselves, so that awaiting costs no memory.
#include "bindings/await.h"

#include <lauxlib.h>

#include "bindings/host.h"
#include "bindings/sched.h"
#include "bindings/trace.h"

static void await_add(struct ts_task *task, struct ts_task *awaited)
{
    task->awaited = awaited;
    task->prev_awaiter = NULL;
    task->next_awaiter = awaited->awaiters;
    if (task->next_awaiter) {
        task->next_awaiter->prev_awaiter = task;
    }
    awaited->awaiters = task;
}

void ts_await_remove(struct ts_task *task)
{
    if (!task->awaited) {
        return;
    }
    if (task->next_awaiter) {
        task->next_awaiter->prev_awaiter = task->prev_awaiter;
    }
    if (task->prev_awaiter) {
        task->prev_awaiter->next_awaiter = task->next_awaiter;
    } else {
        task->awaited->awaiters = task->next_awaiter;
    }
    task->awaited = task->next_awaiter = task->prev_awaiter = NULL;
}

void ts_await_wake(struct ts_task *task)
{
    while (task->awaiters) {
        struct ts_task *awaiter = task->awaiters;
        ts_await_remove(awaiter);
        ts_waiter_wake(&awaiter->self);
    }
}

static int await_k(lua_State *L, int status, lua_KContext ctx)
{
    (void)status;
    (void)ctx;
    struct ts_task *task = lua_touserdata(L, 1);
    struct ts_task *self = task->sched->current;
    lua_State *co = task->co;
    if (!ts_task_is_over(task)) {
        await_add(self, task);
        return ts_task_wait(L, &self->self, 0, await_k);
    }
    task->is_observed = true;
    ts_sched_release(L, task);
    if (task->state != TS_TASK_DONE) {
        lua_pushvalue(co, 1);
        lua_xmove(co, L, 1);
        lua_getiuservalue(L, 1, TS_TASK_TRACEBACK);
        return lx_raise_again(L);
    }
    int results = lua_gettop(co);
    if (!lua_checkstack(L, results) || !lua_checkstack(co, results)) {
        return luaL_error(L, "too many results of a task");
    }
    for (int i = 1; i <= results; i++) {
        lua_pushvalue(co, i);
    }
    lua_xmove(co, L, results);
    return results;
}

int ts_task_await(lua_State *L)
{
    struct ts_task *task = check_task(L, 1);
    lua_settop(L, 1);
    if (task == task->sched->current) {
        lx_misuse(L, "a task cannot await itself");
    }
    if (!ts_task_is_over(task)) {
        check_can_suspend(L); // also while stopping: joining what is under way is nothing new
    }
    return await_k(L, LUA_OK, 0);
}
