// SPDX-License-Identifier: MIT
// The requests that were answered, the latest ones, for tests that ask what a client really did.
// Neither headers nor bodies are kept, so no secret is.
#ifndef TS_SANDBOX_HISTORY_H
#define TS_SANDBOX_HISTORY_H

#include <stddef.h>
#include <stdint.h>

#define TS_SANDBOX_HISTORY_MAX 100000
#define TS_SANDBOX_HISTORY_PATH_MAX 512

struct ts_sandbox_history_entry {
    int64_t wall_us;
    int status;     // 0: the connection was closed without a reply
    const char *op; // static
    char method[8];
    char *path; // with the query
};

struct ts_sandbox_history {
    struct ts_sandbox_history_entry *entries; // a ring, allocated as it fills
    size_t cap;
    size_t count;
    int64_t total; // ever added; the newest entry has this number
};

// Adds an entry; the oldest goes when there are too many. When memory is short all are forgotten:
// a history with a gap that does not show would be worse than none.
void ts_sandbox_history_add(struct ts_sandbox_history *history, int64_t wall_us, int status,
    const char *op, const char *method, const char *path);

// The i-th oldest of the kept entries; *seq becomes its number. Borrowed.
const struct ts_sandbox_history_entry *ts_sandbox_history_at(
    const struct ts_sandbox_history *history, size_t i, int64_t *seq);

// Forgets all and numbers from 1 again. Also the fini: accepts a zeroed struct and may run twice.
void ts_sandbox_history_clear(struct ts_sandbox_history *history);

#endif
