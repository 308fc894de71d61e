// SPDX-License-Identifier: MIT
// Ready tasks in a queue, one resume switch, one loop.
// A task that waits is resumed with no values; its continuation pushes the results.
#include "bindings/sched.h"

#include <string.h>

#include <lauxlib.h>

#include "bindings/host.h"
#include "host/base/progress.h"
#include "host/net/loop.h"
#include "host/net/signals.h"

// How long a script may still compute after the stop before it is broken off: enough to write a
// secret that has just arrived. The clock is looked at every so many instructions.
#define GRACE_US 500000
#define GRACE_INSTRUCTIONS 10000

static const char tasks_key; // registry: table of address -> task, while it lives or failed unheard

void ts_sched_init(struct ts_sched *sched, struct ts_host *host)
{
    *sched = (struct ts_sched){.host = host};
}

static void hook_interrupt(lua_State *L, lua_Debug *ar)
{
    (void)ar;
    struct ts_sched *sched = ts_host_of(L)->sched;
    int64_t now = ts_loop_now(sched->host->loop);
    if (sched->grace_end_us == 0) {
        sched->grace_end_us = now + GRACE_US;
    } else if (now >= sched->grace_end_us) {
        sched->grace_end_us = 0; // what is closed on the way gets its own time
        lx_interrupt(L);
    }
}

// Whether something asked for the end of the run: also before the scheduler has come to see it.
static bool is_ending(const struct ts_sched *sched)
{
    return sched->is_stopping || sched->host->exit_request >= 0 || ts_signals_seen() != 0;
}

int lx_interrupt(lua_State *L)
{
    struct ts_sched *sched = ts_host_of(L)->sched;
    if (sched->current) {
        sched->current->is_interrupted = true;
    }
    ts_sched_limit(sched, L);
    struct lx_failure failure = {
        .kind = "cancelled", .message = "interrupted: the run is stopping, nothing new is started"};
    push_failure(L, &failure);
    lua_error(L);
    __builtin_unreachable();
}

void ts_sched_limit(struct ts_sched *sched, lua_State *co)
{
    if (is_ending(sched) && !lua_gethook(co)) {
        lua_sethook(co, hook_interrupt, LUA_MASKCOUNT, GRACE_INSTRUCTIONS);
    }
}

bool lx_is_interruption(lua_State *L, int idx)
{
    const char *kind = lx_failure_kind(L, idx);
    return kind && strcmp(kind, "cancelled") == 0;
}

bool ts_sched_is_interrupted(lua_State *L)
{
    struct ts_sched *sched = ts_host_of(L)->sched;
    struct ts_task *task = sched->current;
    if (task && !task->is_interrupted) {
        task->is_interrupted = is_ending(sched) && lx_is_interruption(L, -1);
    }
    return task && task->is_interrupted;
}

void ts_sched_poke(void *owner)
{
    struct ts_sched *sched = owner;
    lua_State *inner = sched->inner;
    if (inner) {
        lua_sethook(inner, hook_interrupt, LUA_MASKCOUNT, GRACE_INSTRUCTIONS);
    }
}

static void ready_add(struct ts_sched *sched, struct ts_task *task)
{
    task->state = TS_TASK_READY;
    task->next_ready = NULL;
    if (sched->ready_tail) {
        sched->ready_tail->next_ready = task;
    } else {
        sched->ready_head = task;
    }
    sched->ready_tail = task;
}

