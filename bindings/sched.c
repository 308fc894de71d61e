// SPDX-License-Identifier: MIT
// Ready tasks in a queue, one resume switch, one loop.
// A task that waits is resumed with no values; its continuation pushes the results.
#include "bindings/sched.h"

#include <stdio.h>

#include <lauxlib.h>

#include "bindings/await.h"
#include "bindings/cancel.h"
#include "bindings/handle.h"
#include "bindings/host.h"
#include "bindings/interrupt.h"
#include "bindings/trace.h"
#include "host/api/gate.h"
#include "host/base/process.h"
#include "host/base/progress.h"
#include "host/net/loop.h"
#include "host/net/signals.h"

#define MOMENT_US 1000
#define COMMIT_US 200 // most are over by then, sooner than a sleeping thread would be awake again

static const char tasks_key; // registry: table of address -> task, while it lives or failed unheard

void ts_sched_init(struct ts_sched *sched, struct ts_host *host)
{
    *sched = (struct ts_sched){.host = host, .has_processors = ts_process_processors() > 1};
}

void ts_sched_ready(struct ts_task *task)
{
    struct ts_sched *sched = task->sched;
    task->state = TS_TASK_READY;
    task->next_ready = NULL;
    if (sched->ready_tail) {
        sched->ready_tail->next_ready = task;
    } else {
        sched->ready_head = task;
    }
    sched->ready_tail = task;
}

bool ts_task_is_over(const struct ts_task *task)
{
    return task->state >= TS_TASK_DONE;
}

struct ts_task *check_task(lua_State *L, int arg)
{
    return check_box(L, arg, TS_TASK_METATABLE, "a task");
}

static int task__gc(lua_State *L)
{
    struct ts_task *task = lua_touserdata(L, 1);
    if (task->waiter) {
        ts_waiter_fini(task->waiter);
    }
    ts_timer_disarm(&task->timer);
    ts_timer_disarm(&task->limit);
    return 0;
}

void ts_sched_push_tasks(lua_State *L)
{
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, &tasks_key) != LUA_TTABLE) {
        lua_pop(L, 1);
        lua_newtable(L);
        lua_pushvalue(L, -1);
        lua_rawsetp(L, LUA_REGISTRYINDEX, &tasks_key);
    }
}

void ts_sched_push(lua_State *L, struct ts_task *task)
{
    ts_sched_push_tasks(L);
    lua_rawgetp(L, -1, task);
    lua_remove(L, -2);
}

static int task_body_k(lua_State *L, int status, lua_KContext ctx)
{
    (void)ctx;
    return status == LUA_OK || status == LUA_YIELD ? lua_gettop(L) - 1 : lua_error(L);
}

// What every task runs: its function in a protected call, so that what the function left open is
// closed where Lua can suspend. A __close that calls the API is how scripts tidy up after an error.
static int task_body(lua_State *L)
{
    if (ts_host_of(L)->sched->current->is_cancelled) {
        lx_cancel(L); // before it began
    }
    lua_pushcfunction(L, lx_trace_error);
    lua_insert(L, 1); // handler, fn, args...
    int status = lua_pcallk(L, lua_gettop(L) - 2, LUA_MULTRET, 1, 0, task_body_k);
    return task_body_k(L, status, 0);
}

static void push_task_metatable(lua_State *L)
{
    static const luaL_Reg methods[] = {{"await", ts_task_await}, {"cancel", lx_task_cancel},
        {"status", lx_task_status}, {NULL, NULL}};
    // No __close: a handle that goes out of scope does not end its task.
    static const luaL_Reg metamethods[] = {{"__gc", task__gc}, {NULL, NULL}};
    if (luaL_getmetatable(L, TS_TASK_METATABLE) != LUA_TTABLE) {
        lua_pop(L, 1);
        lx_metatable(L, TS_TASK_METATABLE, NULL, metamethods, methods);
        luaL_getmetatable(L, TS_TASK_METATABLE);
    }
}

