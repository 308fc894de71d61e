// SPDX-License-Identifier: MIT
// What a script may count on being there.
// Native modules are in package.preload: cheap until they are required.
#include "host/runtime/state.h"

#include <lauxlib.h>
#include <lualib.h>

#include "bindings/csv.h"
#include "bindings/fs.h"
#include "bindings/human.h"
#include "bindings/limits.h"
#include "bindings/log.h"
#include "bindings/modules.h"
#include "bindings/progress.h"
#include "bindings/rehearsal.h"
#include "bindings/secret.h"

static const luaL_Reg modules[] = {
    {"turnstile", luaopen_ts_turnstile},
    {"cjson", luaopen_ts_cjson},
    {"csv", luaopen_csv},
    {"fs", luaopen_fs},
    {"human", luaopen_human},
    {"limits", luaopen_limits},
    {"log", luaopen_log},
    {"tshost.journal", luaopen_ts_journal},
    {"tshost.lx", luaopen_ts_lx},
    {"tshost.progress", luaopen_ts_progress},
    {"tshost.rehearsal_core", luaopen_ts_rehearsal_core},
    {"tshost.replay_core", luaopen_ts_replay_core},
    {"tshost.run", luaopen_ts_run},
    {"tshost.task_core", luaopen_ts_task_core},
    {NULL, NULL},
};

void ts_state_open(lua_State *L, const char *script_dir)
{
    luaL_openlibs(L);
    lx_open_failure(L);
    lx_open_secret(L);
    ts_open_coroutine(L);
    ts_open_protect(L);
    ts_open_require(L, script_dir);
    ts_open_exit(L);
    lua_getglobal(L, "package");
    lua_getfield(L, -1, "preload");
    luaL_setfuncs(L, modules, 0);
    lua_pop(L, 2);
    if (ts_host_of(L)->rehearsal) {
        ts_open_rehearsal(L);
    }
}

void ts_state_set_args(lua_State *L, const struct ts_config *config, const char *script)
{
    lua_createtable(L, config->arg_count, 2);
    lua_pushstring(L, config->program);
    lua_rawseti(L, -2, -1);
    lua_pushstring(L, script);
    lua_rawseti(L, -2, 0);
    for (int i = 0; i < config->arg_count; i++) {
        lua_pushstring(L, config->args[i]);
        lua_rawseti(L, -2, i + 1);
    }
    lua_setglobal(L, "arg");
    ts_open_strict(L); // last: from here on globals are declared
}
