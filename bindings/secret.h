// SPDX-License-Identifier: MIT
// Secrets as Lua sees them: handles that print as "[secret]" and go to a file or a command.
// The decoder makes them; siteverify and JSON recognise them.
#ifndef TS_BINDINGS_SECRET_H
#define TS_BINDINGS_SECRET_H

#include <stddef.h>

#include <lua.h>

#include "bindings/lx.h"
#include "host/base/secret.h"

// The metatable's name.
#define LX_SECRET "secret"

// Registers the metatable; called once at set-up, before push_secret.
TS_RAISES void lx_open_secret(lua_State *L);

// Pushes a handle for a copy of len bytes; the source is the caller's to wipe. Raises when memory
// ends or the secret is longer than TS_SECRET_MAX.
TS_RAISES void push_secret(lua_State *L, const char *bytes, size_t len);

// Notes whose secret the one at idx is: that of the widget with the sitekey at `sitekey`.
void lx_secret_set_owner(lua_State *L, int idx, int sitekey);

// Whether the value at idx is a secret, be it closed or not. Does not raise.
bool lx_is_secret(lua_State *L, int idx);

// The secret at idx, NULL when the value is none or was closed. Borrowed: it lives as long as the
// value is on the stack and nothing is called that could close it. Does not raise.
struct ts_secret *lx_test_secret(lua_State *L, int idx);

#endif
