// SPDX-License-Identifier: MIT
// Waiting for the end of another task: the method handle:await(), and who awaits whom.
#ifndef TS_BINDINGS_AWAIT_H
#define TS_BINDINGS_AWAIT_H

#include <lua.h>

#include "bindings/lx.h"

struct ts_task;

// await(handle): the function's results, or its error raised again.
TS_RAISES int ts_task_await(lua_State *L);

// The task does not await any more. Nothing when it did not.
void ts_await_remove(struct ts_task *task);

// Wakes everybody who awaits the task.
void ts_await_wake(struct ts_task *task);

#endif
