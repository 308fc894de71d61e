// SPDX-License-Identifier: MIT
// Tasks and how they wait. A native call waits by `return ts_task_wait(L, waiter, fn_k)`; the
// loop's side calls ts_waiter_wake; the scheduler resumes the task with no values and fn_k
// re-checks.
#ifndef TS_BINDINGS_TASK_H
#define TS_BINDINGS_TASK_H

#include <stdbool.h>
#include <stdint.h>

#include <lua.h>

#include "bindings/lx.h"

struct ts_task;
struct ts_sched;
struct ts_host;

// Who sleeps on something. Embedded, zeroed, in the box of whatever is waited for; the box must
// call ts_waiter_fini when it is closed or collected.
struct ts_waiter {
    struct ts_task *task; // NULL while nobody waits
    // Asked when the task that waits, or has just waited, is cancelled: true when what it waits for
    // must be seen through, so that the continuation runs as if nothing had happened; false gives
    // it up, and the cancellation is raised instead. May be asked again. Called without Lua, also
    // from loop callbacks. NULL: always given up.
    bool (*holds)(struct ts_waiter *waiter);
};

// Suspends the running task until the waiter is woken, then calls k (see lua_yieldk) on the same
// L. Use only as `return ts_task_wait(...)`, after check_can_wait or check_can_suspend. When the
// task is cancelled meanwhile, the cancellation is raised in place of k, see ts_waiter.
TS_RAISES int ts_task_wait(
    lua_State *L, struct ts_waiter *waiter, lua_KContext ctx, lua_KFunction k);

// Raises misuse, plainly worded, where Lua cannot suspend (a sort comparator, a gsub callback,
// require, a finalizer): for functions that must know before they start something.
TS_RAISES void check_can_suspend(lua_State *L);

// The same, and raises the interruption when the run is stopping and the cancellation when the task
// was cancelled, so that nothing new is started.
TS_RAISES void check_can_wait(lua_State *L);

// Makes the task that waits ready to run; nothing when nobody waits. Safe from loop callbacks.
void ts_waiter_wake(struct ts_waiter *waiter);

// Forgets who waits. Accepts a zeroed struct, may run twice.
void ts_waiter_fini(struct ts_waiter *waiter);

#endif
