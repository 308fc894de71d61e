// SPDX-License-Identifier: MIT
// The budget's record when things go wrong: killed processes, reboots, clocks that jump, damage, a
// server that falls silent, and looks at a limit that is used up.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "host/api/governor.h"

#define SECOND INT64_C(1000000)
#define START (5000 * SECOND)

static const struct ts_record_rule rule = {.requests = 1200, .window_us = 300 * SECOND};

static void record_open(struct ts_record *record, bool is_found, int64_t now_us)
{
    struct ts_record_time now = {.boot = {1}, .mono_us = now_us, .wall_us = now_us};
    ts_record_open(record, is_found, &now, &rule);
}

static int64_t left_at(const struct ts_record *record, int64_t now_us)
{
    struct ts_governor_view view;
    ts_governor_look(record, &rule, now_us, &view);
    return view.left;
}

static void hear(struct ts_record *record, int64_t ended, int64_t left, int64_t now_us)
{
    struct ts_record_batch batch = {.ended = ended, .word = {.answers = ended}};
    batch.word.left_count = batch.word.policy_count = 1;
    batch.word.policies[0] = (struct ts_ratelimit_policy){7, 1200, 300 * SECOND};
    batch.word.lefts[0] = (struct ts_ratelimit_left){7, left, 100 * SECOND};
    ts_record_settle(record, &rule, &batch, now_us);
}

static void end_silently(struct ts_record *record, int64_t ended, int64_t now_us)
{
    struct ts_record_batch batch = {.ended = ended};
    ts_record_settle(record, &rule, &batch, now_us);
}

static bool is_gone(const struct ts_process_id *process)
{
    return process->pid == 13;
}

static void what_the_dead_held_is_spent_and_leaves_again(void **state)
{
    (void)state;
    struct ts_record record;
    struct ts_record_process alive = {.id = {.pid = 12, .start = 5}, .out = 3};
    struct ts_record_process dead = {.id = {.pid = 13, .start = 6}, .out = 40};
    record_open(&record, false, START);
    ts_record_hold(&record, &alive, START);
    ts_record_hold(&record, &dead, START);
    assert_int_equal(left_at(&record, START), 1188 - 43);
    assert_true(ts_record_reap(&record, &alive.id, is_gone, START + SECOND));
    assert_false(ts_record_reap(&record, &alive.id, is_gone, START + SECOND));
    assert_int_equal(left_at(&record, START + SECOND), 1188 - 43);
    ts_record_hold(&record, &alive, START + 302 * SECOND);
    assert_int_equal(left_at(&record, START + 302 * SECOND), 1188 - 3);
}

static void more_processes_than_places_are_still_counted(void **state)
{
    (void)state;
    struct ts_record record;
    record_open(&record, false, START);
    for (uint32_t i = 1; i <= TS_RECORD_PROCESSES + 10; i++) {
        struct ts_record_process process = {.id = {.pid = i}, .out = 2};
        ts_record_hold(&record, &process, START + i);
    }
    assert_int_equal(left_at(&record, START + SECOND), 1188 - 2 * (TS_RECORD_PROCESSES + 10));
}

static void a_reboot_forgets_no_more_than_time_does(void **state)
{
    (void)state;
    struct ts_record record;
    struct ts_record_process process = {.id = {.pid = 12}, .out = 5};
    record_open(&record, false, START);
    end_silently(&record, 500, START);
    ts_record_hold(&record, &process, START);
    // 100 s later by the wall clock, 10 s after the boot.
    struct ts_record_time now = {
        .boot = {2}, .mono_us = 10 * SECOND, .wall_us = START + 100 * SECOND};
    ts_record_open(&record, true, &now, &rule);
    assert_int_equal(left_at(&record, 10 * SECOND), 1188 - 505);
    assert_int_equal(left_at(&record, 311 * SECOND), 1188);
    // The wall clock was set back: as if no time had passed.
    now = (struct ts_record_time){.boot = {3}, .mono_us = 20 * SECOND, .wall_us = 0};
    end_silently(&record, 7, 10 * SECOND);
    record.saved_us = 10 * SECOND;
    ts_record_open(&record, true, &now, &rule);
    assert_true(left_at(&record, 20 * SECOND) <= 1188 - 7);
    assert_int_equal(left_at(&record, 340 * SECOND), 1188);
}

static void times_that_lie_ahead_stop_nobody_for_ever(void **state)
{
    (void)state;
    struct ts_record record;
    record_open(&record, false, START + 100000 * SECOND);
    end_silently(&record, 1188, START + 100000 * SECOND);
    ts_record_pause(&record, START + 200000 * SECOND, START + 100000 * SECOND);
    record_open(&record, true, START); // the same boot, but earlier
    assert_int_equal(left_at(&record, START), 0);
    record_open(&record, true, START + 3700 * SECOND);
    assert_int_equal(left_at(&record, START + 3700 * SECOND), 1188);
}

