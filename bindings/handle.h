// SPDX-License-Identifier: MIT
// The methods of a task's handle besides await, and the time limit that task.with_timeout sets.
#ifndef TS_BINDINGS_HANDLE_H
#define TS_BINDINGS_HANDLE_H

#include <lua.h>

#include "bindings/lx.h"

// handle:cancel(): ends the task at its next wait; nothing when it has ended. Raises the
// cancellation at once when it is the running task's own.
TS_RAISES int lx_task_cancel(lua_State *L);

// handle:status() -> "running", "done", "failed" or "cancelled"
TS_RAISES int lx_task_status(lua_State *L);

// limit(handle, seconds): cancels the task when so much time has passed.
TS_RAISES int lx_task_limit(lua_State *L);

// timed_out(handle, seconds) -> nil, err when its limit has ended the task; false otherwise, or
// when the running task has been ended itself. Writes
// that were taken back with it count as failed until err is forgiven.
TS_RAISES int lx_task_timed_out(lua_State *L);

#endif
