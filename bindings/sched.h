// SPDX-License-Identifier: MIT
// The scheduler: runs tasks one at a time, waits on the loop in between, stops in good order.
// The only code that resumes a task. Used by runtime (to run) and by the task module (to spawn).
#ifndef TS_BINDINGS_SCHED_H
#define TS_BINDINGS_SCHED_H

#include <stdbool.h>
#include <stddef.h>

#include <lua.h>

#include "bindings/hold.h"
#include "bindings/task.h"
#include "host/net/timer.h"

enum ts_task_state {
    TS_TASK_READY,
    TS_TASK_RUNNING,
    TS_TASK_WAITING,
    TS_TASK_DONE,
    TS_TASK_FAILED,
    TS_TASK_CANCELLED
};

// User values of a task.
enum {
    TS_TASK_COROUTINE = 1,
    TS_TASK_TRACEBACK, // of its error: a string
    TS_TASK_ORIGIN,    // { error, traceback } of the last error that it got from another task
    TS_TASK_VALUES = TS_TASK_ORIGIN,
};

// A userdata. Live tasks are anchored in the registry.
struct ts_task {
    struct ts_sched *sched;
    lua_State *co; // NULL before the coroutine exists
    enum ts_task_state state;
    int nargs; // arguments on co's stack, for the first resume
    bool is_parked;
    bool is_permitted;   // was woken while it did not park
    bool is_observed;    // somebody has taken its result or error
    bool is_interrupted; // told that it ends: no protected call swallows an error any more
    bool is_cancelled;   // ends at its next wait
    bool is_timed_out;   // by its own limit
    int shields;         // > 0: a cancellation waits until they are gone
    lua_KFunction k;     // what comes behind the wait
    lua_KContext ctx;
    struct ts_waiter *waiter; // what it waits on
    struct ts_waiter self;    // for waits on itself: sleep, park, await
    struct ts_timer timer;    // sleep
    struct ts_timer limit;    // cancels it
    struct ts_task *next_ready;
    struct ts_task *awaited;  // whose end it waits for
    struct ts_task *awaiters; // who waits for its end
    struct ts_task *next_awaiter;
    struct ts_task *prev_awaiter;
    struct ts_task *parent; // who spawned it, or who took over from there
    struct ts_task *first_child;
    struct ts_task *next_sibling;
    struct ts_task *prev_sibling;
    size_t withdrawn;         // writes taken back by cancelling it or its descendants
    int64_t step;             // of a plan, which it carries out; 0: none
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
    struct ts_task *main; // the script; when it fails, the run stops
    struct ts_task *current;
    struct lx_holds holds;
    struct ts_frame *frames;   // innermost first
    lua_State *volatile inner; // the coroutine that runs now; read by the signal handler
    size_t live;
    int64_t grace_end_us; // when computing after the stop is broken off; 0: not counting yet
    int closing;          // > 0: to-be-closed values run where nothing may wait
    int64_t worked_us;    // when a turn of the loop last made a task ready
    int64_t gathered_us;  // since when writes are gathered, see gate.h; 0: they are not
    bool has_worked;      // the last turn made a task ready
    bool has_processors;  // more than one: nobody is kept from work by turns that do not wait
    bool is_stopping;     // nothing new is started any more
    bool is_interrupted;  // by a signal
    bool is_expired;      // the deadline passed
    bool has_cut;         // a task was kept from something by the stop
};

#define TS_TASK_METATABLE "task"

// Makes an idle scheduler; owns nothing outside the Lua state.
void ts_sched_init(struct ts_sched *sched, struct ts_host *host);

// Makes a task from the function and nargs arguments on top of the stack, which it pops, and pushes
// the task's handle. It runs when the scheduler comes to it. parent may be NULL.
TS_RAISES struct ts_task *push_task(lua_State *L, int nargs, struct ts_task *parent);

// The task whose handle is at arg; anything else is misuse.
TS_RAISES struct ts_task *check_task(lua_State *L, int arg);

// Pushes the handle of a task that has not ended.
TS_RAISES void ts_sched_push(lua_State *L, struct ts_task *task);

// Lets go of the anchor of a task that has ended, now that its error, if it has one, was heard.
TS_RAISES void ts_sched_release(lua_State *L, struct ts_task *task);

// Pushes the table of address -> task of those that live or have failed unheard.
TS_RAISES void ts_sched_push_tasks(lua_State *L);

// Notes the errors of failed tasks that nobody awaited in the ledger (bindings/unheard.c). Those of
// a run that was stopped include the interruption, which is no failure.
TS_RAISES void ts_sched_report_unheard(lua_State *L, bool is_stopped);

// Runs the function and nargs arguments on top of the stack as the main task, and every task it
// spawns, until all have ended. When the main task failed, pushes its error value and then its
// traceback (a string, or nil) and returns false; true leaves nothing. Errors of tasks that nobody
// awaited go to the ledger.
TS_RAISES bool ts_sched_run(lua_State *L, int nargs);

// Puts a task at the end of those that are ready.
void ts_sched_ready(struct ts_task *task);

// Whether the task has ended, in whatever way.
bool ts_task_is_over(const struct ts_task *task);

// Orderly stop: what is in flight goes on, sleepers wake, everything new raises the interruption.
void ts_sched_stop(struct ts_sched *sched);

#endif