struct ts_task *push_task(lua_State *L, int nargs, struct ts_task *parent)
{
    struct ts_sched *sched = ts_host_of(L)->sched;
    struct ts_task *task = lua_newuserdatauv(L, sizeof *task, TS_TASK_VALUES);
    *task = (struct ts_task){.sched = sched, .state = TS_TASK_DONE};
    push_task_metatable(L);
    lua_setmetatable(L, -2);
    lua_State *co = lua_newthread(L);
    lua_sethook(co, NULL, 0, 0); // a hook of the creator's is not for it
    lua_setiuservalue(L, -2, TS_TASK_COROUTINE);
    lua_insert(L, -nargs - 2); // handle, fn, args...
    if (!lua_checkstack(co, nargs + LUA_MINSTACK)) {
        luaL_error(L, "too many arguments for a task");
    }
    ts_sched_push_tasks(L);
    lua_pushvalue(L, -nargs - 3);
    lua_rawsetp(L, -2, task); // anchored
    lua_pop(L, 1);
    lua_pushcfunction(co, task_body);
    lua_xmove(L, co, nargs + 1);
    task->co = co;
    task->nargs = nargs + 1;
    lx_place(L, task->place);
    sched->live++;
    ts_task_attach(task, parent);
    ts_sched_ready(task);
    return task;
}

static void task_end(struct ts_task *task, enum ts_task_state state)
{
    task->state = state;
    task->sched->live--;
    ts_timer_disarm(&task->limit);
    // While the run stops, what is in flight goes on.
    if (state != TS_TASK_DONE && !ts_interrupt_is_due(task->sched) && task != task->sched->main) {
        ts_task_cancel_children(task);
    }
    ts_task_detach(task);
    ts_await_wake(task);
}

void ts_sched_release(lua_State *L, struct ts_task *task)
{
    ts_sched_push_tasks(L);
    lua_pushnil(L);
    lua_rawsetp(L, -2, task);
    lua_pop(L, 1);
}

// The task at idx has failed: leaves the error value alone on co's stack. One that yielded with
// nobody to yield to keeps its traceback here, and what it left open is closed here.
static void task_fail(lua_State *L, struct ts_task *task, int idx)
{
    lua_State *co = task->co;
    bool is_stray = lua_status(co) == LUA_YIELD;
    if (is_stray) {
        luaL_traceback(L, co, NULL, 0);
        lua_setiuservalue(L, idx, TS_TASK_TRACEBACK);
    }
    task->sched->closing++;
    int status = lua_resetthread(co);
    task->sched->closing--;
    if (is_stray && status == LUA_OK) {
        lua_pushliteral(co, "attempt to yield from outside a coroutine");
    }
}

// Resumes the task once: it is anchored until it is released here. The one switch for how a task
// comes back.
static void task_resume(lua_State *L, struct ts_task *task)
{
    struct ts_sched *sched = task->sched;
    lua_State *co = task->co;
    int nargs = task->nargs, results = 0;
    task->nargs = 0;
    task->state = TS_TASK_RUNNING;
    sched->current = task;
    sched->inner = co;
    sched->grace_end_us = 0;
    ts_interrupt_limit(sched, co);
    int status = lua_resume(co, L, nargs, &results);
    sched->inner = NULL;
    sched->current = NULL;
    sched->frames = NULL;
    if (status == LUA_YIELD && task->state == TS_TASK_WAITING) {
        return;
    }
    if (status == LUA_OK) {
        task_end(task, TS_TASK_DONE);
        ts_sched_release(L, task);
        return;
    }
    ts_sched_push(L, task);
    task_fail(L, task, lua_gettop(L));
    lua_pushvalue(co, 1);
    lua_xmove(co, L, 1);
    bool is_cancelled = task->is_cancelled && lx_is_interruption(L, -1);
    lua_pop(L, 1);
    task_end(task, is_cancelled ? TS_TASK_CANCELLED : TS_TASK_FAILED);
    if (is_cancelled) {
        ts_sched_release(L, task); // nobody needs to hear of it
    }
    lua_pop(L, 1);
}

void ts_sched_stop(struct ts_sched *sched)
{
    sched->is_stopping = true;
    sched->host->door->is_closed = true;
    ts_queue_close(sched->host->queue);
    ts_progress_stop(sched->host->progress);
}

// Wakes the tasks that wait on themselves: those that sleep, or those that are parked.
static void wake_idle(lua_State *L, bool is_parked)
{
    ts_sched_push_tasks(L);
    for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
        struct ts_task *task = lua_touserdata(L, -1);
        if (task->waiter == &task->self && !task->awaited && task->is_parked == is_parked) {
            ts_waiter_wake(&task->self);
        }
    }
    lua_pop(L, 1);
}

static void run_ready(lua_State *L, struct ts_sched *sched)
{
    struct ts_task *last = sched->ready_tail;
    for (bool is_last = false; sched->ready_head && !is_last;) {
        struct ts_task *task = sched->ready_head;
        is_last = task == last;
        sched->ready_head = task->next_ready;
        if (!sched->ready_head) {
            sched->ready_tail = NULL;
        }
        task_resume(L, task);
    }
}

