// SPDX-License-Identifier: MIT
// Those of a kind form a list through their user values, which ends in false and begins in the
// registry: so taking and giving back need no memory, and the one used last is used first.
#include "bindings/spare.h"

#include <string.h>

#include <lauxlib.h>

#include "bindings/host.h"

#define MOST 64 // of a kind; more are in use at once only where nobody counts the bytes

void lx_open_spares(lua_State *L)
{
    for (int kind = 0; kind < LX_SPARE_COUNT; kind++) {
        struct lx_spares *spares = &ts_host_of(L)->spares[kind];
        lua_pushboolean(L, 0);
        *spares = (struct lx_spares){.first = luaL_ref(L, LUA_REGISTRYINDEX)};
    }
}

void *push_spare(lua_State *L, enum lx_spare_kind kind, size_t size, const char *metatable)
{
    struct lx_spares *spares = &ts_host_of(L)->spares[kind];
    if (spares->count == 0) {
        return push_box(L, size, metatable);
    }
    spares->count--;
    lua_rawgeti(L, LUA_REGISTRYINDEX, spares->first);
    lua_getiuservalue(L, -1, 1);
    lua_rawseti(L, LUA_REGISTRYINDEX, spares->first);
    lua_pushnil(L);
    lua_setiuservalue(L, -2, 1);
    return memset(lua_touserdata(L, -1), 0, size);
}

void lx_spare_add(lua_State *L, int idx, enum lx_spare_kind kind, bool *is_spare)
{
    struct lx_spares *spares = &ts_host_of(L)->spares[kind];
    if (*is_spare || spares->count == MOST) {
        return;
    }
    *is_spare = true;
    spares->count++;
    idx = lua_absindex(L, idx);
    lua_rawgeti(L, LUA_REGISTRYINDEX, spares->first);
    lua_setiuservalue(L, idx, 1);
    lua_pushvalue(L, idx);
    lua_rawseti(L, LUA_REGISTRYINDEX, spares->first);
}

void lx_spares_drop(lua_State *L, enum lx_spare_kind kind)
{
    struct lx_spares *spares = &ts_host_of(L)->spares[kind];
    spares->count = 0;
    lua_pushboolean(L, 0);
    lua_rawseti(L, LUA_REGISTRYINDEX, spares->first);
}
