// SPDX-License-Identifier: MIT
// Boxes that are used again. Each write needs two of some hundred bytes, for as long as it takes:
// left to the collector they were half of its work.
#ifndef TS_BINDINGS_SPARE_H
#define TS_BINDINGS_SPARE_H

#include <stdbool.h>
#include <stddef.h>

#include <lua.h>

#include "bindings/lx.h"

enum lx_spare_kind { LX_SPARE_EXCHANGE, LX_SPARE_CHANGES, LX_SPARE_COUNT };

// Those of one kind that wait. Zeroed: there are none.
struct lx_spares {
    size_t count;
    int first; // its place in the registry, see luaL_ref
};

// Makes room for them; called once at set-up.
TS_RAISES void lx_open_spares(lua_State *L);

// Does what push_box does, with a box that was given back if there is one. All of a kind have the
// same size and metatable.
TS_RAISES void *push_spare(
    lua_State *L, enum lx_spare_kind kind, size_t size, const char *metatable);

// Gives back the box at idx, which has been closed and which nobody will use any more; the
// collector gets those that are too many. *is_spare, in the box, says that it was given back, and
// that it is not to be so again: it may be closed twice. Does not raise: a __close may end with it.
void lx_spare_add(lua_State *L, int idx, enum lx_spare_kind kind, bool *is_spare);

// Leaves those that wait to the collector.
TS_RAISES void lx_spares_drop(lua_State *L, enum lx_spare_kind kind);

#endif
