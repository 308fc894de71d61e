// SPDX-License-Identifier: MIT
// What somebody else uses of a limit, learned from what the server says is left. Plain memory and
// arithmetic: part of the governor's record.
//
// The server says how many are left and when that changes; the record knows its own requests. What
// is missing besides those was used by others: an absolute figure for the present window, which
// needs no differences. All doubt (answers that overtake each other, seconds rounded up, how the
// server counts) goes against seeing others, so that nobody is seen where there is nobody.
#ifndef TS_API_OTHERS_H
#define TS_API_OTHERS_H

#include <stdbool.h>
#include <stdint.h>

#include "host/api/answer_log.h"

struct ts_others {
    int64_t low_us; // the present window ends between the two
    int64_t high_us;
    int64_t begin_us;  // what is counted below was seen from here
    int64_t seen_us;   // to here; 0: nothing was
    int64_t count;     // requests of others
    int64_t watch_us;  // the first look, when the server's window had begun before; 0: none such
    int64_t unwatched; // requests of others in that window at the first look
    int64_t past_m;    // before that, fading: thousandths of a request
    int64_t past_us;   // in so long
    int64_t total;     // own requests before the present window, as ts_others_word.total, at least
    int64_t total_most;
    int64_t before; // of those, in the window before, at most; -1: not known
    int64_t before_least;
    int64_t bucket_us; // since when all answers were such as a token bucket gives; 0: they are not
    int64_t bucket_lack; // what was missing in it then
    int64_t bucket_total;
    int64_t window_most;   // seen in the present window if it lets nothing from before count
    int64_t is_counter;    // the server surely lets part of the window before count
    int64_t is_no_counter; // the server surely lets nothing of the window before count
};

// What an answer said, and what was one's own.
struct ts_others_word {
    int64_t requests; // the limit
    int64_t window_us;
    int64_t left;
    int64_t reset_us; // until there are more, rounded up to seconds
    int64_t held;     // own requests in flight
    int64_t total;    // own requests that have ended, ever
    const struct ts_answer_log *log;
};

// Whether what a file held can be one.
bool ts_others_is_sound(const struct ts_others *others);

void ts_others_shift(struct ts_others *others, int64_t shift_us);

void ts_others_hear(struct ts_others *others, const struct ts_others_word *word, int64_t now_us);

// Forgets the present window: the server has begun anew.
void ts_others_pause(struct ts_others *others);

// Whether they were watched for long enough to be known.
bool ts_others_is_known(const struct ts_others *others, int64_t window_us);

// When that may be, if all goes on.
int64_t ts_others_known_at(const struct ts_others *others, int64_t window_us, int64_t now_us);

// What they use in a window, on average; 0 while they are not known.
int64_t ts_others_average(const struct ts_others *others, int64_t window_us);

// What they will hardly exceed in a span of at most a window.
int64_t ts_others_most(const struct ts_others *others, int64_t window_us, int64_t span_us);

#endif
