// SPDX-License-Identifier: MIT
// cancel and status, and the limit in time: a timer of the task's own that cancels it.
#include "bindings/handle.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>

#include <lauxlib.h>

#include "bindings/cancel.h"
#include "bindings/host.h"
#include "bindings/sched.h"
#include "host/net/loop.h"

#define WITH_TIMEOUT "task.with_timeout"

int lx_task_cancel(lua_State *L)
{
    struct ts_task *task = check_task(L, 1);
    struct ts_task *self = task->sched->current;
    ts_task_cancel(task);
    if (task == self && ts_cancel_is_due(task)) {
        lx_cancel(L);
    }
    return 0;
}

int lx_task_status(lua_State *L)
{
    switch (check_task(L, 1)->state) {
    case TS_TASK_DONE:
        lua_pushliteral(L, "done");
        break;
    case TS_TASK_FAILED:
        lua_pushliteral(L, "failed");
        break;
    case TS_TASK_CANCELLED:
        lua_pushliteral(L, "cancelled");
        break;
    default:
        lua_pushliteral(L, "running");
    }
    return 1;
}

static void on_limit(struct ts_timer *timer)
{
    struct ts_task *task = (struct ts_task *)((char *)timer - offsetof(struct ts_task, limit));
    if (!task->is_cancelled) {
        task->is_timed_out = true;
        ts_task_cancel(task);
    }
}

int lx_task_limit(lua_State *L)
{
    struct ts_task *task = check_task(L, 1);
    struct ts_loop *loop = task->sched->host->loop;
    struct ts_error err;
    int64_t at = ts_loop_now(loop) + (int64_t)ceil(luaL_checknumber(L, 2) * 1e6);
    if (ts_timer_arm(loop, &task->limit, at, on_limit, &err)) {
        ts_task_cancel(task);
        return luaL_error(L, "%s", err.message);
    }
    return 0;
}

int lx_task_timed_out(lua_State *L)
{
    struct ts_task *task = check_task(L, 1);
    const struct ts_task *self = task->sched->current;
    bool is_ended = self && self->is_interrupted; // that error counts more
    if (is_ended || task->state != TS_TASK_CANCELLED || !task->is_timed_out) {
        lua_pushboolean(L, 0);
        return 1;
    }
    char message[160], place[LX_PLACE_MAX];
    int len = snprintf(message, sizeof message, "the time limit of %.14g s has passed",
        (double)luaL_checknumber(L, 2));
    lx_place(L, place);
    struct lx_failure failure = {
        .kind = "timeout",
        .op = WITH_TIMEOUT,
        .message = message,
        .place = place,
        .is_retryable = true,
    };
    if (task->withdrawn > 0) {
        snprintf(message + len, sizeof message - (size_t)len,
            "; %zu write%s taken back before being sent", task->withdrawn,
            task->withdrawn == 1 ? " was" : "s were");
        failure.entry = lx_note(L, TS_ENTRY_WRITE_FAILED, &failure);
    }
    return push_failure(L, &failure);
}
