// SPDX-License-Identifier: MIT
// The end of a run before its script has ended: by a signal, os.exit, the deadline, an error in the
// main task, or because nobody gets what it prints. What is in flight goes on, everything new
// raises the interruption.
#ifndef TS_BINDINGS_INTERRUPT_H
#define TS_BINDINGS_INTERRUPT_H

#include <stdbool.h>

#include <lua.h>

#include "bindings/lx.h"

struct ts_sched;

// Whether something asked for the end of the run: also before the scheduler has come to see it.
bool ts_interrupt_is_due(const struct ts_sched *sched);

// For the signal handler: makes a script that only computes notice the stop. Async-signal-safe as
// far as lua_sethook is (see lua.c).
void ts_interrupt_poke(void *owner);

// Before a coroutine goes on while the run is to stop: gives it a bounded time of
// computing to come to its end.
void ts_interrupt_limit(struct ts_sched *sched, lua_State *co);

// Raises the interruption in the running task; from then on no protected call in it swallows an
// error. Its to-be-closed values are closed, and get a bounded time.
TS_RAISES int lx_interrupt(lua_State *L) __attribute__((noreturn));

// Whether the value at idx is the error that an interruption or a cancellation raises. Does not
// raise.
bool lx_is_interruption(lua_State *L, int idx);

// Whether the error on top of the stack ends the running task, so that no protected call may
// swallow it: the task was interrupted or cancelled, or the error is another task's interruption
// that came here by await.
bool lx_is_final(lua_State *L);

#endif
