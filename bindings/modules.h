// SPDX-License-Identifier: MIT
// What runtime opens in a new state, one function per module.
// Those named luaopen_ leave the module on the stack; ts_open_ change what is there already.
#ifndef TS_BINDINGS_MODULES_H
#define TS_BINDINGS_MODULES_H

#include <lua.h>

#include "bindings/lx.h"

// Replaces coroutine.resume, wrap, create, status and close by ones that native waits pass through.
TS_RAISES void ts_open_coroutine(lua_State *L);

// Replaces pcall and xpcall by ones that do not swallow the end of the run. Lua's own pcall stays
// in the registry for the task module.
#define TS_PLAIN_PCALL "tshost.pcall"
TS_RAISES void ts_open_protect(lua_State *L);

// Makes undeclared globals an error: reading or creating one raises.
TS_RAISES void ts_open_strict(lua_State *L);

// Replaces os.exit by an orderly end and lets require look beside the script, among the embedded
// modules, then on the distribution's path.
TS_RAISES void ts_open_require(lua_State *L, const char *script_dir);
TS_RAISES void ts_open_exit(lua_State *L);

// The module tables behind require.
TS_RAISES int luaopen_ts_turnstile(lua_State *L);
TS_RAISES int luaopen_ts_task_core(lua_State *L);
TS_RAISES int luaopen_ts_cjson(lua_State *L);
TS_RAISES int luaopen_ts_journal(lua_State *L);
TS_RAISES int luaopen_ts_lx(lua_State *L);
TS_RAISES int luaopen_ts_rehearsal_core(lua_State *L);
TS_RAISES int luaopen_ts_replay_core(lua_State *L);
TS_RAISES int luaopen_ts_run(lua_State *L);

#endif