void ts_waiter_wake(struct ts_waiter *waiter)
{
    struct ts_task *task = waiter->task;
    if (task) {
        waiter->task = NULL;
        task->waiter = NULL;
        ready_add(task->sched, task);
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
    if (is_ending(ts_host_of(L)->sched)) {
        lx_interrupt(L);
    }
}

int ts_task_wait(lua_State *L, struct ts_waiter *waiter, lua_KContext ctx, lua_KFunction k)
{
    struct ts_task *task = ts_host_of(L)->sched->current;
    waiter->task = task;
    task->waiter = waiter;
    task->state = TS_TASK_WAITING;
    return lua_yieldk(L, 0, ctx, k);
}

static int task__gc(lua_State *L)
{
    struct ts_task *task = lua_touserdata(L, 1);
    if (task->waiter) {
        ts_waiter_fini(task->waiter);
    }
    ts_timer_disarm(&task->timer);
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

// Where the error is, while its stack still stands: the traceback becomes the task's user value 2.
static int on_error(lua_State *L)
{
    ts_sched_push(L, ts_host_of(L)->sched->current);
    luaL_traceback(L, L, NULL, 1);
    lua_setiuservalue(L, -2, 2);
    lua_settop(L, 1);
    return 1;
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
    lua_pushcfunction(L, on_error);
    lua_insert(L, 1); // handler, fn, args...
    int status = lua_pcallk(L, lua_gettop(L) - 2, LUA_MULTRET, 1, 0, task_body_k);
    return task_body_k(L, status, 0);
}

struct ts_task *push_task(lua_State *L, int nargs)
{
    struct ts_sched *sched = ts_host_of(L)->sched;
    static const luaL_Reg methods[] = {{"await", ts_task_await}, {NULL, NULL}};
    // No __close: a handle that goes out of scope does not end its task.
    static const luaL_Reg metamethods[] = {{"__gc", task__gc}, {NULL, NULL}};
    lx_metatable(L, TS_TASK_METATABLE, NULL, metamethods, methods);
    struct ts_task *task = lua_newuserdatauv(L, sizeof *task, 2);
    *task = (struct ts_task){.sched = sched, .state = TS_TASK_DONE};
    luaL_setmetatable(L, TS_TASK_METATABLE);
    lua_State *co = lua_newthread(L);
    lua_sethook(co, NULL, 0, 0); // a hook of the creator's is not for it
    lua_setiuservalue(L, -2, 1);
    ts_sched_push_tasks(L);
    lua_pushvalue(L, -2);
    lua_rawsetp(L, -2, task); // anchored
    lua_pop(L, 1);
    lua_insert(L, -nargs - 2); // handle, fn, args...
    if (!lua_checkstack(co, nargs + LUA_MINSTACK)) {
        luaL_error(L, "too many arguments for a task");
    }
    lua_pushcfunction(co, task_body);
    lua_xmove(L, co, nargs + 1);
    task->co = co;
    task->nargs = nargs + 1;
    lx_place(L, task->place);
    sched->live++;
    ready_add(sched, task);
    return task;
}

static void task_end(struct ts_task *task, enum ts_task_state state)
{
    task->state = state;
    task->sched->live--;
    struct ts_task *awaiter = task->awaiters;
    task->awaiters = NULL;
    while (awaiter) {
        struct ts_task *next = awaiter->next_awaiter;
        awaiter->next_awaiter = NULL;
        awaiter->awaited = NULL;
        ts_waiter_wake(&awaiter->self);
        awaiter = next;
    }
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
        lua_setiuservalue(L, idx, 2);
    }
    task->sched->closing++;
    int status = lua_resetthread(co);
    task->sched->closing--;
    if (is_stray && status == LUA_OK) {
        lua_pushliteral(co, "attempt to yield from outside a coroutine");
    }
}

// Resumes the task, whose handle is at the top of L's stack, once. The one switch for how a task
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
    ts_sched_limit(sched, co);
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
    task_fail(L, task, lua_gettop(L));
    task_end(task, TS_TASK_FAILED);
}

void ts_sched_stop(struct ts_sched *sched)
{
    sched->is_stopping = true;
    sched->host->door->is_closed = true;
    ts_queue_close(sched->host->queue);
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
        ts_sched_push(L, task);
        task_resume(L, task);
        lua_pop(L, 1);
    }
}

// Nothing is ready and nothing is under way. While stopping, that is a task parked by one that was
// stopped; otherwise tasks await each other in a circle.
static void unstick(lua_State *L, struct ts_sched *sched)
{
    if (sched->is_stopping) {
        wake_idle(L, true);
    }
    if (!sched->ready_head) {
        luaL_error(
            L, "%d tasks wait for each other: nothing could ever wake them", (int)sched->live);
    }
}

static void sched_stop_if_asked(lua_State *L, struct ts_sched *sched, const struct ts_task *main)
{
    bool is_lost = main->state == TS_TASK_FAILED; // the others lost their purpose
    if (!sched->is_stopping && (is_lost || is_ending(sched))) {
        sched->is_interrupted = ts_signals_seen() != 0;
        ts_sched_stop(sched);
        wake_idle(L, false); // what sleeps has nothing in flight to wait for
    }
}

bool ts_sched_run(lua_State *L, int nargs)
{
    struct ts_host *host = ts_host_of(L);
    struct ts_sched *sched = host->sched;
    struct ts_task *main = push_task(L, nargs);
    int handle = lua_gettop(L);
    main->is_observed = true;
    while (sched->live > 0) {
        sched_stop_if_asked(L, sched, main); // what is ready now starts nothing new after a signal
        run_ready(L, sched);
        sched_stop_if_asked(L, sched, main);
        if (sched->live == 0) {
            break;
        }
        struct ts_error err;
        if (!sched->ready_head && !ts_loop_is_busy(host->loop)) {
            unstick(L, sched);
        }
        ts_progress_tick(host->progress);
        int64_t until = sched->ready_head ? 0 : ts_progress_next(host->progress);
        ts_secret_pool_seal(host->secrets); // what is in memory while we wait is unreadable
        if (ts_loop_turn(host->loop, until, &err)) {
            luaL_error(L, "%s", err.message);
        }
    }
    sched->is_stopping = true; // what runs from here on, a __tostring or __gc, can start nothing
    ts_sched_report_unheard(L);
    if (main->state == TS_TASK_DONE) {
        lua_settop(L, handle - 1);
        return true;
    }
    lua_pushvalue(main->co, 1);
    lua_xmove(main->co, L, 1);
    lua_getiuservalue(L, handle, 2);
    return false;
}
