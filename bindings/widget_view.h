// SPDX-License-Identifier: MIT
// A widget's table as plain values, for as long as a native function needs them: what merging,
// comparing and writing it down begin with.
#ifndef TS_BINDINGS_WIDGET_VIEW_H
#define TS_BINDINGS_WIDGET_VIEW_H

#include <stddef.h>

#include <lua.h>

#include "bindings/widget.h"

enum {
    LX_VIEW_FEW = 96, // names that need no memory of their own
    LX_ALL_FIELDS = (1 << TS_WIDGET_FIELD_COUNT) - 1,
    LX_DOMAINS_BIT = 1 << TS_WIDGET_DOMAINS,
};

// A widget's fields as its table has them. Their strings are pushed and stay on the stack: wherever
// memory is asked for, a finalizer of the script's may run and change the table. The array of names
// is here while they are few, else in a userdata that is pushed.
struct lx_view {
    struct lx_fields fields;
    const char **spare; // room for the names twice more, and for those that come in addition
    const char *few[LX_VIEW_FEW];
};

// Reads those fields of the widget at idx whose bits are set. `more` names may be added to its
// domains. The caller sets the top of the stack back when it is done with the view.
TS_RAISES void lx_view_read(
    lua_State *L, int idx, unsigned bits, size_t more, struct lx_view *view);

// Makes the domains a set, to be compared.
TS_RAISES void lx_view_normalise(lua_State *L, struct lx_view *view);

#endif
