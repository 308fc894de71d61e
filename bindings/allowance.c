// SPDX-License-Identifier: MIT
// A Lua face for what is left of --allow. Counting stays with ops: asking uses nothing up.
#include "bindings/allowance.h"

#include <math.h>

#include <lauxlib.h>

#include "bindings/host.h"
#include "host/base/str.h"
#include "host/ops/door.h"

#define FUNCTION "turnstile.allowance"

int turnstile_allowance(lua_State *L)
{
    if (lua_type(L, 1) != LUA_TSTRING) {
        lx_misuse(L, "%s: a string expected, got %s", FUNCTION, luaL_typename(L, 1));
    }
    const char *name = lua_tostring(L, 1);
    int kind = 0;
    while (
        kind < TS_ALLOW_COUNT && !ts_str_is(ts_permission_name((enum ts_permission)kind), name)) {
        kind++;
    }
    if (kind == TS_ALLOW_COUNT) {
        lx_misuse(L,
            "%s: \"%s\" is not a permission; there are delete, rotate, any-hostname, reveal",
            FUNCTION, name);
    }
    int64_t left = ts_permissions_left(&ts_host_of(L)->door->permissions, (enum ts_permission)kind);
    if (left == INT64_MAX) {
        lua_pushnumber(L, HUGE_VAL);
    } else {
        lua_pushinteger(L, left);
    }
    return 1;
}
