// SPDX-License-Identifier: MIT
// The native half of module `task`: spawn, sleep, park and wake, and await of the handles.
// each and map are written in Lua on top of these, in task.lua.
#include <math.h>

#include <lauxlib.h>

#include "bindings/host.h"
#include "bindings/modules.h"
#include "bindings/sched.h"
#include "host/net/loop.h"

static struct ts_task *check_task(lua_State *L, int arg)
{
    return check_box(L, arg, TS_TASK_METATABLE, "a task");
}

static bool task_is_over(const struct ts_task *task)
{
    return task->state == TS_TASK_DONE || task->state == TS_TASK_FAILED;
}

// spawn(fn, ...) -> handle
static int task_spawn(lua_State *L)
{
    if (lua_type(L, 1) != LUA_TFUNCTION) {
        lx_misuse(L, "task.spawn: a function expected, got %s", luaL_typename(L, 1));
    }
    struct ts_sched *sched = ts_host_of(L)->sched;
    if (sched->is_stopping) {
        lx_interrupt(L);
    }
    push_task(L, lua_gettop(L) - 1);
    return 1;
}

static int await_k(lua_State *L, int status, lua_KContext ctx)
{
    (void)status;
    (void)ctx;
    struct ts_task *task = lua_touserdata(L, 1);
    struct ts_task *self = task->sched->current;
    lua_State *co = task->co;
    if (!task_is_over(task)) {
        self->awaited = task;
        self->next_awaiter = task->awaiters;
        task->awaiters = self;
        return ts_task_wait(L, &self->self, 0, await_k);
    }
    task->is_observed = true;
    ts_sched_release(L, task);
    int results = lua_gettop(co);
    if (!lua_checkstack(L, results) || !lua_checkstack(co, results)) {
        return luaL_error(L, "too many results of a task");
    }
    for (int i = 1; i <= results; i++) {
        lua_pushvalue(co, i);
    }
    lua_xmove(co, L, results);
    return task->state == TS_TASK_FAILED ? lua_error(L) : results;
}

// handle:await() -> the function's results, or its error raised again
int ts_task_await(lua_State *L)
{
    struct ts_task *task = check_task(L, 1);
    lua_settop(L, 1);
    if (task == task->sched->current) {
        lx_misuse(L, "a task cannot await itself");
    }
    if (!task_is_over(task)) {
        check_can_suspend(L); // also while stopping: joining what is under way is nothing new
    }
    return await_k(L, LUA_OK, 0);
}

static void on_timer(struct ts_timer *timer)
{
    struct ts_task *task = (struct ts_task *)((char *)timer - offsetof(struct ts_task, timer));
    ts_waiter_wake(&task->self);
}

static int sleep_k(lua_State *L, int status, lua_KContext ctx)
{
    (void)status;
    (void)ctx;
    struct ts_sched *sched = ts_host_of(L)->sched;
    ts_timer_disarm(&sched->current->timer);
    if (sched->is_stopping) {
        lx_interrupt(L);
    }
    return 0;
}

// sleep(seconds)
static int task_sleep(lua_State *L)
{
    struct ts_host *host = ts_host_of(L);
    lua_Number seconds = lua_tonumber(L, 1);
    if (lua_type(L, 1) != LUA_TNUMBER || !(seconds >= 0) || !(seconds <= 1e9)) {
        lx_misuse(L, "task.sleep: seconds expected, a number from 0 to 1e9");
    }
    check_can_wait(L);
    struct ts_task *self = host->sched->current;
    struct ts_error err;
    int64_t at = ts_loop_now(host->loop) + (int64_t)ceil(seconds * 1e6);
    if (ts_timer_arm(host->loop, &self->timer, at, on_timer, &err)) {
        return luaL_error(L, "%s", err.message);
    }
    return ts_task_wait(L, &self->self, 0, sleep_k);
}

// self() -> the running task's handle
static int task_self(lua_State *L)
{
    struct ts_task *self = ts_host_of(L)->sched->current;
    if (!self) {
        lx_misuse(L, "no task is running here");
    }
    ts_sched_push(L, self);
    return 1;
}

static int park_k(lua_State *L, int status, lua_KContext ctx)
{
    (void)ctx;
    struct ts_task *self = ts_host_of(L)->sched->current;
    bool is_woken = status == LUA_YIELD;
    self->is_parked = !self->is_permitted;
    if (self->is_parked && is_woken && self->sched->is_stopping) {
        self->is_parked = false;
        lx_interrupt(L); // whoever was to wake it has been stopped
    }
    if (self->is_parked) {
        return ts_task_wait(L, &self->self, 0, park_k);
    }
    self->is_permitted = false;
    return 0;
}

// park(): waits until somebody wakes this task; a wake that came first is not lost
static int task_park(lua_State *L)
{
    lua_settop(L, 0);
    check_can_suspend(L);
    return park_k(L, LUA_OK, 0);
}

// wake(handle)
static int task_wake(lua_State *L)
{
    struct ts_task *task = check_task(L, 1);
    task->is_permitted = true;
    if (task->is_parked) {
        ts_waiter_wake(&task->self);
    }
    return 0;
}

int luaopen_ts_task_core(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"spawn", task_spawn},
        {"sleep", task_sleep},
        {"self", task_self},
        {"park", task_park},
        {"wake", task_wake},
        {NULL, NULL},
    };
    luaL_newlib(L, functions);
    lua_getfield(L, LUA_REGISTRYINDEX, TS_PLAIN_PCALL);
    lua_setfield(L, -2, "pcall");
    return 1;
}
