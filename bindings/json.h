// SPDX-License-Identifier: MIT
// JSON for native functions, over an instance of lua-cjson whose guards scripts cannot raise.
// The only place outside state and sandbox where JSON is parsed.
#ifndef TS_BINDINGS_JSON_H
#define TS_BINDINGS_JSON_H

#include <stdbool.h>
#include <stddef.h>

#include <lua.h>

#include "bindings/lx.h"

// Makes the instance; called once at set-up.
TS_RAISES void lx_open_json(lua_State *L);

// Decodes len bytes and pushes the value. When they are not valid UTF-8 or not JSON, pushes
// nothing, writes the reason to why (TS_ERROR_MESSAGE_MAX bytes) and returns false.
TS_RAISES bool push_json(lua_State *L, const char *text, size_t len, char *why);

// Whether the value at idx is JSON's null.
bool lx_is_null(lua_State *L, int idx);

// Turns floats without a fraction into integers, in the value on top of the stack and all below it.
TS_RAISES void lx_integers(lua_State *L);

#endif
