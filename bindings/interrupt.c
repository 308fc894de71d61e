// SPDX-License-Identifier: MIT
// The interruption: an error that no protected call holds, and a hook for scripts that only
// compute.
#include "bindings/interrupt.h"

#include <stdio.h>
#include <string.h>

#include "bindings/host.h"
#include "bindings/sched.h"
#include "host/net/loop.h"
#include "host/net/signals.h"

// How long a script may still compute after the stop before it is broken off: enough to write a
// secret that has just arrived. The clock is looked at every so many instructions.
#define GRACE_US 500000
#define GRACE_INSTRUCTIONS 10000

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

bool ts_interrupt_is_due(const struct ts_sched *sched)
{
    return sched->is_stopping || sched->host->exit_request >= 0 || ts_signals_seen() != 0 ||
           ts_signals_is_expired() || sched->host->queue->outage.is_over || ferror(stdout);
}

int lx_interrupt(lua_State *L)
{
    struct ts_sched *sched = ts_host_of(L)->sched;
    sched->has_cut = true;
    if (sched->current) {
        sched->current->is_interrupted = true;
    }
    ts_interrupt_limit(sched, L);
    struct lx_failure failure = {
        .kind = "cancelled", .message = "interrupted: the run is stopping, nothing new is started"};
    push_failure(L, &failure);
    lua_error(L);
    __builtin_unreachable();
}

void ts_interrupt_limit(struct ts_sched *sched, lua_State *co)
{
    if (ts_interrupt_is_due(sched) && !lua_gethook(co)) {
        lua_sethook(co, hook_interrupt, LUA_MASKCOUNT, GRACE_INSTRUCTIONS);
    }
}

bool lx_is_interruption(lua_State *L, int idx)
{
    const char *kind = lx_failure_kind(L, idx);
    return kind && strcmp(kind, "cancelled") == 0;
}

bool lx_is_final(lua_State *L)
{
    struct ts_sched *sched = ts_host_of(L)->sched;
    struct ts_task *task = sched->current;
    if (task && !task->is_interrupted) {
        task->is_interrupted = ts_interrupt_is_due(sched) && lx_is_interruption(L, -1);
    }
    return task && task->is_interrupted;
}

void ts_interrupt_poke(void *owner)
{
    struct ts_sched *sched = owner;
    lua_State *inner = sched->inner;
    if (inner) {
        lua_sethook(inner, hook_interrupt, LUA_MASKCOUNT, GRACE_INSTRUCTIONS);
    }
}
