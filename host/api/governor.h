// SPDX-License-Identifier: MIT
// The policy of the rate budget as arithmetic on its record: when may how many requests start?
//
// What it rests on: the log counts a request from the moment its answer came, so that it leaves the
// log never before it leaves the server's; what is in flight counts as spent; the server's
// `Ratelimit` is believed when it says less, minus what may not be in it yet, minus a reserve.
#ifndef TS_API_GOVERNOR_H
#define TS_API_GOVERNOR_H

#include <stdbool.h>
#include <stdint.h>

#include "host/api/record.h"

struct ts_governor_view {
    int64_t requests; // the limit that allows the least on average
    int64_t window_us;
    int64_t reserve;
    int64_t others;    // what somebody else uses in a window, as far as is known
    int64_t left;      // could start now but for the pace
    int64_t spent;     // counts in the window, in flight included
    int64_t in_flight; // of all processes
    int64_t paused_us;
    int64_t wait_us; // until one may start
    bool is_heard;
};

// How many requests may start now. About as many as are wanted, or more, granted ahead, where the
// limit is so far away that asking each time is not worth it. 0: none, and *retry_us says when to
// ask again at the latest. What is granted must be noted with ts_record_hold.
int64_t ts_governor_take(struct ts_record *record, const struct ts_record_rule *rule,
    int64_t wanted, int64_t now_us, int64_t *retry_us);

// The window of the limit that counts, for a pause of unknown length.
int64_t ts_governor_window(const struct ts_record *record, const struct ts_record_rule *rule);

// Looks, and changes nothing.
void ts_governor_look(const struct ts_record *record, const struct ts_record_rule *rule,
    int64_t now_us, struct ts_governor_view *view);

// Why nothing, or one request now and then, may start, and until when; looks only.
void ts_governor_wait(const struct ts_record *record, const struct ts_record_rule *rule,
    int64_t now_us, struct ts_wait *wait);

// How long so many requests take from now when nobody else sends any.
int64_t ts_governor_estimate(const struct ts_record *record, const struct ts_record_rule *rule,
    int64_t requests, int64_t now_us);

#endif
