// SPDX-License-Identifier: MIT
// JSON from outside into Lua values. Integers come as integers, null as a light userdata NULL,
// which lua-cjson uses too; of a name that an object has twice the last member counts.
#ifndef TS_BINDINGS_JSON_DECODE_H
#define TS_BINDINGS_JSON_DECODE_H

#include <stdbool.h>
#include <stddef.h>

#include <lua.h>

#include "bindings/json_text.h"
#include "bindings/lx.h"

// Pushes the value at the place and passes over it. False when something is wrong: see json->why;
// what is on the stack then is for the caller to drop.
TS_RAISES bool push_json_value(struct lx_json *json);

// The same for an array, each item of which `push` pushes as push_json_value would.
TS_RAISES bool push_json_array(
    struct lx_json *json, bool (*push)(struct lx_json *json, void *self), void *self);

// Pushes the only value of the text, which is followed by a NUL. When it is no JSON, leaves the
// stack as it was and says why and where in why: TS_ERROR_MESSAGE_MAX bytes.
TS_RAISES bool push_json(lua_State *L, const char *text, size_t len, char *why);

#endif
