// SPDX-License-Identifier: MIT
// The native half of module `task`: spawn, sleep, park and wake, and what each, map and
// with_timeout need of the scheduler. These are written in Lua on top of it, in task.lua.
#include <math.h>

#include <lauxlib.h>

#include "bindings/await.h"
#include "bindings/cancel.h"
#include "bindings/handle.h"
#include "bindings/host.h"
#include "bindings/interrupt.h"
#include "bindings/list.h"
#include "bindings/modules.h"
#include "bindings/sched.h"
#include "bindings/trace.h"
#include "host/net/loop.h"

static struct ts_task *check_self(lua_State *L)
{
    struct ts_task *self = ts_host_of(L)->sched->current;
    if (!self) {
        lx_misuse(L, "no task is running here");
    }
    return self;
}

// spawn(fn, ...) -> handle
static int task_spawn(lua_State *L)
{
    if (lua_type(L, 1) != LUA_TFUNCTION) {
        lx_misuse(L, "task.spawn: a function expected, got %s", luaL_typename(L, 1));
    }
    check_can_start(L);
    push_task(L, lua_gettop(L) - 1, ts_host_of(L)->sched->current);
    return 1;
}

// spawn_under(parent, fn, ...) -> handle
static int task_spawn_under(lua_State *L)
{
    struct ts_task *parent = check_task(L, 1);
    check_can_start(L);
    push_task(L, lua_gettop(L) - 2, parent);
    return 1;
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
    ts_sched_push(L, check_self(L));
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

enum { ATTEMPT_BASE = 1 }; // the message handler lies below the results

static int attempt_k(lua_State *L, int status, lua_KContext ctx)
{
    (void)ctx;
    struct ts_task *self = ts_host_of(L)->sched->current;
    if (status == LUA_OK || status == LUA_YIELD) {
        ts_task_give_children(self);
        return lua_gettop(L) - ATTEMPT_BASE;
    }
    if (lx_is_final(L)) {
        return lua_error(L);
    }
    ts_task_cancel_children(self);
    lua_pushboolean(L, 0);
    lua_insert(L, -2);
    ts_sched_push(L, self);
    lua_getiuservalue(L, -1, TS_TASK_TRACEBACK);
    lua_remove(L, -2);
    return 3;
}

// attempt(fn, ...) -> true, results... | false, error, traceback: as if fn ran in a task of its
// own. What it spawned is cancelled when it fails and otherwise left to the task above. What ends
// the running task passes through.
static int task_attempt(lua_State *L)
{
    check_self(L);
    int nargs = lua_gettop(L) - 1;
    lua_pushcfunction(L, lx_trace_error);
    lua_insert(L, 1);
    lua_pushboolean(L, 1);
    lua_insert(L, 2); // handler, true, fn, args...
    int status = lua_pcallk(L, nargs, LUA_MULTRET, 1, 0, attempt_k);
    return attempt_k(L, status, 0);
}

static int shield_k(lua_State *L, int status, lua_KContext ctx)
{
    (void)ctx;
    ts_host_of(L)->sched->current->shields--;
    return status == LUA_OK || status == LUA_YIELD ? lua_gettop(L) : lua_error(L);
}

// shield(fn, ...) -> results: a cancellation of the running task waits until fn has returned. What
// fn waits for must be bound to end.
static int task_shield(lua_State *L)
{
    check_self(L)->shields++;
    int status = lua_pcallk(L, lua_gettop(L) - 1, LUA_MULTRET, 0, 0, shield_k);
    return shield_k(L, status, 0);
}

// raise(error, traceback): raises an error of another task
static int task_raise(lua_State *L)
{
    lua_settop(L, 2);
    return lx_raise_again(L);
}

// is_ending() -> whether the run is to stop
static int task_is_ending(lua_State *L)
{
    lua_pushboolean(L, ts_interrupt_is_due(ts_host_of(L)->sched));
    return 1;
}

int luaopen_ts_task_core(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"spawn", task_spawn},
        {"spawn_under", task_spawn_under},
        {"sleep", task_sleep},
        {"await", ts_task_await},
        {"cancel", lx_task_cancel},
        {"status", lx_task_status},
        {"limit", lx_task_limit},
        {"timed_out", lx_task_timed_out},
        {"self", task_self},
        {"park", task_park},
        {"wake", task_wake},
        {"attempt", task_attempt},
        {"shield", task_shield},
        {"raise", task_raise},
        {"is_ending", task_is_ending},
        {"close_list", lx_close_list},
        {NULL, NULL},
    };
    luaL_newlib(L, functions);
    lua_getfield(L, LUA_REGISTRYINDEX, TS_PLAIN_PCALL);
    lua_setfield(L, -2, "pcall");
    return 1;
}
