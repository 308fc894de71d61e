// SPDX-License-Identifier: MIT
// A state like that of a script, but for what a plan puts in its way.
#include "host/runtime/program.h"

#include <lauxlib.h>

#include "host/runtime/state.h"

struct program {
    lua_CFunction main;
    void *self;
};

void lx_push_program(lua_State *L, const char *name)
{
    lua_getglobal(L, "require");
    lua_pushfstring(L, "tshost.program.%s", name);
    lua_call(L, 1, 1);
}

static int run_protected(lua_State *L)
{
    const struct program *program = lua_touserdata(L, 1);
    ts_state_open(L, NULL);
    lua_settop(L, 0);
    lua_pushcfunction(L, program->main);
    lua_pushlightuserdata(L, program->self);
    lua_call(L, 1, 0);
    return 0;
}

enum ts_err ts_program_run(
    struct ts_parts *parts, lua_CFunction main, void *self, struct ts_error *err)
{
    struct program program = {main, self};
    struct ts_rehearsal *rehearsal = parts->host.rehearsal;
    enum ts_err code = TS_OK;
    lua_State *L = luaL_newstate();
    if (!L) {
        return ts_error_set(err, TS_ERR_NOMEM, "not enough memory");
    }
    parts->host.rehearsal = NULL;
    ts_host_attach(L, &parts->host);
    lua_pushcfunction(L, run_protected);
    lua_pushlightuserdata(L, &program);
    if (lua_pcall(L, 1, 0, 0) != LUA_OK) {
        const char *text = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "unknown error";
        code = ts_error_set(err, TS_ERR_SYSTEM, "%s", text);
    }
    lua_close(L);
    parts->host.rehearsal = rehearsal;
    return code;
}
