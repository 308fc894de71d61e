// SPDX-License-Identifier: MIT
// A Lua face for the run's log. Secrets are handles and come as "[secret]"; whatever else could
// drive a terminal the log itself takes out.
#include "bindings/log.h"

#include <lauxlib.h>

#include "bindings/host.h"

static int write_line(lua_State *L, enum ts_log_level level, const char *function)
{
    if (lua_type(L, 1) != LUA_TSTRING) {
        lx_misuse(L, "%s: a string expected, got %s", function, luaL_typename(L, 1));
    }
    ts_log_line(ts_host_of(L)->log, level, "%s", lua_tostring(L, 1));
    return 0;
}

// log.note(text)
static int log_note(lua_State *L)
{
    return write_line(L, TS_LOG_NORMAL, "log.note");
}

// log.warn(text)
static int log_warn(lua_State *L)
{
    return write_line(L, TS_LOG_QUIET, "log.warn");
}

int luaopen_log(lua_State *L)
{
    static const luaL_Reg functions[] = {{"note", log_note}, {"warn", log_warn}, {NULL, NULL}};
    luaL_newlib(L, functions);
    return 1;
}
