// SPDX-License-Identifier: MIT
// A set of sitekeys already seen in a list, as 64-bit hashes: eight bytes each, so that a million
// rows cost no more than a few pages of them.
#ifndef TS_BINDINGS_SEEN_H
#define TS_BINDINGS_SEEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/base/error.h"

struct ts_seen {
    uint64_t *slots; // 0: free
    size_t cap;      // a power of two
    size_t count;
};

// The hash that stands for a text, never 0.
uint64_t ts_seen_hash(const char *text, size_t len);

// Adds the text; *is_new says whether it was not there. NOMEM. A zeroed struct is an empty set.
enum ts_err ts_seen_add(struct ts_seen *seen, const char *text, size_t len, bool *is_new);

// Whether the text is there.
bool ts_seen_has(const struct ts_seen *seen, const char *text, size_t len);

// Releases. Accepts a zeroed struct, may run twice.
void ts_seen_fini(struct ts_seen *seen);

#endif
