// SPDX-License-Identifier: MIT
// The Lua module `limits`: the checks that a write goes through, for scripts that want to look at
// all their input before the first write. docs/meta/limits.lua has its face.
#ifndef TS_BINDINGS_LIMITS_H
#define TS_BINDINGS_LIMITS_H

#include <lua.h>

#include "bindings/lx.h"

// Pushes the module's table; for package.preload. Returns 1.
TS_RAISES int luaopen_limits(lua_State *L);

#endif
