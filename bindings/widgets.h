// SPDX-License-Identifier: MIT
// The endpoint functions of `turnstile.widgets`, and siteverify. Upvalue 1 of each is the client
// box. docs/meta/turnstile.lua has their Lua face.
#ifndef TS_BINDINGS_WIDGETS_H
#define TS_BINDINGS_WIDGETS_H

#include <lua.h>

#include "bindings/lx.h"

TS_RAISES int widgets_get(lua_State *L);
TS_RAISES int widgets_create(lua_State *L);
TS_RAISES int widgets_update(lua_State *L);
TS_RAISES int widgets_delete(lua_State *L);
TS_RAISES int widgets_rotate_secret(lua_State *L);
TS_RAISES int widgets_list(lua_State *L);
TS_RAISES int widgets_all(lua_State *L);
TS_RAISES int turnstile_siteverify(lua_State *L);

// Registers the list's metatable; called once at set-up.
TS_RAISES void lx_open_list(lua_State *L);

#endif
