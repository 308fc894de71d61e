// SPDX-License-Identifier: MIT
// The Lua module `fs`: the two questions about files that Lua's own library leaves open.
// docs/meta/fs.lua has its face.
#ifndef TS_BINDINGS_FS_H
#define TS_BINDINGS_FS_H

#include <lua.h>

#include "bindings/lx.h"

// Pushes the module's table; for package.preload. Returns 1.
TS_RAISES int luaopen_fs(lua_State *L);

#endif
