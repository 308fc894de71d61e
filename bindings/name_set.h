// SPDX-License-Identifier: MIT
// Hostnames as a sorted list without repeats, lower-cased: how domains compare.
// The names stay Lua's: the list they came from, or the set's own user value, holds them.
#ifndef TS_BINDINGS_NAME_SET_H
#define TS_BINDINGS_NAME_SET_H

#include <stdbool.h>
#include <stddef.h>

#include <lua.h>

#include "bindings/lx.h"

struct lx_name_set {
    size_t count;
    const char *names[];
};

// Pushes the set of the list at idx, which must stay where it is for as long as the set is used;
// nil is the empty list. Entries that are no strings are passed over; those that our rules would
// not take are kept as they are.
TS_RAISES struct lx_name_set *push_name_set(lua_State *L, int idx);

// Pushes what is in `set` but not in `removed`, or is in `added`.
TS_RAISES struct lx_name_set *push_name_merge(lua_State *L, const struct lx_name_set *set,
    const struct lx_name_set *added, const struct lx_name_set *removed);

// Whether both hold the same names.
bool lx_name_set_is_same(const struct lx_name_set *a, const struct lx_name_set *b);

// Pushes the names as a list.
TS_RAISES void push_name_list(lua_State *L, const struct lx_name_set *set);

#endif
