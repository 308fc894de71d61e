// SPDX-License-Identifier: MIT
// How many requests a credential may make. One limiter for the whole server; how it counts is
// known only to ratelimit.c.
#ifndef TS_SANDBOX_RATELIMIT_H
#define TS_SANDBOX_RATELIMIT_H

#include <stdbool.h>
#include <stdint.h>

#include "host/base/error.h"

struct ts_sandbox_limiter;

// What a limiter says about one request; the header values are made from it.
struct ts_sandbox_verdict {
    bool is_refused;
    int64_t quota;
    int64_t window_s;
    int64_t remaining; // requests left
    int64_t reset_s;   // until there are more; after a refusal, until calls are taken again
};

// The largest limit, so that a log of it can be kept, and their product counted in microseconds.
#define TS_SANDBOX_RATE_MAX 1000000
#define TS_SANDBOX_RATE_WINDOW_MAX_S 1000000

// Makes a limiter of a kind: "fixed-window" (also when NULL), "sliding-log", "sliding-counter" or
// "token-bucket". Requests 0 means that nothing is ever refused. Whatever the kind, going over
// refuses every call for a whole window. USAGE for an unknown kind, NOMEM.
enum ts_err ts_sandbox_limiter_create(const char *kind, int64_t requests, int64_t window_s,
    struct ts_sandbox_limiter **out, struct ts_error *err);

// Releases. NULL is fine.
void ts_sandbox_limiter_destroy(struct ts_sandbox_limiter *limiter);

// What it would say to a credential that has sent nothing yet; counts nothing.
void ts_sandbox_limiter_fresh(
    const struct ts_sandbox_limiter *limiter, struct ts_sandbox_verdict *verdict);

// Counts one request of a credential (any number that stands for it) at a monotonic time.
void ts_sandbox_limiter_count(struct ts_sandbox_limiter *limiter, uint64_t who, int64_t now_us,
    struct ts_sandbox_verdict *verdict);

#endif
