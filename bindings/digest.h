// SPDX-License-Identifier: MIT
// A widget in one number: the sum of a hash per member, so that the order in which a table or an
// answer gives them does not matter. Members are those of widget_member.h.
#ifndef TS_BINDINGS_DIGEST_H
#define TS_BINDINGS_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#include <lua.h>

#include "bindings/lx.h"

// The hash of a member's value: it begins with the member's number; texts go into it; if they are
// the items of a list, it ends with their count.
uint64_t lx_digest_begin(int member);
uint64_t lx_digest_text(uint64_t hash, const char *bytes, size_t len);
uint64_t lx_digest_end(uint64_t hash, size_t count);

// That of the value on top of the stack, all at once; 0 when it cannot be compared. Does not raise.
uint64_t lx_digest_value(lua_State *L, int member);

// The digest of the widget at idx, 0 when it holds what cannot be compared.
TS_RAISES uint64_t lx_digest_widget(lua_State *L, int idx);

// A digest of those writable fields of the widget at idx whose bits (1 << enum ts_widget_field) are
// set; domains count as a list, which the service sorts.
TS_RAISES uint64_t lx_digest_fields(lua_State *L, int idx, unsigned fields);

#endif
