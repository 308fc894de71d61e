// SPDX-License-Identifier: MIT
// The Lua module `human`: figures as people read them, as the summary and the progress show them.
// docs/meta/human.lua has its face.
#ifndef TS_BINDINGS_HUMAN_H
#define TS_BINDINGS_HUMAN_H

#include <lua.h>

#include "bindings/lx.h"

// Pushes the module's table; for package.preload. Returns 1.
TS_RAISES int luaopen_human(lua_State *L);

#endif