// Nothing is ready and nothing is under way. While stopping, that is a task parked by one that was
// stopped, or one that waits for what such a one holds; otherwise tasks await each other in a
// circle.
static void unstick(lua_State *L, struct ts_sched *sched)
{
    if (sched->is_stopping) {
        wake_idle(L, true);
        lx_holds_wake(&sched->holds);
    }
    if (!sched->ready_head) {
        luaL_error(
            L, "%d tasks wait for each other: nothing could ever wake them", (int)sched->live);
    }
}

static void sched_stop_if_asked(lua_State *L, struct ts_sched *sched, const struct ts_task *main)
{
    bool is_lost = main->state == TS_TASK_FAILED; // the others lost their purpose
    if (!sched->is_stopping && (is_lost || ts_interrupt_is_due(sched))) {
        sched->is_interrupted = ts_signals_seen() != 0;
        sched->is_expired = ts_signals_is_expired();
        sched->host->door->is_stopped =
            sched->is_interrupted || sched->is_expired || ferror(stdout);
        ts_sched_stop(sched);
        wake_idle(L, false); // what sleeps has nothing in flight to wait for
    }
}

// One turn of the loop. What secrets are in memory is unreadable while it waits, but for the first
// moment after a turn that had work: as long as answers keep coming, closing and opening that
// memory would cost two system calls and a page fault each turn.
static enum ts_err sched_wait(struct ts_sched *sched, bool is_gathering, struct ts_error *err)
{
    struct ts_host *host = sched->host;
    int64_t now = ts_loop_now(host->loop);
    int64_t until = ts_progress_next(host->progress);
    bool is_committing = ts_queue_is_committing(host->queue);
    sched->worked_us = sched->has_worked ? now : sched->worked_us;
    bool is_brief = is_committing && sched->has_processors && now < sched->worked_us + COMMIT_US;
    if (sched->ready_head || is_gathering || is_brief) {
        until = now;
    } else if (!sched->has_worked || until <= now + MOMENT_US) {
        ts_secret_pool_seal(host->secrets);
    } else {
        until = now + MOMENT_US;
    }
    enum ts_err code = ts_loop_turn(host->loop, until, err);
    sched->has_worked = sched->ready_head;
    return code;
}

// Sends the writes that are ready, but for those that are to be joined by others, for as long as a
// commit takes at most. Whether it is so.
static bool sched_depart(struct ts_sched *sched)
{
    struct ts_host *host = sched->host;
    int64_t now = ts_loop_now(host->loop);
    bool is_in_time = !sched->gathered_us || now < sched->gathered_us + COMMIT_US;
    bool may_gather = sched->has_worked && is_in_time;
    bool is_gathering = ts_queue_depart(host->queue, may_gather, !sched->ready_head);
    sched->gathered_us = !is_gathering ? 0 : sched->gathered_us ? sched->gathered_us : now;
    return is_gathering;
}

bool ts_sched_run(lua_State *L, int nargs)
{
    struct ts_host *host = ts_host_of(L);
    struct ts_sched *sched = host->sched;
    struct ts_task *main = push_task(L, nargs, NULL);
    int handle = lua_gettop(L);
    sched->main = main;
    main->is_observed = true;
    while (sched->live > 0) {
        sched_stop_if_asked(L, sched, main); // what is ready now starts nothing new after a signal
        run_ready(L, sched);
        sched_stop_if_asked(L, sched, main);
        if (sched->live == 0) {
            break;
        }
        struct ts_error err;
        bool is_gathering = sched_depart(sched);
        if (!sched->ready_head && !ts_loop_is_busy(host->loop) &&
            !ts_queue_is_committing(host->queue)) {
            unstick(L, sched);
        }
        ts_progress_tick(host->progress);
        if (sched_wait(sched, is_gathering, &err)) {
            luaL_error(L, "%s", err.message);
        }
    }
    bool is_stopped = sched->is_stopping;
    sched->is_expired = sched->is_expired && sched->has_cut;
    sched->is_stopping = true; // what runs from here on, a __tostring or __gc, can start nothing
    ts_sched_report_unheard(L, is_stopped);
    if (main->state == TS_TASK_DONE) {
        lua_settop(L, handle - 1);
        return true;
    }
    lua_pushvalue(main->co, 1);
    lua_xmove(main->co, L, 1);
    lua_getiuservalue(L, handle, TS_TASK_TRACEBACK);
    return false;
}
