// SPDX-License-Identifier: MIT
// Why requests are held back, and what a run says of it: each reason, once, and only when it takes
// long.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host/api/governor.h"
#include "host/api/notice.h"

#define SECOND INT64_C(1000000)
#define START (5000 * SECOND)
#define WINDOW (300 * SECOND)
#define NAME 7

static const struct ts_record_rule rule = {.requests = 1200, .window_us = WINDOW};

// A record, and a run that says what it has to say into memory.
struct bed {
    struct ts_record record;
    struct ts_notice notice;
    struct ts_log log;
    FILE *file;
    char *text;
    size_t len;
    size_t seen; // of the text, by the test
};

static void record_open(struct bed *bed, bool is_found, int64_t now_us)
{
    struct ts_record_time now = {.boot = {1}, .mono_us = now_us, .wall_us = now_us};
    ts_record_open(&bed->record, is_found, &now, &rule);
}

static int set_up(void **state)
{
    struct bed *bed = *state = calloc(1, sizeof *bed);
    assert_non_null(bed);
    bed->file = open_memstream(&bed->text, &bed->len);
    assert_non_null(bed->file);
    ts_log_init(&bed->log, bed->file, TS_LOG_NORMAL);
    bed->notice.log = &bed->log;
    record_open(bed, false, START);
    return 0;
}

static int tear_down(void **state)
{
    struct bed *bed = *state;
    fclose(bed->file);
    free(bed->text);
    free(bed);
    return 0;
}

// So many requests of this machine end now; the last answer says what is left of 1200, and when
// that changes.
static void hear(struct bed *bed, int64_t ended, int64_t left, int64_t reset_us, int64_t now_us)
{
    struct ts_record_batch batch = {.ended = ended,
        .word = {.answers = ended,
            .left_count = 1,
            .lefts = {{NAME, left, reset_us}},
            .policy_count = 1,
            .policies = {{NAME, 1200, WINDOW}}}};
    ts_record_settle(&bed->record, &rule, &batch, now_us);
}

// The server's words from a run that began at START, for so long that others would be known: own
// requests come along with so many of others, all at an even pace.
static void run(struct bed *bed, int64_t own, int64_t others, int64_t span_us)
{
    enum { STEPS = 30 };
    for (int64_t i = 1; i <= STEPS; i++) {
        int64_t now_us = START + span_us * i / STEPS;
        int64_t left_us = START + WINDOW - now_us;
        int64_t left = 1200 - own * i / STEPS - others * i / STEPS;
        hear(bed, own * i / STEPS - own * (i - 1) / STEPS, left,
            (left_us + SECOND - 1) / SECOND * SECOND, now_us);
    }
}

static enum ts_wait_reason reason_at(const struct bed *bed, int64_t now_us, int64_t *until_us)
{
    struct ts_wait wait;
    ts_governor_wait(&bed->record, &rule, now_us, &wait);
    *until_us = wait.until_us;
    return wait.reason;
}

static void check_reason(
    const struct bed *bed, int64_t now_us, enum ts_wait_reason reason, int64_t until_us)
{
    int64_t found_us;
    assert_int_equal(reason_at(bed, now_us, &found_us), reason);
    if (reason) {
        assert_in_range(found_us, until_us - SECOND, until_us + SECOND);
    }
}

// A request is wanted and not granted.
static void deny(struct bed *bed, int64_t retry_us, int64_t now_us)
{
    ts_notice_wait(&bed->notice, &bed->record, &rule, retry_us, now_us);
}

static void check_said(struct bed *bed, const char *expected)
{
    fflush(bed->file);
    assert_string_equal(bed->text + bed->seen, expected);
    bed->seen = bed->len;
}

static void nothing_is_held_back_at_first(void **state)
{
    check_reason(*state, START, TS_WAIT_NONE, 0);
}

static void a_pause(void **state)
{
    struct bed *bed = *state;
    ts_record_pause(&bed->record, START + 90 * SECOND, START);
    check_reason(bed, START, TS_WAIT_PAUSE, START + 90 * SECOND);
    deny(bed, START + 90 * SECOND, START);
    check_said(
        bed, "tshost: the API asks for a pause (429 Too Many Requests); going on in 1 min 30 s\n");
}

