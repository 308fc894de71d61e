// SPDX-License-Identifier: MIT
// Which answers lead to another attempt, how long the pauses are, what Retry-After says.
#include "host/api/retry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define SECOND_US INT64_C(1000000)

static void judges_by_kind_of_request(void **state)
{
    static const struct {
        const char *what;
        enum ts_err code;
        bool is_sent;
        long status;
        enum ts_retry_verdict read;
        enum ts_retry_verdict write;
        enum ts_retry_reach reach;
    } rows[] = {
        {"done", TS_OK, true, 200, TS_RETRY_FINAL, TS_RETRY_FINAL, TS_REACH_FINE},
        {"refused", TS_OK, true, 404, TS_RETRY_FINAL, TS_RETRY_FINAL, TS_REACH_FINE},
        {"conflict", TS_OK, true, 409, TS_RETRY_FINAL, TS_RETRY_FINAL, TS_REACH_FINE},
        {"slow client", TS_OK, true, 408, TS_RETRY_AGAIN, TS_RETRY_FINAL, TS_REACH_FINE},
        {"limit", TS_OK, true, 429, TS_RETRY_LATER, TS_RETRY_LATER, TS_REACH_FINE},
        {"limit, cut", TS_ERR_TRANSPORT, true, 429, TS_RETRY_LATER, TS_RETRY_LATER,
            TS_REACH_UNSURE},
        {"gateway", TS_OK, true, 502, TS_RETRY_AGAIN, TS_RETRY_FINAL, TS_REACH_BROKEN},
        {"gateway, cut", TS_ERR_TRANSPORT, true, 502, TS_RETRY_AGAIN, TS_RETRY_FINAL,
            TS_REACH_BROKEN},
        {"refused connection", TS_ERR_TRANSPORT, false, 0, TS_RETRY_AGAIN, TS_RETRY_AGAIN,
            TS_REACH_NONE},
        {"no connection in time", TS_ERR_TIMEOUT, false, 0, TS_RETRY_AGAIN, TS_RETRY_AGAIN,
            TS_REACH_NONE},
        {"untrusted", TS_ERR_TRUST, false, 0, TS_RETRY_AGAIN, TS_RETRY_AGAIN, TS_REACH_BARRED},
        {"cut before the answer", TS_ERR_TRANSPORT, true, 0, TS_RETRY_AGAIN, TS_RETRY_FINAL,
            TS_REACH_BROKEN},
        {"no answer in time", TS_ERR_TIMEOUT, true, 0, TS_RETRY_AGAIN, TS_RETRY_FINAL,
            TS_REACH_BROKEN},
        {"cut in the answer", TS_ERR_TRANSPORT, true, 200, TS_RETRY_AGAIN, TS_RETRY_FINAL,
            TS_REACH_UNSURE},
        {"too large", TS_ERR_TOO_LARGE, true, 200, TS_RETRY_FINAL, TS_RETRY_FINAL, TS_REACH_UNSURE},
        {"no memory", TS_ERR_NOMEM, false, 0, TS_RETRY_FINAL, TS_RETRY_FINAL, TS_REACH_UNSURE},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct ts_answer answer = {
            .code = rows[i].code, .is_sent = rows[i].is_sent, .status = rows[i].status};
        print_message("%s\n", rows[i].what);
        assert_int_equal(ts_retry_judge(&answer, true), rows[i].read);
        assert_int_equal(ts_retry_judge(&answer, false), rows[i].write);
        assert_int_equal(ts_retry_reach(&answer), rows[i].reach);
    }
}

// What may have been applied is never sent again, whatever else the answer is.
static void never_repeats_what_may_have_been_applied(void **state)
{
    static const enum ts_err codes[] = {TS_OK, TS_ERR_TRANSPORT, TS_ERR_TIMEOUT, TS_ERR_TOO_LARGE};
    (void)state;
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        for (long status = 0; status < 600; status++) {
            struct ts_answer answer = {.code = codes[i], .is_sent = true, .status = status};
            if (ts_answer_outcome(&answer) != TS_OUTCOME_NOT_APPLIED) {
                assert_int_equal(ts_retry_judge(&answer, false), TS_RETRY_FINAL);
            }
        }
    }
}

