// SPDX-License-Identifier: MIT
// `require "cjson"`: lua-cjson, with guards that scripts cannot raise. What the service answers is
// read by json_decode.c.
#ifndef TS_BINDINGS_JSON_H
#define TS_BINDINGS_JSON_H

#include <stdbool.h>
#include <stddef.h>

#include <lua.h>

#include "bindings/lx.h"

// Whether the value at idx is JSON's null.
bool lx_is_null(lua_State *L, int idx);

#endif
