// SPDX-License-Identifier: MIT
// A server whose last word was "no more" is looked at again with single requests, because some
// kinds of limiter refill all the time and others at once. Looks come ever more rarely while
// nothing comes of them, and end before they use up what was held back.
#include "host/api/limit.h"

#include "host/api/least.h"

#define RESERVE 12         // requests held back
#define RESERVE_SHARE 4    // but at most this part of the limit
#define FLOOR_SHARE 3      // of the reserve is left alone by looks
#define GAPS_IN_WINDOW 256 // the shortest gap between looks is this part of the window
#define GAPS_AT_MOST 8     // the longest
#define FRESH_IN_WINDOW 64 // the server's word is fresh for this part of the window
#define FRESH_LEAST_US 100000
#define GAPS_FOR_OTHERS 32 // looks while something is held back for others
#define OWN_SHARE 10       // of a limit is used whatever others take
#define STRANGE_PERCENT 35 // of the limit is held back for others who are not known yet

int64_t ts_limit_reserve(int64_t requests)
{
    return ts_least(RESERVE, requests / RESERVE_SHARE);
}

int64_t ts_limit_gap_least(int64_t window_us)
{
    return window_us / GAPS_IN_WINDOW;
}

int64_t ts_limit_gap_most(int64_t window_us)
{
    return window_us / GAPS_AT_MOST;
}

// What is wanted for others, if it leaves something, and at least the reserve.
static int64_t hold_fit(const struct ts_limit *limit, int64_t hold)
{
    hold = ts_least(hold, limit->requests - limit->requests / OWN_SHARE);
    return ts_most(hold, ts_limit_reserve(limit->requests));
}

int64_t ts_limit_hold_seen(const struct ts_limit *limit, int64_t now_us)
{
    int64_t until_us = ts_most(limit->reset_us - now_us, 0);
    int64_t hold = ts_others_most(&limit->others, limit->window_us, until_us);
    return hold_fit(limit, hold > 0 ? hold + ts_limit_reserve(limit->requests) / 2 : 0);
}

int64_t ts_limit_hold(const struct ts_limit *limit, int64_t now_us)
{
    int64_t hold = ts_limit_hold_seen(limit, now_us);
    if (!ts_others_is_known(&limit->others, limit->window_us)) {
        hold = ts_most(hold, hold_fit(limit, limit->requests * STRANGE_PERCENT / 100));
    }
    return hold;
}

int64_t ts_limit_hold_window(const struct ts_limit *limit)
{
    if (!ts_others_is_known(&limit->others, limit->window_us)) {
        return 0;
    }
    int64_t hold = ts_others_most(&limit->others, limit->window_us, limit->window_us);
    hold = ts_least(hold, limit->requests - limit->requests / OWN_SHARE);
    return hold > ts_limit_reserve(limit->requests) ? hold : 0;
}

bool ts_limit_is_fresh(const struct ts_limit *limit, int64_t now_us)
{
    return now_us - limit->heard_us <= ts_most(limit->window_us / FRESH_IN_WINDOW, FRESH_LEAST_US);
}

struct ts_room ts_limit_room(
    const struct ts_limit *limit, int64_t held, int64_t hold, int64_t worth_us, int64_t now_us)
{
    int64_t left = limit->left - held;
    if (left > hold && ts_limit_is_fresh(limit, now_us)) {
        return (struct ts_room){.count = left - hold};
    }
    // One look at a time. Before the reset it must leave something of the reserve.
    int64_t floor = ts_limit_reserve(limit->requests) / FLOOR_SHARE;
    int64_t look_us = left > hold    ? now_us
                      : left > floor ? ts_least(worth_us, limit->reset_us)
                                     : limit->reset_us;
    look_us = ts_most(look_us, limit->probe_us);
    return (struct ts_room){.count = now_us >= look_us, .retry_us = look_us};
}

void ts_limit_start(struct ts_limit *limit, int64_t held, int64_t hold, int64_t now_us)
{
    int64_t left = limit->left - held;
    if (left > hold && ts_limit_is_fresh(limit, now_us)) {
        return;
    }
    int64_t gap_us = ts_most(limit->probe_gap_us, ts_limit_gap_least(limit->window_us));
    if (left <= hold && left > ts_limit_reserve(limit->requests) && now_us < limit->reset_us) {
        limit->probe_us = ts_least(now_us + gap_us, limit->reset_us);
        if (ts_others_is_known(&limit->others, limit->window_us)) {
            limit->probe_gap_us = ts_least(2 * gap_us, limit->window_us / GAPS_FOR_OTHERS);
        }
    } else if (left > hold || now_us >= limit->reset_us) {
        limit->probe_us = now_us + ts_limit_gap_least(limit->window_us);
    } else {
        limit->probe_us = ts_least(now_us + gap_us, ts_most(limit->reset_us, now_us));
        limit->probe_gap_us = ts_least(2 * gap_us, ts_limit_gap_most(limit->window_us));
    }
}
