// SPDX-License-Identifier: MIT
// The four limiters side by side: the same requests, told apart by what each lets through.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "host/sandbox/ratelimit.h"

#define LIMIT 10
#define WINDOW_S 100
#define SECONDS(n) ((int64_t)(n)*1000000)
#define BEGIN SECONDS(1000) // a multiple of the window, so that the counter's grid begins here

static const char *const kinds[] = {
    "fixed-window", "sliding-log", "sliding-counter", "token-bucket"};

enum { FIXED_WINDOW, SLIDING_LOG, SLIDING_COUNTER, TOKEN_BUCKET, KINDS };

static struct ts_sandbox_limiter *limiter_make(int kind)
{
    struct ts_sandbox_limiter *limiter = NULL;
    assert_int_equal(
        ts_sandbox_limiter_create(kinds[kind], LIMIT, WINDOW_S, &limiter, NULL), TS_OK);
    return limiter;
}

// Sends until the first refusal, at most count; how many were taken.
static int requests_send(struct ts_sandbox_limiter *limiter, uint64_t who, int64_t at_us, int count)
{
    for (int i = 0; i < count; i++) {
        struct ts_sandbox_verdict verdict;
        ts_sandbox_limiter_count(limiter, who, at_us, &verdict);
        if (verdict.is_refused) {
            return i;
        }
    }
    return count;
}

static void all_let_the_limit_through_at_once_and_punish(void **state)
{
    (void)state;
    for (int kind = 0; kind < KINDS; kind++) {
        struct ts_sandbox_limiter *limiter = limiter_make(kind);
        struct ts_sandbox_verdict verdict;
        for (int i = 0; i < LIMIT; i++) {
            ts_sandbox_limiter_count(limiter, 1, BEGIN, &verdict);
            assert_false(verdict.is_refused);
            assert_int_equal(verdict.remaining, LIMIT - 1 - i);
            assert_int_equal(verdict.quota, LIMIT);
            assert_int_equal(verdict.window_s, WINDOW_S);
            assert_true(verdict.reset_s > 0 && verdict.reset_s <= WINDOW_S);
        }
        ts_sandbox_limiter_count(limiter, 1, BEGIN + SECONDS(1), &verdict);
        assert_true(verdict.is_refused);
        assert_int_equal(verdict.remaining, 0);
        assert_int_equal(verdict.reset_s, WINDOW_S);
        assert_int_equal(requests_send(limiter, 2, BEGIN + SECONDS(1), 5), 5);
        assert_int_equal(requests_send(limiter, 1, BEGIN + SECONDS(100), 1), 0);
        ts_sandbox_limiter_count(limiter, 1, BEGIN + SECONDS(100), &verdict);
        assert_int_equal(verdict.reset_s, 1);
        // The penalty over, the whole limit is there again.
        assert_int_equal(requests_send(limiter, 1, BEGIN + SECONDS(101), LIMIT), LIMIT);
        ts_sandbox_limiter_destroy(limiter);
    }
}

// Five requests at 0 s and five at 90 s: how many pass at 110 s?
static void they_differ_in_what_they_remember(void **state)
{
    static const int passed[KINDS] = {
        [FIXED_WINDOW] = LIMIT, // all forgotten at 100 s
        [SLIDING_LOG] = 5,      // those of 90 s still count
        [SLIDING_COUNTER] = 1,  // nine tenths of the ten before
        [TOKEN_BUCKET] = 7,     // five left at 0 s, full at 90 s, five left, two refilled
    };
    (void)state;
    for (int kind = 0; kind < KINDS; kind++) {
        struct ts_sandbox_limiter *limiter = limiter_make(kind);
        assert_int_equal(requests_send(limiter, 1, BEGIN, 5), 5);
        assert_int_equal(requests_send(limiter, 1, BEGIN + SECONDS(90), 5), 5);
        assert_int_equal(requests_send(limiter, 1, BEGIN + SECONDS(110), LIMIT + 1), passed[kind]);
        ts_sandbox_limiter_destroy(limiter);
    }
}

static void a_steady_stream_below_the_limit_passes(void **state)
{
    (void)state;
    for (int kind = 0; kind < KINDS; kind++) {
        struct ts_sandbox_limiter *limiter = limiter_make(kind);
        for (int i = 0; i < 1000; i++) {
            // One in ten seconds is the limit; one in eleven is too close to it for the counter.
            assert_int_equal(requests_send(limiter, 1, BEGIN + SECONDS(12) * i, 1), 1);
        }
        ts_sandbox_limiter_destroy(limiter);
    }
}

static void many_credentials_share_the_table(void **state)
{
    (void)state;
    for (int kind = 0; kind < KINDS; kind++) {
        struct ts_sandbox_limiter *limiter = limiter_make(kind);
        for (uint64_t who = 1; who <= 2000; who++) {
            assert_int_equal(requests_send(limiter, who, BEGIN + (int64_t)who, LIMIT + 1), LIMIT);
        }
        // The latest are remembered; the first have been forgotten.
        assert_int_equal(requests_send(limiter, 2000, BEGIN + 3000, 1), 0);
        assert_int_equal(requests_send(limiter, 1, BEGIN + 3000, 1), 1);
        ts_sandbox_limiter_destroy(limiter);
    }
}

static void without_a_limit_nothing_is_counted(void **state)
{
    struct ts_sandbox_limiter *limiter = NULL;
    struct ts_error err;
    (void)state;
    assert_int_equal(ts_sandbox_limiter_create(NULL, 0, 0, &limiter, NULL), TS_OK);
    assert_int_equal(requests_send(limiter, 1, BEGIN, 100000), 100000);
    ts_sandbox_limiter_destroy(limiter);
    ts_sandbox_limiter_destroy(NULL);
    assert_int_equal(ts_sandbox_limiter_create("x", 1, 1, &limiter, &err), TS_ERR_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_let_the_limit_through_at_once_and_punish),
        cmocka_unit_test(they_differ_in_what_they_remember),
        cmocka_unit_test(a_steady_stream_below_the_limit_passes),
        cmocka_unit_test(many_credentials_share_the_table),
        cmocka_unit_test(without_a_limit_nothing_is_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
