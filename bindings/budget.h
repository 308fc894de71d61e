// SPDX-License-Identifier: MIT
// `turnstile.budget` and `turnstile.estimate`, also of clients: what is left of the rate budget.
#ifndef TS_BINDINGS_BUDGET_H
#define TS_BINDINGS_BUDGET_H

#include <lua.h>

#include "bindings/lx.h"

// Puts both functions into the table below the client box on top, and pops the box.
TS_RAISES void lx_add_budget(lua_State *L);

#endif
