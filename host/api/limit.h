// SPDX-License-Identifier: MIT
// The limits that a server has told of, and its last word on what is left of each. Plain memory and
// arithmetic: part of the governor's record.
//
// Answers overtake each other, so the word that came last need not be the one that the server said
// last. The least of all that can have been is taken for it: see ts_limits_hear.
#ifndef TS_API_LIMIT_H
#define TS_API_LIMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/api/limits_word.h"
#include "host/api/others.h"

struct ts_limit {
    uint32_t name;       // digest, see ratelimit.h; 0: no limit here
    uint32_t is_assumed; // named without a policy: requests and window are the user's
    int64_t requests;
    int64_t window_us;
    int64_t told_us;       // when the policy was last told
    int64_t left;          // at least so many were left, before what is in flight; -1: not told
    int64_t reset_us;      // when that changes, as told
    int64_t heard_us;      // when left was last told
    int64_t next_left;     // the least of the present round; INT64_MAX: nothing yet
    int64_t next_reset_us; // told with it
    int64_t probe_us;      // no look at a used-up limit before
    int64_t probe_gap_us;  // from one look to the next; doubles while nothing comes of it
    struct ts_others others;
};

struct ts_limits {
    int64_t round_left; // answers until the round is over
    struct ts_limit items[TS_RATELIMIT_MAX];
};

// What a limit leaves room for, and when that changes.
struct ts_room {
    int64_t count;
    int64_t retry_us; // when count is not positive
};

// The requests that are held back of what a server says is left of a limit: 12, of a small limit a
// quarter.
int64_t ts_limit_reserve(int64_t requests);

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

// What is held back of what the server says is left, for others alone: until the limit gives more,
// and while they are not known yet, more than they will hardly use.
int64_t ts_limit_hold(const struct ts_limit *limit, int64_t now_us);

// The part of it that does not go back once it is known that there is nobody else.
int64_t ts_limit_hold_seen(const struct ts_limit *limit, int64_t now_us);

// What others hardly exceed in a window, if that is more than the reserve; else 0.
int64_t ts_limit_hold_window(const struct ts_limit *limit);

// Answers that say nothing: the last word, or the doubt, is forgotten when it is a window old.
void ts_limits_hear_silence(struct ts_limits *limits, int64_t now_us);

// Nothing is left until then.
void ts_limits_pause(struct ts_limits *limits, int64_t until_us, int64_t now_us);

// Whether the server's last word is so new that it can be gone by.
bool ts_limit_is_fresh(const struct ts_limit *limit, int64_t now_us);

// How many may start by the server's last word while held are in flight and hold are held back.
// worth_us: from when on more could be started than are held back, so that it is worth one of those
// to see before the reset whether there is more.
struct ts_room ts_limit_room(
    const struct ts_limit *limit, int64_t held, int64_t hold, int64_t worth_us, int64_t now_us);

// Something starts: if the word was spent or stale, it is a look, and the next one has to wait.
void ts_limit_start(struct ts_limit *limit, int64_t held, int64_t hold, int64_t now_us);

#endif
