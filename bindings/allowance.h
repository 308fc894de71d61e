// SPDX-License-Identifier: MIT
// turnstile.allowance: what --allow grants, for scripts that would rather not begin than stop half
// way.
#ifndef TS_BINDINGS_ALLOWANCE_H
#define TS_BINDINGS_ALLOWANCE_H

#include "bindings/lx.h"

// allowance(kind) -> how many more of create, update, delete, rotate, any-hostname or reveal the
// run may do: 0 when it is not granted or under --read-only, math.huge without a cap. Raises on
// another kind.
TS_RAISES int turnstile_allowance(lua_State *L);

#endif
