// SPDX-License-Identifier: MIT
// Tracebacks that cross tasks: the frames where an error was raised, then those of who awaited.
#ifndef TS_BINDINGS_TRACE_H
#define TS_BINDINGS_TRACE_H

#include <lua.h>

#include "bindings/lx.h"

// Message handler of protected calls: keeps the traceback of the running task, which is
// where the error is, as the task's user value TS_TASK_TRACEBACK, and gives the error back.
TS_RAISES int lx_trace_error(lua_State *L);

// Raises the error below the top of the stack; the traceback on top (a string or nil) says where it
// was raised first, and is shown before the running task's own.
TS_RAISES int lx_raise_again(lua_State *L) __attribute__((noreturn));

#endif
