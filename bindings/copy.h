// SPDX-License-Identifier: MIT
// Copying an account for a plan: one list of all widgets, each page handed over as it came.
#ifndef TS_BINDINGS_COPY_H
#define TS_BINDINGS_COPY_H

#include <lua.h>

#include "bindings/host.h"
#include "bindings/lx.h"

struct ts_budget;

// Sees to it that the account of that wish was copied, and gives the budget on which requests to
// the account itself go, which lives as long as the run. Waits inside, without yielding: what
// copies is the first call that needs the account, wherever the script makes it. A list that fails
// or stays incomplete raises, noted in the ledger. Returns why there is no client of the account.
TS_RAISES enum ts_err lx_copy_account(lua_State *L, const struct ts_client_wish *wish,
    struct ts_budget **budget, struct ts_error *err);

// Registers the metatable; called once at set-up.
TS_RAISES void lx_open_copy(lua_State *L);

#endif
