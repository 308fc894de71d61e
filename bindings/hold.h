// SPDX-License-Identifier: MIT
// Whose turn it is: one task at a time for each key, or all of those that share one. Those that
// wait are all woken when a hold ends, the first to come first, and look again, so that one which
// was cancelled meanwhile takes nobody's turn with it.
#ifndef TS_BINDINGS_HOLD_H
#define TS_BINDINGS_HOLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lua.h>

#include "bindings/lx.h"
#include "bindings/task.h"

enum { LX_HOLD_BUCKETS = 256 };

// What is held on to: a widget, all widgets of a name, or the turn of a client's late updates.
enum lx_hold_kind { LX_HOLD_SITEKEY, LX_HOLD_NAME, LX_HOLD_LATE };

// All holds of a run, of whatever client: two may be of one account. Zeroed: there are none.
struct lx_holds {
    struct lx_hold_bucket {
        struct lx_hold *first, *last; // as they came
    } buckets[LX_HOLD_BUCKETS];
};

// One that is held or waited for. At the beginning of a userdata with the metatable of holds, which
// ends it when it is closed or collected. Zeroed: neither.
struct lx_hold {
    struct ts_waiter waiter;
    struct lx_holds *holds; // NULL: in no list
    struct lx_hold *prev, *next;
    uint64_t key;
    bool is_shared; // not in the way of others that are shared
    bool is_held;
};

// Registers the metatable; called once at set-up.
TS_RAISES void lx_open_hold(lua_State *L);

// Gives the userdata on top, which begins with a zeroed hold, the metatable of holds.
TS_RAISES void lx_hold_tie(lua_State *L);

// Takes the hold of the tied userdata on top of the stack for the key with that hash, and returns
// the userdata as the calling function's result. May wait: to be called in a tail position, with
// nothing on the stack that is to be closed.
TS_RAISES int lx_hold_take(lua_State *L, enum lx_hold_kind kind, uint64_t hash);

// Ends the hold, or the waiting for it. May be called twice.
void lx_hold_end(struct lx_hold *hold);

// Wakes all that wait: the run is stopping, and those who hold have been stopped.
void lx_holds_wake(struct lx_holds *holds);

// What the Lua half needs of holds, added to the table on top of the stack: hold, release.
TS_RAISES void lx_add_holds(lua_State *L);

#endif
