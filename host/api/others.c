// SPDX-License-Identifier: MIT
// Which kind of limiter a server has, it does not say. Fixed windows and sliding logs begin with
// the oldest request that counts, which is a window before the reset that they tell. Sliding
// counters have their windows on a grid and count part of the window before. Token buckets tell
// when they are full again, which is a matter of what is left alone, and so gives them away.
#include "host/api/others.h"

#include <string.h>

#include "host/api/least.h"

#define SECOND_US INT64_C(1000000)
#define MILLI 1000
#define WATCH_SHARE 40  // of a window, to know others
#define PAST_SHARE 1    // at most so much of a window is kept of the past
#define FADE_WINDOWS 4  // unwatched, the past is gone after so many windows
#define SLACK_US 250000 // answers come later than the server counts
#define DOUBT_SHARE 16  // of a limit: less than that refutes nothing
#define DEVIATIONS 4    // above what is expected
#define SURPRISE 2      // times the variance of single requests at random moments
#define OVERTAKEN 16    // own answers that may have come before, and been counted after one
#define OVERTAKEN_SHARE 64
#define UNTOLD (-1)
#define COUNT_MAX INT64_C(1000000000)

// The whole root, rounded up.
static int64_t root(double square)
{
    double guess = square > 1 ? square : 1;
    for (int i = 0; i < 64 && guess * guess > square + 1; i++) {
        guess = (guess + square / guess) / 2;
    }
    return (int64_t)guess + 1;
}

static bool is_in(int64_t value, int64_t max)
{
    return value >= 0 && value <= max;
}

static bool is_time(int64_t time_us)
{
    return time_us > -INT64_MAX / 4 && time_us < INT64_MAX / 4;
}

bool ts_others_is_sound(const struct ts_others *others)
{
    const int64_t times[] = {others->low_us, others->high_us, others->begin_us, others->seen_us,
        others->watch_us, others->bucket_us};
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        if (!is_time(times[i])) {
            return false;
        }
    }
    return is_in(others->count, COUNT_MAX) && is_in(others->unwatched, COUNT_MAX) &&
           is_in(others->past_m, COUNT_MAX * MILLI) &&
           is_in(others->past_us, COUNT_MAX * SECOND_US) && is_in(others->total, INT64_MAX / 2) &&
           is_in(others->total_most, INT64_MAX / 2) && is_in(others->before_least, INT64_MAX / 2) &&
           is_in(others->before + 1, INT64_MAX / 2) && is_in(others->window_most, COUNT_MAX) &&
           is_in(others->bucket_lack, COUNT_MAX) && is_in(others->bucket_total, INT64_MAX / 2);
}

void ts_others_shift(struct ts_others *others, int64_t shift_us)
{
    if (others->seen_us) {
        others->low_us += shift_us;
        others->high_us += shift_us;
        others->begin_us += shift_us;
        others->seen_us = ts_most(others->seen_us + shift_us, 1);
        others->watch_us += others->watch_us ? shift_us : 0;
    }
    others->bucket_us = 0;
}

void ts_others_pause(struct ts_others *others)
{
    others->count = 0;
    others->begin_us = others->seen_us;
    others->watch_us = others->unwatched = 0;
    others->bucket_us = 0;
    others->before = others->before_least = 0;
}

// What was seen before begin_us becomes past, of which there is never too much.
static void begin_move(struct ts_others *others, int64_t begin_us, int64_t window_us)
{
    int64_t span_us = others->seen_us - others->begin_us;
    int64_t gone_us = ts_least(begin_us, others->seen_us) - others->begin_us;
    if (span_us > 0 && gone_us > 0) {
        int64_t gone = (int64_t)((double)others->count * (double)gone_us / (double)span_us);
        others->past_m += gone * MILLI;
        others->past_us += gone_us;
        others->count -= gone;
    }
    double keep = 1;
    int64_t past_most_us = window_us / PAST_SHARE;
    if (others->past_us > past_most_us) {
        keep = (double)past_most_us / (double)others->past_us;
    }
    int64_t unseen_us = begin_us - others->seen_us;
    if (unseen_us > 0) {
        keep *= (double)ts_most(FADE_WINDOWS * window_us - unseen_us, 0) /
                (double)(FADE_WINDOWS * window_us);
    }
    others->past_m = (int64_t)((double)others->past_m * keep);
    others->past_us = (int64_t)((double)others->past_us * keep);
    others->begin_us = begin_us;
}

// How much of what is seen was watched, not told of the time before the first look.
static int64_t watched_of(const struct ts_others *others)
{
    return others->seen_us - ts_most(others->begin_us, others->watch_us);
}

// Whoever began shortly before the first look was not there for the whole of a window that had
// begun long before: then what has come since tells more than the average over that window.
static bool is_late(const struct ts_others *others)
{
    double span_us = (double)(others->seen_us - others->begin_us);
    double watched_us = (double)watched_of(others);
    double watched = (double)(others->count - others->unwatched);
    return others->watch_us > others->begin_us &&
           watched * span_us > (double)others->count * watched_us;
}

