// SPDX-License-Identifier: MIT
// A job of the progress display as a box: it is begun when it is made and ended when it is closed.
// Whoever forgets to close it has its end told as a stop, at the latest when the state is closed.
#include "bindings/progress.h"

#include <stdint.h>

#include <lauxlib.h>

#include "bindings/host.h"
#include "host/base/progress.h"

#define JOB_METATABLE "tshost.progress job"

static int job__close(lua_State *L)
{
    struct ts_progress_job *job = lua_touserdata(L, 1);
    bool is_complete = lua_gettop(L) == 2 && lua_isnil(L, 2); // __close without an error
    ts_progress_finish(job, is_complete);
    return 0;
}

// start(label, total) -> job; nothing when nothing is shown
static int progress_start(lua_State *L)
{
    size_t len = 0;
    lua_settop(L, 2);
    const char *label = luaL_checklstring(L, 1, &len);
    int64_t total = luaL_optinteger(L, 2, -1);
    struct ts_progress *progress = ts_host_of(L)->progress;
    if (!ts_progress_is_on(progress)) {
        return 0;
    }
    lx_metatable(L, JOB_METATABLE, job__close, NULL, NULL);
    struct ts_progress_job *job = push_box(L, sizeof *job, JOB_METATABLE);
    ts_progress_start(progress, job, label, len, total);
    return 1;
}

// advance(job, has_failed)
static int progress_advance(lua_State *L)
{
    struct ts_progress_job *job = check_box(L, 1, JOB_METATABLE, "a job");
    ts_progress_advance(job, lua_toboolean(L, 2));
    return 0;
}

int luaopen_ts_progress(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"start", progress_start}, {"advance", progress_advance}, {NULL, NULL}};
    luaL_newlib(L, functions);
    return 1;
}
