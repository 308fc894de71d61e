// SPDX-License-Identifier: MIT
// What others need of widgets.list: to give up one that is not read to its end.
#ifndef TS_BINDINGS_LIST_H
#define TS_BINDINGS_LIST_H

#include <lua.h>

#include "bindings/lx.h"

// close_list(value): gives up the requests of a list when the value is an iterator of widgets.list;
// nothing for any other value.
TS_RAISES int lx_close_list(lua_State *L);

#endif
