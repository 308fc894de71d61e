// SPDX-License-Identifier: MIT
// Hostnames as a sorted list without repeats, lower-cased: how domains compare.
// Only pointers: the bytes stay whose they are.
#ifndef TS_BINDINGS_NAME_SET_H
#define TS_BINDINGS_NAME_SET_H

#include <stdbool.h>
#include <stddef.h>

#include <lua.h>

#include "bindings/lx.h"

struct lx_names {
    const char **names;
    size_t count;
};

// Sorts the names, each in its normal form, and drops repeats: a list becomes a set.
void lx_names_sort(struct lx_names *list);

// Fills `set`, whose names have room for as many, with the names of the list in their normal form.
// One that was in another form is pushed, and stays on the stack; those that our rules would not
// take are kept as they are.
TS_RAISES void lx_names_normalise(lua_State *L, const struct lx_names *list, struct lx_names *set);

// Fills `merged`, whose names have room for those of `set` and `added`, with what is in `set` but
// not in `removed`, or is in `added`. All are sets.
void lx_names_merge(const struct lx_names *set, const struct lx_names *added,
    const struct lx_names *removed, struct lx_names *merged);

// Whether both sets hold the same names.
bool lx_names_is_same(const struct lx_names *a, const struct lx_names *b);

// The first name that is in both sets, NULL when there is none.
const char *lx_names_common(const struct lx_names *a, const struct lx_names *b);

#endif