static void pauses_double_with_jitter_up_to_the_cap(void **state)
{
    static const int64_t whole[] = {500000, 1000000, 2000000, 4000000, 8000000, 16000000,
        30 * SECOND_US, 30 * SECOND_US, 30 * SECOND_US};
    struct ts_retry_policy policy = ts_retry_policy_of(600 * SECOND_US);
    (void)state;
    assert_int_equal(policy.attempts, 5);
    assert_int_equal(policy.max_wait_us, 600 * SECOND_US);
    for (size_t i = 0; i < sizeof whole / sizeof *whole; i++) {
        int64_t least = INT64_MAX, most = 0;
        uint64_t random = 7;
        for (int draw = 0; draw < 1000; draw++) {
            int64_t pause = ts_retry_pause(&policy, (int)i + 1, &random);
            least = pause < least ? pause : least;
            most = pause > most ? pause : most;
        }
        assert_in_range(least, whole[i] / 2, whole[i] / 2 + whole[i] / 50);
        assert_in_range(most, whole[i] - whole[i] / 50, whole[i]);
    }
    uint64_t random = 7;
    assert_int_equal(ts_retry_pause(&policy, 1000000, &random) > 0, true);
}

static void the_same_seed_gives_the_same_pauses(void **state)
{
    struct ts_retry_policy policy = ts_retry_policy_of(0);
    uint64_t one = 1, same = 1, other = 2;
    (void)state;
    int64_t first = ts_retry_pause(&policy, 3, &one);
    assert_int_equal(first, ts_retry_pause(&policy, 3, &same));
    assert_int_not_equal(first, ts_retry_pause(&policy, 3, &one));
    assert_int_not_equal(first, ts_retry_pause(&policy, 3, &other));
}

static void reads_retry_after(void **state)
{
    static const char now[] = "Sun, 06 Nov 1994 08:49:37 GMT";
    static const struct {
        const char *value;
        const char *date;
        int64_t seconds;
    } rows[] = {
        {NULL, now, -1},
        {"", now, -1},
        {"0", now, 0},
        {"30", now, 30},
        {"300", NULL, 300},
        {"-1", now, -1},
        {"1.5", now, -1},
        {"soon", now, -1},
        {"99999999999999999", now, 1000000000},
        {"Sun, 06 Nov 1994 08:50:07 GMT", now, 30},
        {"Mon, 07 Nov 1994 08:49:37 GMT", now, 86400},
        {"Wed, 01 Mar 2000 00:00:00 GMT", "Mon, 28 Feb 2000 23:59:59 GMT", 86401}, // a leap year
        {"Fri, 01 Jan 2100 00:00:00 GMT", "Thu, 31 Dec 2099 23:59:59 GMT", 1},
        {"Mon, 01 Mar 2100 00:00:00 GMT", "Sun, 28 Feb 2100 23:59:59 GMT", 1}, // no leap year
        {"Sun, 06 Nov 1994 08:49:07 GMT", now, 0},                             // past
        {"Sun, 06 Nov 1994 08:50:07 GMT", NULL, 20},
        {"Sun, 06 Nov 1994 08:50:07 GMT", "yesterday", 20},
        {"Sun, 06 Nov 1994 08:50:07", now, -1},
        {"Sun, 06 Nov 1994 08:50:07 GMT+1", now, -1},
        {"Sun, 06 Nob 1994 08:50:07 GMT", now, -1},
        {"Sun, 06 anF 1994 08:50:07 GMT", now, -1},
        {"Sun, 32 Nov 1994 08:50:07 GMT", now, -1},
        {"Sun, 06 Nov 1994 25:50:07 GMT", now, -1},
        {"Sun, 06 Nov 1994 08:-5:07 GMT", now, -1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        print_message("%s\n", rows[i].value ? rows[i].value : "(none)");
        // The wall clock is ten seconds ahead of the server's.
        assert_int_equal(
            ts_retry_after(rows[i].value, rows[i].date, 784111787 * SECOND_US), rows[i].seconds);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(judges_by_kind_of_request),
        cmocka_unit_test(never_repeats_what_may_have_been_applied),
        cmocka_unit_test(pauses_double_with_jitter_up_to_the_cap),
        cmocka_unit_test(the_same_seed_gives_the_same_pauses),
        cmocka_unit_test(reads_retry_after),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
