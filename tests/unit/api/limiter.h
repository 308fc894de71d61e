// SPDX-License-Identifier: MIT
// Four ways in which a server may count requests, as models for tests of the governor. Written
// from their definitions, not from the sandbox's code.
#ifndef TESTS_UNIT_API_LIMITER_H
#define TESTS_UNIT_API_LIMITER_H

#include <stdbool.h>
#include <stdint.h>

enum limiter_kind { FIXED_WINDOW, SLIDING_LOG, SLIDING_COUNTER, TOKEN_BUCKET, KINDS };

#define LIMITER_LOG_MAX 2048

struct limiter {
    enum limiter_kind kind;
    int64_t requests; // at most LIMITER_LOG_MAX
    int64_t window_us;
    int64_t start_us;
    int64_t used;
    int64_t used_before;
    double tokens;
    int64_t times[LIMITER_LOG_MAX]; // a ring
    int64_t first;
};

// "fixed-window", ...
const char *limiter_name(enum limiter_kind kind);

void limiter_init(
    struct limiter *limiter, enum limiter_kind kind, int64_t requests, int64_t window_us);

// Counts a request if there is room for it; says what is left and in how many microseconds there is
// more. Time never goes back.
bool limiter_take(struct limiter *limiter, int64_t now_us, int64_t *left, int64_t *reset_us);

#endif
