// SPDX-License-Identifier: MIT
// What a widget table that came from the API knows about itself: when it was read, and a digest of
// its fields as they came. It lies in a metatable that scripts cannot see, one for all rows of a
// page or several widgets, so that keeping a fleet costs next to nothing. A table that was changed,
// copied or made by hand has no snapshot: its digest is not among those that came.
#ifndef TS_BINDINGS_SNAPSHOT_H
#define TS_BINDINGS_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lua.h>

#include "bindings/lx.h"

// All pages of one list: what they say together of the service's clock.
struct lx_reading {
    int64_t start_us;  // monotonic: when the first request began; INT64_MAX: none yet
    int64_t end_us;    // when the newest answer had come
    int64_t newest_us; // the latest modified_on; INT64_MIN: none
};

// What is known of a widget table whose fields are as they came.
struct lx_known {
    int64_t read_us;  // monotonic: the beginning of the request that brought it
    int64_t since_us; // monotonic: a moment not after read_us ...
    int64_t floor_us; // ... at which the service's clock said this or later; INT64_MIN: unknown
};

// Pushes an empty reading.
TS_RAISES struct lx_reading *push_reading(lua_State *L);

// Notes in a reading the request that began and ended then, and the latest modified_on of its rows,
// as text, "" when there is none.
void lx_reading_add(
    struct lx_reading *reading, int64_t start_us, int64_t end_us, const char *newest);

// Pushes the metatable for the rows of one page, whose list's reading is at the index `reading`.
TS_RAISES void push_snapshot(lua_State *L, int64_t start_us, int64_t end_us, int reading);

// Sets the metatable of the widget on top, which has that digest (digest.h; 0: it has no snapshot):
// of a row that of its page, which is at the index `page` and not relative; or of one that was read
// alone.
TS_RAISES void lx_snapshot_row(lua_State *L, int page, uint64_t digest);
TS_RAISES void lx_snapshot_single(lua_State *L, uint64_t digest, int64_t start_us, int64_t end_us);

// The modified_on of the widget's table at idx, INT64_MIN when it has none.
int64_t lx_modified_of(lua_State *L, int idx);

// What is known of the value at idx; false when it is no widget that is as it came.
TS_RAISES bool lx_snapshot_of(lua_State *L, int idx, struct lx_known *out);

#endif
