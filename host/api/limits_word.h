// SPDX-License-Identifier: MIT
// What answers said of the limits since they were last heard: `Ratelimit` and `Ratelimit-Policy` of
// several answers, made into one word.
#ifndef TS_API_LIMITS_WORD_H
#define TS_API_LIMITS_WORD_H

#include <stddef.h>
#include <stdint.h>

#include "host/api/ratelimit.h"

struct ts_limits_word {
    int64_t answers; // that said how many are left
    size_t left_count;
    struct ts_ratelimit_left lefts[TS_RATELIMIT_MAX]; // the least of all answers, by name
    size_t policy_count;
    struct ts_ratelimit_policy policies[TS_RATELIMIT_MAX];
};

#define TS_LIMITS_POLICY_MAX 128 // longer ones are read anew each time

// The policy that was read last: most answers carry the same. Zeroed: none was.
struct ts_limits_policy {
    struct ts_ratelimit_policy items[TS_RATELIMIT_MAX];
    size_t count;
    char text[TS_LIMITS_POLICY_MAX]; // what the items were read from
};

// Adds an answer's headers to the word; NULL where the answer has none.
void ts_limits_word_add(struct ts_limits_word *word, struct ts_limits_policy *last,
    const char *ratelimit, const char *policy);

#endif