// At least so many were seen from begin_us to now, and at most so many more as are unsure.
static void count_see(struct ts_others *others, int64_t begin_us, int64_t count, int64_t unsure,
    const struct ts_others_word *word, int64_t now_us)
{
    int64_t window_us = word->window_us;
    if (!others->seen_us || others->seen_us > now_us) {
        // Nobody seen before the first look may be somebody who begins now.
        others->begin_us = others->seen_us = count > 0 ? begin_us : now_us;
        others->count = 0;
        others->watch_us = now_us;
        others->unwatched = ts_least(ts_most(count + unsure, 0), COUNT_MAX);
    }
    if (begin_us > others->begin_us) {
        if (begin_us >= others->watch_us && is_late(others)) {
            others->begin_us = others->watch_us;
            others->count -= others->unwatched;
        }
        begin_move(others, begin_us, window_us);
    }
    if (begin_us >= others->watch_us) {
        others->watch_us = others->unwatched = 0;
    }
    count = ts_least(ts_most(count, 0), COUNT_MAX);
    if (word->held > 0 && count <= others->count) {
        return; // what is in flight may hide them
    }
    others->count = ts_most(others->count, count);
    others->seen_us = ts_most(others->seen_us, now_us);
}

// Own requests that were answered since then.
static int64_t own_since(const struct ts_others_word *word, int64_t since_us, int64_t now_us)
{
    return since_us >= now_us ? 0 : ts_answer_log_count(word->log, now_us - since_us, now_us);
}

// The end of the present window, from what is told: rounded up to a second.
static void end_hear(struct ts_others *others, const struct ts_others_word *word, int64_t now_us)
{
    int64_t high_us = now_us + word->reset_us, low_us = high_us - SECOND_US - SLACK_US;
    int64_t low_old_us = others->low_us;
    bool is_same = others->seen_us && low_us <= others->high_us && high_us >= others->low_us;
    others->low_us = is_same ? ts_most(low_us, others->low_us) : low_us;
    others->high_us = is_same ? ts_least(high_us, others->high_us) : high_us;
    if (is_same) {
        return;
    }
    int64_t moved_us = low_us - low_old_us;
    if (others->seen_us && moved_us > -word->window_us / 2 && moved_us < word->window_us / 2) {
        // Windows stay where they are, or go on by a whole one; logs go on bit by bit.
        others->is_no_counter |= moved_us > 2 * (SECOND_US + SLACK_US);
        return;
    }
    bool is_next = others->seen_us && moved_us > 0 && moved_us < word->window_us * 3 / 2;
    int64_t begin_us = low_us - word->window_us - SLACK_US;
    int64_t begun = ts_most(word->total - own_since(word, begin_us, now_us), 0);
    begin_us = high_us - word->window_us + SLACK_US;
    int64_t begun_most = ts_most(word->total - own_since(word, begin_us, now_us), 0);
    bool is_first =
        begun <= 0 || (others->seen_us && others->seen_us < low_us - 2 * word->window_us);
    others->before = is_next ? ts_most(begun_most - others->total, 0) : is_first ? 0 : UNTOLD;
    others->before_least = is_next ? ts_most(begun - others->total_most, 0) : 0;
    others->total = begun;
    others->total_most = begun_most;
}

// Windows and logs, and the sliding counter: the least of what can be true is. The price: own
// requests of the last second before a window began may be of that window, and hide as many of
// others for the whole of it. Where windows last for seconds that is not rare.
static void window_hear(struct ts_others *others, const struct ts_others_word *word, int64_t now_us)
{
    int64_t low_us = others->low_us - word->window_us, high_us = others->high_us - word->window_us;
    if (others->before == UNTOLD && !others->is_no_counter) {
        others->past_us = ts_most(others->past_us, word->window_us / WATCH_SHARE);
        others->begin_us = others->seen_us = now_us; // the next words show how the window moves
        others->count = others->watch_us = others->unwatched = 0;
        return;
    }
    if (others->before == UNTOLD) { // whatever was before, it does not count
        others->begin_us = ts_least(others->begin_us, high_us);
        others->watch_us = others->unwatched = 0;
    }
    int64_t missing = word->requests - word->left;
    int64_t own_most = own_since(word, low_us - SLACK_US, now_us);
    int64_t own_least = own_since(word, high_us + SLACK_US, now_us);
    double window_us = (double)word->window_us;
    double weight_least = (double)ts_most(others->low_us - now_us, 0) / window_us;
    double weight_most =
        (double)ts_least(ts_most(others->high_us - now_us, 0), word->window_us) / window_us;
    double counter_least = (double)(missing - own_most) - weight_most * (double)others->before;
    double counter_most = (double)(missing - own_least) -
                          weight_least * (double)(others->before_least + own_most - own_least);
    double doubt = (double)word->requests / DOUBT_SHARE;
    int64_t begin_us = ts_least(high_us, now_us), window = missing - own_most - word->held;
    if (begin_us > others->begin_us) {
        others->window_most = 0;
    }
    if (!others->is_counter && !others->is_no_counter && others->before > 0) {
        others->is_no_counter = counter_most + (double)word->held < -doubt;
        others->is_counter = (double)(missing - own_least) < (double)others->window_most - doubt;
    }
    others->window_most = ts_most(others->window_most, window);
    int64_t count = window;
    if (others->before > 0 && others->is_counter) {
        count = (int64_t)counter_least - word->held;
        begin_us = now_us - word->window_us;
    } else if (others->before > 0 && !others->is_no_counter) { // either may be true
        double passed_us = (double)(now_us - begin_us), past_us = (double)(others->past_us + 1);
        double expected = (double)others->past_m / MILLI * passed_us / past_us;
        double counter = (counter_least - (double)word->held) * passed_us / window_us;
        count = (int64_t)(expected < (double)window ? expected : (double)window);
        count = counter > (double)count ? (int64_t)counter : count;
    }
    count_see(others, begin_us, count, missing - own_least - count, word, now_us);
}

