// SPDX-License-Identifier: MIT
// When failures are an outage, when the next probe leaves, when the run gives up.
#include "host/api/outage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SECOND_US INT64_C(1000000)
#define MAX_WAIT_US (600 * SECOND_US)

struct bed {
    struct ts_outage outage;
    struct ts_log log;
    FILE *file;
    char *text;
    size_t size;
    int64_t now_us;
};

static void bed_init(struct bed *bed, int64_t max_wait_us)
{
    *bed = (struct bed){.now_us = 1000 * SECOND_US};
    bed->file = open_memstream(&bed->text, &bed->size);
    assert_non_null(bed->file);
    ts_log_init(&bed->log, bed->file, TS_LOG_NORMAL);
    struct ts_retry_policy policy = ts_retry_policy_of(max_wait_us);
    ts_outage_init(&bed->outage, &policy, &bed->log, 42);
}

static void bed_fini(struct bed *bed)
{
    ts_outage_fini(&bed->outage);
    fclose(bed->file);
    free(bed->text);
}

static int lines(const struct bed *bed)
{
    int count = 0;
    for (const char *p = bed->text; (p = strchr(p, '\n')); p++) {
        count++;
    }
    return count;
}

// An exchange of that call: begun after_us from now, failed 1 ms later.
static void break_off(struct bed *bed, uint64_t call, enum ts_retry_reach reach, int64_t after_us)
{
    struct ts_outage_failure failure = {
        .call = call,
        .reach = reach,
        .started_us = bed->now_us + after_us,
        .after_us = -1,
        .is_probe = bed->outage.is_on,
        .cause = "HTTP 502",
    };
    bed->now_us += after_us + 1000;
    ts_outage_add_failure(&bed->outage, &failure, bed->now_us);
}

static void break_off_times(struct bed *bed, int times, uint64_t call, enum ts_retry_reach reach)
{
    for (int i = 0; i < times; i++) {
        break_off(bed, call, reach, 500000);
    }
}

static void five_failures_in_a_row_are_an_outage(void **state)
{
    struct bed bed;
    (void)state;
    bed_init(&bed, MAX_WAIT_US);
    break_off_times(&bed, 4, 1, TS_REACH_NONE);
    assert_false(bed.outage.is_on);
    assert_true(ts_outage_may_start(&bed.outage, bed.now_us));
    break_off(&bed, 1, TS_REACH_NONE, 500000);
    assert_true(bed.outage.is_on);
    assert_false(ts_outage_may_start(&bed.outage, bed.now_us));
    assert_string_equal(bed.text, "tshost: the API cannot be reached: HTTP 502; waiting, for at "
                                  "most 9 min 58 s (--max-wait)\n");
    bed_fini(&bed);
}

static void a_success_in_between_starts_over(void **state)
{
    struct bed bed;
    (void)state;
    bed_init(&bed, MAX_WAIT_US);
    for (int i = 0; i < 100; i++) {
        break_off_times(&bed, 4, 1, TS_REACH_NONE);
        ts_outage_add_success(&bed.outage, bed.now_us);
    }
    assert_false(bed.outage.is_on);
    fflush(bed.file);
    assert_int_equal(bed.size, 0);
    bed_fini(&bed);
}

static void what_failed_together_counts_once(void **state)
{
    struct bed bed;
    (void)state;
    bed_init(&bed, MAX_WAIT_US);
    for (int round = 0; round < 5; round++) {
        int64_t started_us = bed.now_us;
        for (uint64_t call = 1; call <= 16; call++) {
            assert_false(bed.outage.is_on);
            struct ts_outage_failure failure = {.call = call,
                .reach = TS_REACH_BROKEN,
                .started_us = started_us,
                .after_us = -1,
                .cause = "cut"};
            ts_outage_add_failure(&bed.outage, &failure, ++bed.now_us);
            if (round == 4) {
                break;
            }
        }
    }
    assert_true(bed.outage.is_on);
    bed_fini(&bed);
}

static void one_call_alone_is_no_outage_while_it_gets_through(void **state)
{
    struct bed bed;
    (void)state;
    bed_init(&bed, MAX_WAIT_US);
    break_off_times(&bed, 20, 7, TS_REACH_BROKEN);
    assert_false(bed.outage.is_on);
    break_off(&bed, 8, TS_REACH_BROKEN, 0); // a second one
    assert_true(bed.outage.is_on);
    bed_fini(&bed);

    bed_init(&bed, MAX_WAIT_US);
    break_off_times(&bed, 20, 7, TS_REACH_BROKEN);
    break_off(&bed, 7, TS_REACH_NONE, 0); // not even a connection any more
    assert_true(bed.outage.is_on);
    bed_fini(&bed);
}

static void one_probe_at_a_time_at_growing_distances(void **state)
{
    struct bed bed;
    struct ts_outage *outage = &bed.outage;
    (void)state;
    bed_init(&bed, MAX_WAIT_US);
    break_off_times(&bed, 5, 1, TS_REACH_NONE);
    int64_t whole = 500000;
    int probes = 0;
    while (!outage->is_over) {
        int64_t pause = outage->probe_at_us - bed.now_us;
        bool is_last = outage->probe_at_us == outage->began_us + MAX_WAIT_US;
        assert_in_range(pause, is_last ? 0 : whole / 2, whole);
        assert_false(ts_outage_may_start(outage, outage->probe_at_us - 1));
        assert_true(ts_outage_may_start(outage, outage->probe_at_us));
        outage->is_probing = true;
        assert_false(ts_outage_may_start(outage, outage->probe_at_us));
        outage->is_probing = false;
        break_off(&bed, 2, TS_REACH_NONE, pause);
        whole = whole * 2 < 30 * SECOND_US ? whole * 2 : 30 * SECOND_US;
        probes++;
    }
    assert_in_range(probes, 20, 60);
    assert_int_equal(bed.now_us, outage->began_us + MAX_WAIT_US + 1000);
    assert_false(ts_outage_may_start(outage, INT64_MAX));
    assert_string_equal(
        outage->reason, "the API cannot be reached: HTTP 502; given up after 10 min (--max-wait)");
    fflush(bed.file);
    assert_int_equal(lines(&bed), 1);
    bed_fini(&bed);
}

