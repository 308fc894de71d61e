// SPDX-License-Identifier: MIT
// Reading `Ratelimit` and `Ratelimit-Policy`: lists of named items with numbers behind semicolons,
// as in `"default";q=1200;w=300`. What makes no sense is passed over, item by item.
#ifndef TS_API_RATELIMIT_H
#define TS_API_RATELIMIT_H

#include <stddef.h>
#include <stdint.h>

#define TS_RATELIMIT_MAX 4 // items of a header that are kept

struct ts_ratelimit_policy {
    uint32_t name;    // a digest of the item's name, never 0
    int64_t requests; // 1 to TS_RATELIMIT_REQUESTS_MAX
    int64_t window_us;
};

struct ts_ratelimit_left {
    uint32_t name;
    int64_t requests; // that may still be made
    int64_t reset_us; // until there are more; -1: not told
};

#define TS_RATELIMIT_REQUESTS_MAX 1000000000
#define TS_RATELIMIT_SECONDS_MAX 1000000

// Reads `Ratelimit-Policy`; returns how many items were understood. Of more than there is room for,
// those that allow least are kept. Items that count something else than requests are passed over.
size_t ts_ratelimit_read_policy(
    const char *text, struct ts_ratelimit_policy items[TS_RATELIMIT_MAX]);

// Reads `Ratelimit` in the same way.
size_t ts_ratelimit_read_left(const char *text, struct ts_ratelimit_left items[TS_RATELIMIT_MAX]);

#endif
