// SPDX-License-Identifier: MIT
// What a client knows of changes to widgets, its own and others': whether a table that a script
// holds may be relied on without reading the widget again. The memory of freshness.lua, which says
// how the two clocks in it go together, and makes the looks at what changed.
#ifndef TS_BINDINGS_FRESHNESS_H
#define TS_BINDINGS_FRESHNESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lua.h>

#include "bindings/lx.h"

// What is known of one widget. 32 bytes: a bulk edit leaves one for each widget.
struct lx_note {
    uint64_t key;       // the hash of its sitekey; 0: a free place
    int64_t changed_us; // its newest modified_on, if it changed since a look; INT64_MIN: it did not
    uint64_t left;      // the digest that our last write left in its own fields
    unsigned own;       // bits of the fields that we wrote
};

// Of one client. Zeroed, nothing is known.
struct lx_freshness {
    struct lx_note *notes; // open addressing; cap is a power of two
    size_t cap, count;
    int64_t *recent; // modified_on of our own writes since the last look
    size_t recent_cap, recent_count;
    bool has_looked;      // then the looks so far tell of all changes ...
    int64_t from, looked; // ... between these moments (monotonic)
};

struct lx_known;

// Widgets go by the hash of their sitekey here.
uint64_t lx_freshness_key(const char *sitekey);

enum lx_trust {
    LX_TRUST_NONE, // it has to be read
    LX_TRUST_LOOK, // a look at what changed may tell
    LX_TRUST_GOOD, // it may be relied on as it is
};

// How much the table of that widget at idx may be relied on, and until when if it may. *known is
// filled unless it has to be read.
TS_RAISES enum lx_trust lx_freshness_ask(lua_State *L, const struct lx_freshness *fresh,
    uint64_t key, int idx, struct lx_known *known, int64_t *until);

// The bits of those fields of the widget at idx that are as our own writes left them.
TS_RAISES unsigned lx_freshness_own(
    lua_State *L, const struct lx_freshness *fresh, uint64_t key, int idx);

// The widget at idx has been read on behalf of a write.
TS_RAISES void lx_freshness_read(lua_State *L, struct lx_freshness *fresh, uint64_t key, int idx);

// A write has been answered with the widget at idx. `fields` are the bits of those that are our own
// in it, 0 for a write that leaves fields alone.
TS_RAISES void lx_freshness_wrote(
    lua_State *L, struct lx_freshness *fresh, uint64_t key, int idx, unsigned fields);

// Releases. Accepts a zeroed struct, may run twice.
void lx_freshness_fini(struct lx_freshness *fresh);

#endif
