// SPDX-License-Identifier: MIT
// The Lua module `log`: what a script has to tell people, beside its results.
// docs/meta/log.lua has its face.
#ifndef TS_BINDINGS_LOG_H
#define TS_BINDINGS_LOG_H

#include <lua.h>

#include "bindings/lx.h"

// Pushes the module's table; for package.preload. Returns 1.
TS_RAISES int luaopen_log(lua_State *L);

#endif
