// SPDX-License-Identifier: MIT
// What a widget table that came from the API knows about itself: when it was read, and a digest of
// its fields as they came. It lies in a metatable that scripts cannot see, one for all rows of a
// page, so that keeping a fleet costs next to nothing. A table that was changed, copied or made by
// hand has no snapshot: its digest is not among those that came.
#ifndef TS_BINDINGS_SNAPSHOT_H
#define TS_BINDINGS_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lua.h>

#include "bindings/lx.h"

#define LX_MODIFIED_MAX 40

// All pages of one list: what they say together of the service's clock.
struct lx_reading {
    int64_t start_us;             // monotonic: when the first request began; INT64_MAX: none yet
    int64_t end_us;               // when the newest answer had come
    char newest[LX_MODIFIED_MAX]; // the latest modified_on, as text
};

struct lx_snapshot;

// What adopting a widget has found.
struct lx_adopted {
    uint64_t digest;      // 0: it holds what cannot be compared, so it has no snapshot
    const char *modified; // modified_on, anchored by the widget; NULL when absent
    size_t modified_len;
};

// What is known of a widget table whose fields are as they came.
struct lx_known {
    int64_t read_us;     // monotonic: the beginning of the request that brought it
    int64_t since_us;    // monotonic: a moment not after read_us ...
    int64_t floor_us;    // ... at which the service's clock said this or later; INT64_MIN: unknown
    int64_t modified_us; // its modified_on; INT64_MIN: absent
};

// Turns the decoded widget on top of the stack into what scripts see: secret as a handle, null as
// absent, whole numbers as integers. Everything else stays, known or not.
TS_RAISES void lx_widget_adopt(lua_State *L, struct lx_adopted *out);

// Pushes an empty reading.
TS_RAISES struct lx_reading *push_reading(lua_State *L);

// Notes in a reading the request that began and ended then, and a row of it.
void lx_reading_add(struct lx_reading *reading, int64_t start_us, int64_t end_us);
void lx_reading_see(struct lx_reading *reading, const struct lx_adopted *row);

// Pushes the metatable for at most `rows` widgets of one answer. The reading is at the index
// `reading`; 0 for an answer with a single widget.
TS_RAISES struct lx_snapshot *push_snapshot(
    lua_State *L, size_t rows, int64_t start_us, int64_t end_us, int reading);

// Notes a row, whose metatable the caller then sets.
void lx_snapshot_add(struct lx_snapshot *snapshot, const struct lx_adopted *row);

// What is known of the value at idx; false when it is no widget that is as it came. Does not raise.
bool lx_snapshot_of(lua_State *L, int idx, struct lx_known *out);

// A digest of those writable fields of the widget at idx whose bits (1 << enum ts_widget_field) are
// set; domains count as a list, which the service sorts.
uint64_t lx_fields_digest(lua_State *L, int idx, unsigned fields);

#endif
