// SPDX-License-Identifier: MIT
// A Lua face for what is left of --allow and of the caps. Counting stays with ops: asking uses
// nothing up.
#include "bindings/allowance.h"

#include <math.h>

#include <lauxlib.h>

#include "bindings/host.h"
#include "bindings/replay.h"
#include "host/ops/door.h"

#define FUNCTION "turnstile.allowance"

int turnstile_allowance(lua_State *L)
{
    if (lua_type(L, 1) != LUA_TSTRING) {
        lx_misuse(L, "%s: a string expected, got %s", FUNCTION, luaL_typename(L, 1));
    }
    const char *name = lua_tostring(L, 1);
    enum ts_permission kind = ts_permission_find(name);
    if (kind == TS_ALLOW_COUNT) {
        lx_misuse(L,
            "%s: \"%s\" is not a permission; there are create, update, delete, rotate, "
            "any-hostname, reveal",
            FUNCTION, name);
    }
    const struct ts_host *host = ts_host_of(L);
    int64_t left = ts_permissions_left(&host->door->permissions, kind);
    if (host->replay && left != INT64_MAX) {
        left += host->replay->owed[kind]; // what is asked for again costs nothing
    }
    if (left == INT64_MAX) {
        lua_pushnumber(L, HUGE_VAL);
    } else {
        lua_pushinteger(L, left);
    }
    return 1;
}