static void damage_means_a_careful_start(void **state)
{
    (void)state;
    struct ts_record record;
    int64_t retry_us;
    for (int pattern = 0; pattern < 4; pattern++) {
        memset(&record, (int[]){0, 0xff, 0x5a, 1}[pattern], sizeof record);
        record_open(&record, true, START);
        assert_int_equal(ts_governor_take(&record, &rule, 16, START, &retry_us), 1);
        assert_int_equal(ts_governor_take(&record, &rule, 16, START, &retry_us), 0);
        assert_true(retry_us > START);
        hear(&record, 1, 900, START + SECOND / 10);
        assert_true(ts_governor_take(&record, &rule, 16, START + SECOND / 10, &retry_us) > 1);
    }
}

static void any_damage_does_no_harm(void **state)
{
    (void)state;
    struct ts_record record;
    unsigned random = 7;
    for (int round = 0; round < 3000; round++) {
        record_open(&record, false, START);
        hear(&record, 100, 1000, START);
        for (int i = 0; i < 3; i++) {
            random = random * 1103515245u + 12345u;
            ((unsigned char *)&record)[(random >> 8) % 400] = (unsigned char)(random >> 3);
        }
        int64_t retry_us = 0;
        struct ts_governor_view view;
        record_open(&record, true, START + SECOND);
        int64_t count = ts_governor_take(&record, &rule, 16, START + SECOND, &retry_us);
        assert_in_range(count, 0, 1000000);
        ts_governor_look(&record, &rule, START + SECOND, &view);
        end_silently(&record, 3, START + 2 * SECOND);
        ts_governor_estimate(&record, &rule, 5000, START + 2 * SECOND);
    }
}

static void a_pause_holds_and_is_followed_by_one_request(void **state)
{
    (void)state;
    struct ts_record record;
    int64_t retry_us;
    record_open(&record, false, START);
    hear(&record, 10, 1000, START);
    ts_record_pause(&record, START + 60 * SECOND, START);
    assert_int_equal(ts_governor_take(&record, &rule, 16, START + 59 * SECOND, &retry_us), 0);
    assert_int_equal(retry_us, START + 60 * SECOND);
    assert_int_equal(ts_governor_take(&record, &rule, 16, START + 60 * SECOND, &retry_us), 1);
    assert_int_equal(ts_governor_take(&record, &rule, 16, START + 60 * SECOND, &retry_us), 0);
}

// Somebody else has used it all up: the log has room, the server has not.
static void looks_leave_something_of_the_reserve(void **state)
{
    (void)state;
    struct ts_record record;
    int64_t left = 12, retry_us, now_us = START;
    int looks = 0;
    record_open(&record, false, START);
    hear(&record, 1, left, START);
    while (now_us < START + 99 * SECOND) {
        int64_t count = ts_governor_take(&record, &rule, 16, now_us, &retry_us);
        assert_in_range(count, 0, 1);
        if (count == 0) {
            now_us = retry_us;
            continue;
        }
        looks++;
        struct ts_record_batch batch = {.ended = 1, .word = {.answers = 1, .left_count = 1}};
        batch.word.lefts[0] = (struct ts_ratelimit_left){7, --left, START + 100 * SECOND - now_us};
        ts_record_settle(&record, &rule, &batch, now_us);
    }
    assert_in_range(looks, 1, 8);
    assert_true(left >= 4);
    assert_true(now_us >= START + 99 * SECOND);
}

static void the_pace_keeps_below_200_a_second(void **state)
{
    (void)state;
    struct ts_record record;
    int64_t retry_us = 0, started = 0;
    record_open(&record, false, START);
    for (int64_t now_us = START; now_us < START + SECOND;) {
        int64_t count = ts_governor_take(&record, &rule, 16, now_us, &retry_us);
        started += count;
        end_silently(&record, count, now_us);
        now_us = count > 0 ? now_us : retry_us;
    }
    assert_in_range(started, 180, 195);
}

// Many permissions at once where the limit is far away, none ahead where it is near.
static void far_limits_are_granted_in_chunks(void **state)
{
    (void)state;
    struct ts_record record;
    struct ts_record_rule far = {.requests = 1000000, .window_us = 300 * SECOND, .is_given = true};
    int64_t retry_us;
    record_open(&record, false, START);
    assert_in_range(ts_governor_take(&record, &far, 16, START, &retry_us), 900, 1000);
    assert_in_range(ts_governor_take(&record, &rule, 5, START, &retry_us), 1, 5);
}

