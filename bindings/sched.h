// SPDX-License-Identifier: MIT
// The scheduler: runs tasks one at a time, waits on the loop in between, stops in good order.
// The only code that resumes a task. Used by runtime (to run) and by the task module (to spawn).
#ifndef TS_BINDINGS_SCHED_H
#define TS_BINDINGS_SCHED_H

#include <stdbool.h>
#include <stddef.h>

#include <lua.h>

#include "bindings/task.h"
#include "host/net/timer.h"

enum ts_task_state {
    TS_TASK_READY,
    TS_TASK_RUNNING,
    TS_TASK_WAITING,
    TS_TASK_DONE,
    TS_TASK_FAILED
};

// A userdata; its coroutine is user value 1. Live tasks are anchored in the registry.
struct ts_task {
    struct ts_sched *sched;
    lua_State *co; // NULL before the coroutine exists
    enum ts_task_state state;
    int nargs; // arguments on co's stack, for the first resume
    bool is_parked;
    bool is_permitted;   // was woken while it did not park
    bool is_observed;    // somebody has taken its result or error
    bool is_interrupted; // told that the run ends: no protected call swallows an error any more
    struct ts_waiter *waiter; // what it waits on
    struct ts_waiter self;    // for waits on itself: sleep, park, await
    struct ts_timer timer;    // sleep
    struct ts_task *next_ready;
    struct ts_task *awaited;  // whose end it waits for
    struct ts_task *awaiters; // who waits for its end
    struct ts_task *next_awaiter;
    char place[LX_PLACE_MAX]; // where it was spawned
};

// One level of coroutines that a script made inside a task; lives on the C stack of the resume.
struct ts_frame {
    lua_State *from;
    struct ts_frame *up;
};

struct ts_sched {
    struct ts_host *host;
    struct ts_task *ready_head;
    struct ts_task *ready_tail;
    struct ts_task *current;
    struct ts_frame *frames;   // innermost first
    lua_State *volatile inner; // the coroutine that runs now; read by the signal handler
    size_t live;
    int64_t grace_end_us; // when computing after the stop is broken off; 0: not counting yet
    int closing;          // > 0: to-be-closed values run where nothing may wait
    bool is_stopping;     // nothing new is started any more
    bool is_interrupted;  // by a signal
};

#define TS_TASK_METATABLE "task"

// Makes an idle scheduler; owns nothing outside the Lua state.
void ts_sched_init(struct ts_sched *sched, struct ts_host *host);

// Makes a task from the function and nargs arguments on top of the stack, which it pops, and pushes
// the task's handle. It runs when the scheduler comes to it.
TS_RAISES struct ts_task *push_task(lua_State *L, int nargs);

// Pushes the handle of a task that has not ended.
TS_RAISES void ts_sched_push(lua_State *L, struct ts_task *task);

// Lets go of the anchor of a task that has ended, now that its error, if it has one, was heard.
TS_RAISES void ts_sched_release(lua_State *L, struct ts_task *task);

// Pushes the table of address -> task of those that live or have failed unheard.
TS_RAISES void ts_sched_push_tasks(lua_State *L);

// Notes the errors of failed tasks that nobody awaited in the ledger (bindings/unheard.c).
TS_RAISES void ts_sched_report_unheard(lua_State *L);

// Runs the function and nargs arguments on top of the stack as the main task, and every task it
// spawns, until all have ended. When the main task failed, pushes its error value and then its
// traceback (a string) and returns false; true leaves nothing. Errors of tasks that nobody awaited
// go to the ledger.
TS_RAISES bool ts_sched_run(lua_State *L, int nargs);

// The method handle:await(), in bindings/task.c.
TS_RAISES int ts_task_await(lua_State *L);

// Orderly stop: what is in flight goes on, sleepers wake, everything new raises the interruption.
void ts_sched_stop(struct ts_sched *sched);

// For the signal handler: makes a script that only computes notice the stop. Async-signal-safe as
// far as lua_sethook is (see lua.c).
void ts_sched_poke(void *owner);

// Raises the interruption in the running task; from then on no protected call in it swallows an
// error. Its to-be-closed values are closed, and get a bounded time.
TS_RAISES int lx_interrupt(lua_State *L) __attribute__((noreturn));

// Whether the value at idx is the error that an interruption raises. Does not raise.
bool lx_is_interruption(lua_State *L, int idx);

// Whether the error on top of the stack ends the running task, so that no protected call may
// swallow it: the task was interrupted, or the error is another task's interruption that came here
// by await.
bool ts_sched_is_interrupted(lua_State *L);

// Before a coroutine goes on while the run is to stop: gives it a bounded time of
// computing to come to its end.
void ts_sched_limit(struct ts_sched *sched, lua_State *co);

#endif