static void own_requests_alone(void **state)
{
    struct bed *bed = *state;
    struct ts_record_batch batch = {.ended = 1188};
    ts_record_settle(&bed->record, &rule, &batch, START);
    check_reason(bed, START + SECOND, TS_WAIT_SPENT, START + WINDOW);
    deny(bed, START + WINDOW, START + 2 * SECOND);
    check_said(
        bed, "tshost: rate budget used up (1,188 of 1,200 in 5 min); going on in 4 min 58 s\n");
    check_reason(bed, START + WINDOW + SECOND, TS_WAIT_NONE, 0);
}

static void own_requests_by_the_word_of_the_server(void **state)
{
    struct bed *bed = *state;
    run(bed, 1188, 0, 10 * SECOND);
    check_reason(bed, START + 10 * SECOND, TS_WAIT_SPENT, START + WINDOW);
    check_reason(bed, START + WINDOW + 11 * SECOND, TS_WAIT_NONE, 0); // it is old by then
}

static void somebody_else_with_them(void **state)
{
    struct bed *bed = *state;
    run(bed, 800, 300, 100 * SECOND);
    int64_t until_us;
    assert_int_equal(reason_at(bed, START + 100 * SECOND, &until_us), TS_WAIT_OTHERS);
    assert_in_range(until_us, START + WINDOW, START + WINDOW + 100 * SECOND);
    deny(bed, START + WINDOW, START + 100 * SECOND);
    fflush(bed->file);
    assert_non_null(strstr(bed->text, "somebody else uses about "));
    assert_non_null(strstr(bed->text, "rate budget used up (800 of 1,200 in 5 min; the rest is "
                                      "left to others); going on in 4 min "));
}

static void mostly_somebody_else(void **state)
{
    struct bed *bed = *state;
    run(bed, 100, 1060, 100 * SECOND);
    check_reason(bed, START + 100 * SECOND, TS_WAIT_OTHERS, START + WINDOW);
}

// None is left, and who used them does not follow from that.
static void somebody_unknown(void **state)
{
    struct bed *bed = *state;
    hear(bed, 1, 0, 100 * SECOND, START);
    check_reason(bed, START, TS_WAIT_TOLD, START + 100 * SECOND);
}

static void others_are_watched_for(void **state)
{
    struct bed *bed = *state;
    run(bed, 800, 0, 4 * SECOND);
    check_reason(bed, START + 4 * SECOND, TS_WAIT_WATCH, START + 7500000);
    deny(bed, START + 5 * SECOND, START + 4 * SECOND); // too short to be worth words
    deny(bed, START + 7 * SECOND, START + 6 * SECOND);
    check_said(bed, "");
}

static void a_server_that_falls_silent(void **state)
{
    struct bed *bed = *state;
    struct ts_record_batch batch = {.ended = 1};
    hear(bed, 10, 1190, WINDOW, START);
    ts_record_settle(&bed->record, &rule, &batch, START + 20 * SECOND);
    check_reason(bed, START + 20 * SECOND, TS_WAIT_SILENCE, START + WINDOW);
    deny(bed, START + 21 * SECOND, START + 20 * SECOND);
    check_said(bed, ""); // the next answer may speak
    deny(bed, START + 23 * SECOND, START + 22 * SECOND);
    check_said(bed,
        "tshost: rate budget: the API has ceased to say how many requests are left, so one "
        "goes at a time for up to 4 min 38 s\n");
}

static void all_is_under_way(void **state)
{
    struct bed *bed = *state;
    struct ts_record_process other = {.id = {.pid = 12}, .out = 1188};
    ts_record_hold(&bed->record, &other, START);
    check_reason(bed, START, TS_WAIT_FLIGHT, START);
    run(bed, 10, 0, 10 * SECOND); // by the word of the server as well
    check_reason(bed, START + 10 * SECOND, TS_WAIT_FLIGHT, START + 10 * SECOND);
    for (int64_t second = 10; second < 16; second++) {
        deny(bed, START + (second + 1) * SECOND, START + second * SECOND);
    }
    check_said(bed, "");
    deny(bed, START + 17 * SECOND, START + 16 * SECOND);
    check_said(bed,
        "tshost: rate budget: all that may be sent is under way (1188 requests of all tshost "
        "processes); going on as answers come\n");
}

