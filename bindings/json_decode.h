// SPDX-License-Identifier: MIT
// JSON from outside into Lua values. Strict (RFC 8259): one value, UTF-8, no trailing commas, no
// comments. Integers come as integers, null as a light userdata NULL, which lua-cjson uses too.
#ifndef TS_BINDINGS_JSON_DECODE_H
#define TS_BINDINGS_JSON_DECODE_H

#include <stdbool.h>
#include <stddef.h>

#include <lua.h>

#include "bindings/lx.h"
#include "host/base/error.h"

// Arrays and objects in each other.
#define LX_JSON_DEPTH_MAX 1000

// Pushes the value of the text, which is followed by a NUL. When it is no JSON, leaves the stack as
// it was and says why and where in why: TS_ERROR_MESSAGE_MAX bytes. Holds no memory of its own, so
// that nothing is lost when Lua runs out of its own.
TS_RAISES bool push_json(lua_State *L, const char *text, size_t len, char *why);

#endif
