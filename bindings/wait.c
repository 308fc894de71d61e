// SPDX-License-Identifier: MIT
// How a task waits and is woken. Every wait is also where a cancellation arrives: the one
// continuation here looks before it calls the caller's own.
#include "bindings/task.h"

#include "bindings/cancel.h"
#include "bindings/host.h"
#include "bindings/interrupt.h"
#include "bindings/sched.h"

void ts_waiter_wake(struct ts_waiter *waiter)
{
    struct ts_task *task = waiter->task;
    if (task) {
        waiter->task = NULL;
        task->waiter = NULL;
        ts_sched_ready(task);
    }
}

void ts_waiter_fini(struct ts_waiter *waiter)
{
    if (waiter->task) {
        waiter->task->waiter = NULL;
        waiter->task = NULL;
    }
}

void check_can_suspend(lua_State *L)
{
    struct ts_sched *sched = ts_host_of(L)->sched;
    bool is_able = sched->current && !sched->closing && lua_isyieldable(L);
    for (struct ts_frame *frame = sched->frames; is_able && frame; frame = frame->up) {
        is_able = lua_isyieldable(frame->from);
    }
    if (!is_able) {
        lx_misuse(L,
            "cannot wait for the network here: Lua cannot suspend inside a table.sort "
            "comparator, a string.gsub callback, require, a __gc or a coroutine's __close; "
            "make the call before it or after it");
    }
}

void check_can_wait(lua_State *L)
{
    check_can_suspend(L);
    check_can_start(L);
}

// Raises the cancellation of the running task, unless what it waits for holds it off.
static void check_cancelled(lua_State *L, struct ts_task *task, struct ts_waiter *waiter)
{
    if (ts_cancel_is_due(task) && !ts_cancel_is_held(task, waiter)) {
        lx_cancel(L);
    }
}

static int wait_k(lua_State *L, int status, lua_KContext ctx)
{
    struct ts_task *task = ts_host_of(L)->sched->current;
    check_cancelled(L, task, (struct ts_waiter *)ctx); // alive: the waiting function's own box
    return task->k(L, status, task->ctx);
}

int ts_task_wait(lua_State *L, struct ts_waiter *waiter, lua_KContext ctx, lua_KFunction k)
{
    struct ts_task *task = ts_host_of(L)->sched->current;
    check_cancelled(L, task, waiter); // nobody would wake it
    waiter->task = task;
    task->waiter = waiter;
    task->state = TS_TASK_WAITING;
    task->k = k;
    task->ctx = ctx;
    return lua_yieldk(L, 0, (lua_KContext)waiter, wait_k);
}
