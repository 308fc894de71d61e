// SPDX-License-Identifier: MIT
// One limit that a server has told of: what it leaves room for, what of it is held back, and when
// it is worth a look. Plain memory and arithmetic.
#ifndef TS_API_LIMIT_H
#define TS_API_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

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

// What a limit leaves room for, and when that changes.
struct ts_room {
    int64_t count;
    int64_t retry_us; // when count is not positive
};

// The requests that are held back of what a server says is left of a limit: 12, of a small limit a
// quarter.
int64_t ts_limit_reserve(int64_t requests);

// The shortest and the longest time from one look to the next at a limit with such a window.
int64_t ts_limit_gap_least(int64_t window_us);
int64_t ts_limit_gap_most(int64_t window_us);

// What is held back of what the server says is left, for others alone: until the limit gives more,
// and while they are not known yet, more than they will hardly use.
int64_t ts_limit_hold(const struct ts_limit *limit, int64_t now_us);

// The part of it that does not go back once it is known that there is nobody else.
int64_t ts_limit_hold_seen(const struct ts_limit *limit, int64_t now_us);

// What others hardly exceed in a window, if that is more than the reserve; else 0.
int64_t ts_limit_hold_window(const struct ts_limit *limit);

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