static void set_damage(struct bed *bed, uint32_t version)
{
    bed->record.version = version;
    record_open(bed, true, START);
}

static void a_record_of_another_version(void **state)
{
    struct bed *bed = *state;
    bed->notice.place = "state/rate.db";
    set_damage(bed, 1);
    check_reason(bed, START, TS_WAIT_VERSION, START + WINDOW);
    record_open(bed, true, START + SECOND); // the reason is kept for other processes
    check_reason(bed, START + SECOND, TS_WAIT_VERSION, START + WINDOW);
    deny(bed, START + 2 * SECOND, START + SECOND);
    deny(bed, START + 3 * SECOND, START + 5 * SECOND / 2);
    check_said(bed, "");
    deny(bed, START + 4 * SECOND, START + 3 * SECOND);
    check_said(bed,
        "tshost: rate budget: the record of earlier requests is of another version of tshost "
        "and the API does not say how many are left, so one goes at a time for up to "
        "4 min 57 s; if nothing else was sent in the last 5 min, remove state/rate.db "
        "and start again\n");
    deny(bed, START + 9 * SECOND, START + 8 * SECOND);
    check_said(bed, "");
}

static void a_damaged_record(void **state)
{
    struct bed *bed = *state;
    set_damage(bed, 0);
    check_reason(bed, START, TS_WAIT_DAMAGE, START + WINDOW);
    hear(bed, 1, 1199, WINDOW, START + SECOND);
    check_reason(bed, START + SECOND, TS_WAIT_NONE, 0);
}

// One may start now and then: that is no end. One that need not have waited is.
static void starts_between(void **state)
{
    struct bed *bed = *state;
    set_damage(bed, 0);
    deny(bed, START + SECOND, START);
    ts_notice_start(&bed->notice, 0);
    assert_int_equal(ts_notice_held_us(&bed->notice, START + SECOND), SECOND);
    ts_notice_start(&bed->notice, 0);
    assert_int_equal(ts_notice_held_us(&bed->notice, START + SECOND), 0);
    deny(bed, START + 4 * SECOND, START + 3 * SECOND);
    check_said(bed, "");
}

static void quiet(void **state)
{
    struct bed *bed = *state;
    bed->log.level = TS_LOG_QUIET;
    ts_record_pause(&bed->record, START + 90 * SECOND, START);
    deny(bed, START + 90 * SECOND, START);
    check_said(bed, "");
}

static void every_reason_has_words(void **state)
{
    (void)state;
    assert_null(ts_wait_name(TS_WAIT_NONE));
    for (int reason = TS_WAIT_NONE + 1; reason < TS_WAIT_REASONS; reason++) {
        assert_non_null(ts_wait_name((enum ts_wait_reason)reason));
        assert_in_range(strlen(ts_wait_words((enum ts_wait_reason)reason)), 1, 36);
        assert_true(ts_wait_is_real((enum ts_wait_reason)reason, 2 * SECOND));
    }
}

#define IN_BED(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_BED(nothing_is_held_back_at_first),
        IN_BED(a_pause),
        IN_BED(own_requests_alone),
        IN_BED(own_requests_by_the_word_of_the_server),
        IN_BED(somebody_else_with_them),
        IN_BED(mostly_somebody_else),
        IN_BED(somebody_unknown),
        IN_BED(others_are_watched_for),
        IN_BED(a_server_that_falls_silent),
        IN_BED(all_is_under_way),
        IN_BED(a_record_of_another_version),
        IN_BED(a_damaged_record),
        IN_BED(starts_between),
        IN_BED(quiet),
        cmocka_unit_test(every_reason_has_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