static void the_first_answer_ends_it(void **state)
{
    struct bed bed;
    (void)state;
    bed_init(&bed, MAX_WAIT_US);
    break_off_times(&bed, 5, 1, TS_REACH_NONE);
    break_off(&bed, 1, TS_REACH_NONE, 20 * SECOND_US);
    break_off(&bed, 1, TS_REACH_NONE, 20 * SECOND_US);
    ts_outage_add_success(&bed.outage, bed.now_us);
    assert_true(ts_outage_may_start(&bed.outage, bed.now_us));
    assert_non_null(strstr(bed.text, "tshost: the API is reached again after 42 s\n"));
    assert_int_equal(lines(&bed), 2);
    assert_int_equal(ts_outage_left(&bed.outage, bed.now_us), MAX_WAIT_US);
    bed_fini(&bed);
}

static void without_max_wait_it_gives_up_at_once(void **state)
{
    struct bed bed;
    (void)state;
    bed_init(&bed, 0);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(ts_outage_left(&bed.outage, bed.now_us), 0);
        assert_false(bed.outage.is_over);
        break_off(&bed, 1, TS_REACH_NONE, 0);
    }
    assert_true(bed.outage.is_over);
    assert_string_equal(
        bed.outage.reason, "the API cannot be reached: HTTP 502; given up at once (--max-wait 0)");
    fflush(bed.file);
    assert_int_equal(bed.size, 0);
    bed_fini(&bed);
}

static void a_peer_that_cannot_be_trusted_is_not_waited_for(void **state)
{
    struct bed bed;
    (void)state;
    bed_init(&bed, MAX_WAIT_US);
    break_off(&bed, 1, TS_REACH_BARRED, 0);
    assert_true(bed.outage.is_over);
    assert_non_null(strstr(bed.outage.reason, "HTTP 502; waiting does not mend that: check "));
    bed_fini(&bed);
}

static void one_that_was_trusted_before_is_waited_for(void **state)
{
    struct bed bed;
    (void)state;
    bed_init(&bed, MAX_WAIT_US);
    ts_outage_add_success(&bed.outage, bed.now_us);
    break_off_times(&bed, 5, 1, TS_REACH_BARRED);
    assert_true(bed.outage.is_on);
    assert_false(bed.outage.is_over);
    bed_fini(&bed);
}

static void what_the_answer_asks_for_is_waited(void **state)
{
    struct bed bed;
    struct ts_outage_failure failure = {.call = 2, .reach = TS_REACH_BROKEN, .cause = "HTTP 503"};
    (void)state;
    bed_init(&bed, MAX_WAIT_US);
    break_off_times(&bed, 4, 1, TS_REACH_BROKEN);
    failure.started_us = bed.now_us;
    failure.after_us = 120 * SECOND_US;
    ts_outage_add_failure(&bed.outage, &failure, bed.now_us);
    assert_true(bed.outage.is_on);
    assert_int_equal(bed.outage.probe_at_us, bed.now_us + 120 * SECOND_US);
    // The time that it took is not mistaken for idleness.
    int64_t began_us = bed.outage.began_us;
    break_off(&bed, 2, TS_REACH_BROKEN, 120 * SECOND_US);
    assert_int_equal(bed.outage.began_us, began_us);
    bed_fini(&bed);
}

static void time_without_requests_is_not_waiting(void **state)
{
    struct bed bed;
    (void)state;
    bed_init(&bed, MAX_WAIT_US);
    break_off_times(&bed, 4, 1, TS_REACH_NONE);
    break_off(&bed, 2, TS_REACH_NONE, 700 * SECOND_US); // the script had other things to do
    assert_false(bed.outage.is_on);
    assert_int_equal(ts_outage_left(&bed.outage, bed.now_us), MAX_WAIT_US);
    break_off_times(&bed, 4, 2, TS_REACH_NONE);
    assert_true(bed.outage.is_on);
    break_off(&bed, 2, TS_REACH_NONE, 700 * SECOND_US);
    assert_false(bed.outage.is_over);
    assert_int_equal(ts_outage_left(&bed.outage, bed.now_us), MAX_WAIT_US);
    bed_fini(&bed);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(five_failures_in_a_row_are_an_outage),
        cmocka_unit_test(a_success_in_between_starts_over),
        cmocka_unit_test(what_failed_together_counts_once),
        cmocka_unit_test(one_call_alone_is_no_outage_while_it_gets_through),
        cmocka_unit_test(one_probe_at_a_time_at_growing_distances),
        cmocka_unit_test(the_first_answer_ends_it),
        cmocka_unit_test(without_max_wait_it_gives_up_at_once),
        cmocka_unit_test(a_peer_that_cannot_be_trusted_is_not_waited_for),
        cmocka_unit_test(one_that_was_trusted_before_is_waited_for),
        cmocka_unit_test(what_the_answer_asks_for_is_waited),
        cmocka_unit_test(time_without_requests_is_not_waiting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
