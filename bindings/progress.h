// SPDX-License-Identifier: MIT
// Module `tshost.progress`: how the task module tells the progress display of its jobs.
// For the Lua halves of modules; scripts say `progress = "label"` to task.each and task.map.
#ifndef TS_BINDINGS_PROGRESS_H
#define TS_BINDINGS_PROGRESS_H

#include <lua.h>

#include "bindings/lx.h"

// Pushes the module's table; for package.preload. Returns 1.
//
// start(label, total) -> job | nothing
//     Begins a job with so many items to do (nil: not known); nothing when progress is not shown.
//     To be kept in a <close> variable: the job ends there, well unless by an error.
// advance(job, has_failed)
//     One item more is done.
TS_RAISES int luaopen_ts_progress(lua_State *L);

#endif
