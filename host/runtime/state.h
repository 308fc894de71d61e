// SPDX-License-Identifier: MIT
// A Lua state as scripts find it: the standard library, strict globals, the native modules, arg.
// Everything here runs under the protection of the caller's lua_pcall.
#ifndef TS_RUNTIME_STATE_H
#define TS_RUNTIME_STATE_H

#include <lua.h>

#include "bindings/lx.h"
#include "host/runtime/config.h"

// Opens libraries and modules. script_dir is where require looks first; NULL for none.
TS_RAISES void ts_state_open(lua_State *L, const char *script_dir);

// Sets the global `arg`: arg[0] the script, arg[1]... its arguments.
TS_RAISES void ts_state_set_args(lua_State *L, const struct ts_config *config, const char *script);

#endif
