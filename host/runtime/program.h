// SPDX-License-Identifier: MIT
// Programs: parts of commands that are written in Lua, see host/programs. Each runs in a Lua state
// of its own, beside the one of the script.
#ifndef TS_RUNTIME_PROGRAM_H
#define TS_RUNTIME_PROGRAM_H

#include <lua.h>

#include "bindings/lx.h"
#include "host/runtime/parts.h"

// Opens a state, calls main in it with self as a light userdata, and closes it. No tasks: what main
// calls cannot wait. SYSTEM with what main raised, NOMEM.
enum ts_err ts_program_run(
    struct ts_parts *parts, lua_CFunction main, void *self, struct ts_error *err);

// Pushes the module of the program of that name.
TS_RAISES void lx_push_program(lua_State *L, const char *name);

#endif