// The server says what is left, but of how many and in what time it does not.
static void a_given_rate_ends_with_its_run(void **state)
{
    (void)state;
    struct ts_record record;
    struct ts_governor_view view;
    const struct ts_record_rule given = {
        .requests = 1000000, .window_us = 300 * SECOND, .is_given = true};
    struct ts_record_batch batch = {
        .ended = 1, .word = {.answers = 1, .left_count = 1, .lefts = {{7, 900, 100 * SECOND}}}};
    record_open(&record, false, START);
    ts_record_settle(&record, &given, &batch, START);
    ts_governor_look(&record, &given, START, &view);
    assert_int_equal(view.requests, 1000000);
    record_open(&record, true, START + SECOND);
    ts_governor_look(&record, &rule, START + SECOND, &view);
    assert_int_equal(view.requests, 1200);
}

// The looks at a limit that is used up were planned for a long window.
static void a_shorter_rate_does_no_damage(void **state)
{
    (void)state;
    struct ts_record record;
    struct ts_governor_view view;
    const struct ts_record_rule given = {.requests = 100, .window_us = SECOND, .is_given = true};
    struct ts_record_time now = {.boot = {1}, .mono_us = START, .wall_us = START};
    struct ts_record_batch batch = {
        .ended = 1, .word = {.answers = 1, .left_count = 1, .lefts = {{7, 10, 200 * SECOND}}}};
    int64_t retry_us;
    record_open(&record, false, START);
    for (int i = 0; i < 6; i++) {
        ts_record_settle(&record, &rule, &batch, now.mono_us);
        while (ts_governor_take(&record, &rule, 1, now.mono_us, &retry_us) == 0) {
            now.mono_us = retry_us;
        }
    }
    ts_record_open(&record, true, &now, &given);
    record_open(&record, true, now.mono_us);
    ts_governor_look(&record, &rule, now.mono_us, &view);
    assert_true(view.is_heard); // else it was taken for damaged
}

// A history that was lost while the run was given a rate.
static void a_doubtful_start_ends_with_its_rate(void **state)
{
    (void)state;
    struct ts_record record;
    struct ts_governor_view view;
    const struct ts_record_rule given = {
        .requests = 1000000, .window_us = 300 * SECOND, .is_given = true};
    struct ts_record_time now = {.boot = {1}, .mono_us = START, .wall_us = START};
    memset(&record, 0, sizeof record);
    ts_record_open(&record, true, &now, &given);
    record_open(&record, true, START + SECOND);
    ts_governor_look(&record, &rule, START + SECOND, &view);
    assert_int_equal(view.requests, 1200);
    assert_false(view.is_heard);
    assert_int_equal(view.left, 1);
    end_silently(&record, 1, START + 301 * SECOND); // a window later all is as ever
    ts_governor_look(&record, &rule, START + 301 * SECOND, &view);
    assert_int_equal(view.left, 1188 - 1);
    ts_governor_look(&record, &given, START + 301 * SECOND, &view);
    assert_int_equal(view.left, 1000000 - 1); // a rate that is given needs no reserve
}

static void a_given_rate_is_not_raised_by_the_server(void **state)
{
    (void)state;
    struct ts_record record;
    struct ts_record_rule given = {.requests = 100, .window_us = 60 * SECOND, .is_given = true};
    struct ts_governor_view view;
    record_open(&record, false, START);
    hear(&record, 10, 1190, START);
    ts_governor_look(&record, &given, START, &view);
    assert_int_equal(view.requests, 100);
    assert_int_equal(view.left, 90);
    given.requests = 100000; // and the server's is not exceeded
    ts_governor_look(&record, &given, START, &view);
    assert_int_equal(view.requests, 1200);
    assert_int_equal(view.left, 1190 - 12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_dead_held_is_spent_and_leaves_again),
        cmocka_unit_test(more_processes_than_places_are_still_counted),
        cmocka_unit_test(a_reboot_forgets_no_more_than_time_does),
        cmocka_unit_test(times_that_lie_ahead_stop_nobody_for_ever),
        cmocka_unit_test(damage_means_a_careful_start),
        cmocka_unit_test(any_damage_does_no_harm),
        cmocka_unit_test(a_pause_holds_and_is_followed_by_one_request),
        cmocka_unit_test(looks_leave_something_of_the_reserve),
        cmocka_unit_test(the_pace_keeps_below_200_a_second),
        cmocka_unit_test(far_limits_are_granted_in_chunks),
        cmocka_unit_test(a_given_rate_ends_with_its_run),
        cmocka_unit_test(a_shorter_rate_does_no_damage),
        cmocka_unit_test(a_doubtful_start_ends_with_its_rate),
        cmocka_unit_test(a_given_rate_is_not_raised_by_the_server),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
