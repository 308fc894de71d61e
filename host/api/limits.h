// SPDX-License-Identifier: MIT
// The limits that a server has told of, and its last word on what is left of each. Plain memory and
// arithmetic: part of the governor's record.
//
// Answers overtake each other, so the word that came last need not be the one that the server said
// last. The least of all that can have been is taken for it: see ts_limits_hear.
#ifndef TS_API_LIMITS_H
#define TS_API_LIMITS_H

#include <stdbool.h>
#include <stdint.h>

#include "host/api/limit.h"
#include "host/api/limits_word.h"

struct ts_limits {
    int64_t round_left; // answers until the round is over
    struct ts_limit items[TS_RATELIMIT_MAX];
};

// Whether any limit is known; whether what a file held can be limits.
bool ts_limits_is_any(const struct ts_limits *limits);
bool ts_limits_is_sound(const struct ts_limits *limits);

// Begins with one request at a time, until the server has spoken: for a history that was lost.
void ts_limits_doubt(struct ts_limits *limits, int64_t requests, int64_t window_us, int64_t now_us);

// Whether it still goes one at a time, and until when if the server does not speak.
bool ts_limits_is_doubtful(const struct ts_limits *limits, int64_t *until_us);

// Gives limits that were named without a policy these figures: a run's --rate is not the next
// one's.
void ts_limits_assume(struct ts_limits *limits, int64_t requests, int64_t window_us);

// Moves all times, or brings those back that lie further ahead than they can.
void ts_limits_shift(struct ts_limits *limits, int64_t shift_us);
void ts_limits_clamp(struct ts_limits *limits, int64_t now_us);

// Requests have ended without a word: the server may have counted them.
void ts_limits_spend(struct ts_limits *limits, int64_t count);

// Hears what answers said; held requests are in flight beside them. A name that comes without a
// policy stands for the fallback's. True when the limits have changed.
bool ts_limits_hear(struct ts_limits *limits, const struct ts_limits_word *word, int64_t held,
    const struct ts_ratelimit_policy *fallback, int64_t now_us);

// Learns from the same word what others use: the log and total hold all own requests that ended.
void ts_limits_watch(struct ts_limits *limits, const struct ts_limits_word *word, int64_t held,
    int64_t total, const struct ts_answer_log *log, int64_t now_us);

// Answers that say nothing: the last word, or the doubt, is forgotten when it is a window old.
void ts_limits_hear_silence(struct ts_limits *limits, int64_t now_us);

// Nothing is left until then.
void ts_limits_pause(struct ts_limits *limits, int64_t until_us, int64_t now_us);

#endif