// From one moment on it is known what was missing, and what has flowed in since unless it was full.
static void bucket_hear(struct ts_others *others, const struct ts_others_word *word, int64_t now_us)
{
    int64_t lack = word->requests - word->left, passed_us = now_us - others->bucket_us;
    double inflow = (double)word->requests * (double)passed_us / (double)word->window_us;
    bool was_full = inflow >= (double)others->bucket_lack;
    if (!was_full) {
        int64_t own = word->total - others->bucket_total;
        int64_t count = lack - others->bucket_lack + (int64_t)inflow - own - word->held;
        count_see(others, others->bucket_us, count, word->held, word, now_us);
    }
    if (was_full || passed_us > word->window_us / 2) {
        others->bucket_us = now_us;
        others->bucket_lack =
            lack + word->held + ts_least(OVERTAKEN, word->requests / OVERTAKEN_SHARE);
        others->bucket_total = word->total;
    }
}

static bool is_like_bucket(const struct ts_others_word *word)
{
    double lack_us =
        (double)(word->requests - word->left) * (double)word->window_us / (double)word->requests;
    double request_us = (double)word->window_us / (double)word->requests;
    return (double)word->reset_us > lack_us - 2 * request_us &&
           (double)word->reset_us < lack_us + 2 * request_us + SECOND_US;
}

void ts_others_hear(struct ts_others *others, const struct ts_others_word *word, int64_t now_us)
{
    if (word->left <= 0) { // may be a refusal, which says nothing of the window
        return;
    }
    if (word->left >= word->requests || word->reset_us < 0 ||
        word->reset_us > word->window_us + SECOND_US) { // nobody will be seen in such words
        others->past_us = ts_most(others->past_us, word->window_us / WATCH_SHARE);
        return;
    }
    bool is_bucket = is_like_bucket(word) && (others->bucket_us || !others->seen_us);
    if (is_bucket) {
        if (!others->bucket_us) {
            others->bucket_us = now_us;
        }
        bucket_hear(others, word, now_us);
        return;
    }
    if (others->bucket_us) { // taken for a bucket by mistake
        *others = (struct ts_others){0};
    }
    end_hear(others, word, now_us);
    window_hear(others, word, now_us);
}

static int64_t span_of(const struct ts_others *others)
{
    return others->seen_us - others->begin_us + others->past_us;
}

bool ts_others_is_known(const struct ts_others *others, int64_t window_us)
{
    return watched_of(others) + others->past_us >= window_us / WATCH_SHARE;
}

int64_t ts_others_known_at(const struct ts_others *others, int64_t window_us, int64_t now_us)
{
    int64_t watched_us = watched_of(others) + others->past_us;
    return now_us + ts_most(window_us / WATCH_SHARE - watched_us - (now_us - others->seen_us), 0);
}

// How many were seen, and in how long.
static double count_of(const struct ts_others *others, int64_t window_us, double *span_us)
{
    if (is_late(others) && watched_of(others) >= window_us / WATCH_SHARE) {
        *span_us = (double)watched_of(others);
        return (double)(others->count - others->unwatched);
    }
    *span_us = (double)span_of(others);
    return (double)others->past_m / MILLI + (double)others->count;
}

int64_t ts_others_average(const struct ts_others *others, int64_t window_us)
{
    if (!ts_others_is_known(others, window_us)) {
        return 0;
    }
    double span_us, count = count_of(others, window_us, &span_us);
    return (int64_t)(count * (double)window_us / span_us + 0.5);
}

int64_t ts_others_most(const struct ts_others *others, int64_t window_us, int64_t span_us)
{
    double seen_us, count = count_of(others, window_us, &seen_us);
    if (count < 0.5 || span_us <= 0) {
        return 0;
    }
    double share = (double)ts_least(span_us, window_us) / (double)window_us;
    double seen = (seen_us + (double)window_us / WATCH_SHARE) / (double)window_us;
    double mean = (count + 1) / seen * share;
    double square = SURPRISE * (mean + mean * mean / (count + 1));
    double sum = mean + (double)(DEVIATIONS * root(square));
    return sum < (double)COUNT_MAX ? (int64_t)sum : COUNT_MAX;
}
