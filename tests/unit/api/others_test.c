// SPDX-License-Identifier: MIT
// What somebody else uses, seen beside one's own requests on each kind of limiter.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host/api/others.h"
#include "tests/unit/api/limiter.h"

#define SECOND INT64_C(1000000)
#define WINDOW (300 * SECOND)
#define REQUESTS 1200

struct bed {
    struct ts_others others;
    struct ts_answer_log log;
    struct limiter limiter;
    int64_t total; // own requests that have ended, ever
    int64_t now_us;
    bool is_silent; // the server does not say what is left
};

static void bed_init(struct bed *bed, enum limiter_kind kind, int64_t total)
{
    memset(bed, 0, sizeof *bed);
    bed->now_us = 10000 * WINDOW + 17 * SECOND;
    bed->total = total;
    limiter_init(&bed->limiter, kind, REQUESTS, WINDOW);
    ts_answer_log_fit(&bed->log, WINDOW, 0, bed->now_us);
}

static void own_request(struct bed *bed)
{
    int64_t left, reset_us;
    assert_true(limiter_take(&bed->limiter, bed->now_us, &left, &reset_us));
    ts_answer_log_add(&bed->log, 1, bed->now_us);
    struct ts_others_word word = {.requests = REQUESTS,
        .window_us = WINDOW,
        .left = left,
        .reset_us = (reset_us + SECOND - 1) / SECOND * SECOND,
        .total = ++bed->total,
        .log = &bed->log};
    if (!bed->is_silent) {
        ts_others_hear(&bed->others, &word, bed->now_us);
    }
}

// So many own requests and so many of somebody else, each at an even pace.
static void pass(struct bed *bed, int64_t span_us, int64_t own, int64_t other)
{
    int64_t begun_us = bed->now_us, own_done = 0, other_done = 0, left, reset_us;
    while (own_done < own || other_done < other) {
        int64_t own_us = own_done < own ? begun_us + span_us * (own_done + 1) / own : INT64_MAX;
        int64_t other_us =
            other_done < other ? begun_us + span_us * (other_done + 1) / other : INT64_MAX;
        if (own_us <= other_us) {
            bed->now_us = own_us;
            own_request(bed);
            own_done++;
        } else {
            bed->now_us = other_us;
            assert_true(limiter_take(&bed->limiter, other_us, &left, &reset_us));
            other_done++;
        }
    }
    bed->now_us = begun_us + span_us;
}

static int64_t average(const struct bed *bed)
{
    return ts_others_average(&bed->others, WINDOW);
}

// After a window full of own requests a server that let them count on would have much less left:
// it forgets them, so all that is missing now is somebody else's.
static void after_a_full_window_who_begins_is_seen(void **state)
{
    (void)state;
    struct bed bed;
    bed_init(&bed, FIXED_WINDOW, 0);
    pass(&bed, WINDOW, 1100, 0);
    assert_int_equal(average(&bed), 0);
    pass(&bed, 30 * SECOND, 200, 100);
    assert_in_range(average(&bed), 60, 120);
}

// What was sent before the first word may count on, or not. A reset that moves bit by bit tells
// that nothing of a window before does.
static void with_an_unknown_past_a_log_is_seen_through(void **state)
{
    (void)state;
    struct bed bed;
    bed_init(&bed, SLIDING_LOG, 500);
    pass(&bed, 500 * SECOND, 125, 500);
    assert_in_range(average(&bed), 150, 300);
}

// The same when the server keeps windows: from the second one on it is known what was before.
static void with_an_unknown_past_a_window_is_seen_through(void **state)
{
    (void)state;
    struct bed bed;
    bed_init(&bed, FIXED_WINDOW, 500);
    pass(&bed, 2 * WINDOW + 100 * SECOND, 700, 700);
    assert_in_range(average(&bed), 150, 330);
}

// A counter lets them count on for a while, and nobody else is there.
static void with_an_unknown_past_nobody_is_seen_where_nobody_is(void **state)
{
    (void)state;
    struct bed bed;
    bed_init(&bed, SLIDING_COUNTER, 0);
    bed.is_silent = true;
    pass(&bed, WINDOW - 10 * SECOND, 900, 0); // into the next window
    bed.is_silent = false;
    pass(&bed, 100 * SECOND, 100, 0);
    assert_int_equal(average(&bed), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(after_a_full_window_who_begins_is_seen),
        cmocka_unit_test(with_an_unknown_past_a_log_is_seen_through),
        cmocka_unit_test(with_an_unknown_past_a_window_is_seen_through),
        cmocka_unit_test(with_an_unknown_past_nobody_is_seen_where_nobody_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
