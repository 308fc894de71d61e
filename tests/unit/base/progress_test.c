// SPDX-License-Identifier: MIT
// What the progress says and when, with a clock that stands still and a terminal that is a pipe.
// How it looks on a real one is tested in tests/cli/progress_test.py.
#include "host/base/progress.h"

#include <fcntl.h>
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/net/fake_clock.h"

#define SECOND 1000000
#define SHOWN(text) "\r\033[?7l" text "\033[J\033[?7h\r"
#define CLEARED "\r\033[J"

struct bed {
    struct fake_clock clock;
    struct ts_terminal terminal;
    struct ts_log log;
    char *logged;
    size_t logged_len;
    FILE *file;
    int fds[2];
    int columns;
    struct ts_progress_budget budget;
    bool is_budget_known;
    int64_t estimate_us;
    int64_t estimated; // requests that were asked about
    struct ts_progress progress;
};

static int columns_of(struct ts_terminal *terminal)
{
    return ((struct bed *)((char *)terminal - offsetof(struct bed, terminal)))->columns;
}

static bool look(void *self, struct ts_progress_budget *out)
{
    struct bed *bed = self;
    *out = bed->budget;
    return bed->is_budget_known;
}

static int64_t estimate(void *self, int64_t requests)
{
    struct bed *bed = self;
    bed->estimated = requests;
    return bed->estimate_us;
}

static int bed_setup(void **state)
{
    struct bed *bed = calloc(1, sizeof *bed);
    assert_non_null(bed);
    bed->file = open_memstream(&bed->logged, &bed->logged_len);
    assert_non_null(bed->file);
    assert_int_equal(pipe2(bed->fds, O_NONBLOCK | O_CLOEXEC), 0);
    fake_clock_init(&bed->clock, 1000 * (int64_t)SECOND);
    ts_terminal_init(&bed->terminal, bed->fds[1]);
    ts_log_init(&bed->log, bed->file, TS_LOG_NORMAL);
    bed->columns = 200;
    *state = bed;
    return 0;
}

static int bed_teardown(void **state)
{
    struct bed *bed = *state;
    ts_progress_fini(&bed->progress);
    ts_progress_fini(&bed->progress); // may run twice
    ts_terminal_fini(&bed->terminal);
    fclose(bed->file);
    free(bed->logged);
    close(bed->fds[0]);
    if (bed->fds[1] >= 0) {
        close(bed->fds[1]);
    }
    free(bed);
    return 0;
}

static void begin(struct bed *bed, enum ts_progress_mode mode)
{
    struct ts_progress_source source = {look, estimate, bed};
    struct ts_progress_config config = {
        .mode = mode,
        .json_fd = bed->fds[1],
        .log = &bed->log,
        .terminal = &bed->terminal,
        .clock = &bed->clock.clock,
        .budget = &source,
        .columns = columns_of,
    };
    ts_progress_init(&bed->progress, &config);
}

static void start(struct bed *bed, struct ts_progress_job *job, const char *label, int64_t total)
{
    ts_progress_start(&bed->progress, job, label, strlen(label), total);
}

static void advance(struct ts_progress_job *job, int count)
{
    for (int i = 0; i < count; i++) {
        ts_progress_advance(job, false);
    }
}

static void pass(struct bed *bed, int64_t us)
{
    bed->clock.now_us += us;
    ts_progress_tick(&bed->progress);
}

// What came out on the terminal or the JSON channel since the last look.
static void drawn(struct bed *bed, char text[8192])
{
    ssize_t len = read(bed->fds[0], text, 8191);
    text[len > 0 ? len : 0] = '\0';
}

static void check_drawn(struct bed *bed, const char *expected)
{
    char text[8192];
    drawn(bed, text);
    assert_string_equal(text, expected);
}

static void check_logged(struct bed *bed, const char *expected)
{
    fflush(bed->file);
    assert_int_equal(bed->logged_len, strlen(expected));
    assert_memory_equal(bed->logged, expected, bed->logged_len);
    rewind(bed->file);
}

static void a_line_with_everything(void **state)
{
    struct bed *bed = *state;
    struct ts_progress_job job;
    bed->is_budget_known = true;
    bed->budget.left = 1212;
    begin(bed, TS_PROGRESS_LINE);
    start(bed, &job, "Onboarding", 3100);
    advance(&job, 1238);
    ts_progress_advance(&job, true);
    ts_progress_advance(&job, true);
    pass(bed, 10 * SECOND);
    pass(bed, SECOND);
    char text[8192];
    drawn(bed, text);
    assert_non_null(strstr(
        text, SHOWN("Onboarding: 1,240/3,100, 2 failed, 1,860 left, 124/s, budget 1,212, ~15 s")));
    ts_progress_fini(&bed->progress); // before its jobs go
}

static void redraws_are_limited(void **state)
{
    struct bed *bed = *state;
    struct ts_progress_job job;
    char text[8192];
    int redraws = 0;
    begin(bed, TS_PROGRESS_LINE);
    start(bed, &job, "Many", -1);
    for (int ms = 0; ms < 2000; ms++) { // an item a millisecond
        advance(&job, 1);
        pass(bed, 1000);
        drawn(bed, text);
        redraws += text[0] != '\0';
    }
    assert_in_range(redraws, 19, 20);
    ts_progress_fini(&bed->progress); // before its jobs go
}

static void it_says_when_to_look_again(void **state)
{
    struct bed *bed = *state;
    struct ts_progress_job job;
    begin(bed, TS_PROGRESS_LINE);
    assert_true(ts_progress_next(&bed->progress) == TS_NEVER);
    start(bed, &job, "Idle", 10);
    ts_progress_tick(&bed->progress);
    check_drawn(bed, SHOWN("Idle: 0/10, 0 failed, 10 left, 0/s"));
    assert_int_equal(ts_progress_next(&bed->progress), bed->clock.now_us + SECOND);
    advance(&job, 1);
    assert_int_equal(ts_progress_next(&bed->progress), bed->clock.now_us + SECOND / 10);
    ts_progress_finish(&job, true);
    assert_true(ts_progress_next(&bed->progress) == TS_NEVER);
    ts_progress_fini(&bed->progress); // before its jobs go
}

static void waiting_is_counted_down(void **state)
{
    struct bed *bed = *state;
    struct ts_progress_job job;
    bed->is_budget_known = true;
    bed->budget.waiting = "waiting for the rate budget";
    bed->budget.wait_us = 250 * SECOND;
    begin(bed, TS_PROGRESS_LINE);
    start(bed, &job, "Onboarding", 3100);
    pass(bed, 0);
    check_drawn(bed,
        SHOWN(
            "Onboarding: 0/3,100, 0 failed, 3,100 left, waiting for the rate budget, 4 min 10 s"));
    bed->budget.wait_us -= SECOND;
    pass(bed, SECOND / 2);
    check_drawn(bed, "");
    pass(bed, SECOND / 2);
    check_drawn(bed,
        SHOWN("Onboarding: 0/3,100, 0 failed, 3,100 left, waiting for the rate budget, 4 min 9 s"));
    ts_progress_fini(&bed->progress); // before its jobs go
}

// What is left of a job is counted in requests at the cost so far, and the budget knows their time.
static void time_left_heeds_the_budget(void **state)
{
    struct bed *bed = *state;
    struct ts_progress_job job;
    bed->is_budget_known = true;
    bed->budget.requests = 100; // before the job
    bed->estimate_us = 605 * (int64_t)SECOND;
    begin(bed, TS_PROGRESS_LINE);
    start(bed, &job, "Editing", 1000);
    advance(&job, 100);
    bed->budget.requests += 200;
    pass(bed, 2 * SECOND);
    assert_int_equal(bed->estimated, 1800);
    check_drawn(bed, SHOWN("Editing: 100/1,000, 0 failed, 900 left, 50/s, budget 0, ~10 min 5 s"));
    ts_progress_fini(&bed->progress); // before its jobs go
}

static void narrow_terminals(void **state)
{
    static const struct {
        int columns;
        const char *line;
    } rows[] = {
        {79, SHOWN("Onboarding: 120/400, 0 failed, 280 left, 12/s, budget 7, ~24 s")},
        {62, SHOWN("Onboarding: 120/400, 0 failed, 280 left, 12/s, ~24 s")},
        {52, SHOWN("Onboarding: 120/400, 0 failed, 280 left, ~24 s")},
        {46, SHOWN("Onboarding: 120/400, 0 failed, ~24 s")},
        {36, SHOWN("Onboarding: 120/400, 0 failed")},
        {29, SHOWN("Onboarding: 120/400")},
        {16, SHOWN("Onboarding: ...")},
        {5, SHOWN("Onbo")},
        {1, SHOWN("")},
        {0, SHOWN("")},
    };
    struct bed *bed = *state;
    struct ts_progress_job job;
    bed->is_budget_known = true;
    bed->budget.left = 7;
    begin(bed, TS_PROGRESS_LINE);
    start(bed, &job, "Onboarding", 400);
    advance(&job, 120);
    bed->clock.now_us += 10 * SECOND;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        bed->columns = rows[i].columns;
        bed->progress.spoke_us = 0; // as if a second had passed
        ts_progress_tick(&bed->progress);
        check_drawn(bed, rows[i].line);
    }
    ts_progress_fini(&bed->progress); // before its jobs go
}

static void the_end_stays(void **state)
{
    struct bed *bed = *state;
    struct ts_progress_job job;
    begin(bed, TS_PROGRESS_LINE);
    start(bed, &job, "Onboarding", 3100);
    advance(&job, 3098);
    ts_progress_advance(&job, true);
    ts_progress_advance(&job, true);
    pass(bed, 63 * SECOND);
    ts_progress_finish(&job, true);
    ts_progress_finish(&job, true); // only once
    char text[8192];
    drawn(bed, text);
    assert_string_equal(strrchr(text, '\r'), CLEARED);
    check_logged(bed, "Onboarding: 3,100 done, 2 failed in 1 min 3 s\n");

    start(bed, &job, "Again", 7);
    advance(&job, 3);
    bed->clock.now_us += 2 * SECOND;
    ts_progress_finish(&job, false);
    check_logged(bed, "Again: 3 of 7 done, stopped after 2 s\n");
    start(bed, &job, "Stream", -1);
    advance(&job, 1234);
    ts_progress_finish(&job, true);
    check_logged(bed, "Stream: 1,234 done in 0 s\n");
    ts_progress_fini(&bed->progress); // before its jobs go
}

static void a_job_inside_a_job(void **state)
{
    struct bed *bed = *state;
    struct ts_progress_job outer, inner;
    begin(bed, TS_PROGRESS_LINE);
    start(bed, &outer, "Tenants", 2);
    start(bed, &inner, "Domains", 5);
    advance(&inner, 3);
    pass(bed, 0);
    check_drawn(bed, SHOWN("Tenants: 0/2, 0 failed, 2 left, 0/s > Domains: 3/5"));
    ts_progress_finish(&inner, true);
    advance(&outer, 1);
    pass(bed, SECOND);
    check_drawn(bed, SHOWN("Tenants: 1/2, 0 failed, 1 left, 1/s, ~1 s"));
    check_logged(bed, ""); // a part that was short needs no line of its own
    start(bed, &inner, "Domains", 5);
    pass(bed, 30 * SECOND);
    ts_progress_finish(&inner, true);
    check_logged(bed, "Domains: 0 done in 30 s\n");
    ts_progress_finish(&outer, true);
    check_logged(bed, "Tenants: 1 done in 31 s\n");
    ts_progress_fini(&bed->progress); // before its jobs go
}

static void jobs_may_end_in_any_order(void **state)
{
    struct bed *bed = *state;
    struct ts_progress_job jobs[3];
    begin(bed, TS_PROGRESS_LINE);
    start(bed, &jobs[0], "a", 2);
    start(bed, &jobs[1], "b", 2);
    start(bed, &jobs[2], "c", 2);
    ts_progress_finish(&jobs[0], true);
    check_logged(bed, "a: 0 done in 0 s\n");
    char text[8192];
    drawn(bed, text);
    assert_non_null(strstr(text, SHOWN("b: 0/2, 0 failed, 2 left, 0/s > c: 0/2")));
    ts_progress_finish(&jobs[2], true);
    ts_progress_finish(&jobs[1], true);
    check_logged(bed, "b: 0 done in 0 s\n"); // it was the whole at last
    assert_null(bed->progress.oldest);
    assert_null(bed->progress.youngest);
    ts_progress_fini(&bed->progress); // before its jobs go
}

static void stopping_is_said(void **state)
{
    struct bed *bed = *state;
    struct ts_progress_job job;
    begin(bed, TS_PROGRESS_LINE);
    start(bed, &job, "Job", 2);
    pass(bed, 0);
    check_drawn(bed, SHOWN("Job: 0/2, 0 failed, 2 left, 0/s"));
    ts_progress_stop(&bed->progress);
    pass(bed, SECOND / 10);
    check_drawn(bed, SHOWN("Job: 0/2, 0 failed, 2 left, stopping"));
    ts_progress_fini(&bed->progress);
    check_drawn(bed, CLEARED);
    ts_progress_finish(&job, false); // its owner may come later
    check_logged(bed, "");
}

static void plain_lines_at_tenths(void **state)
{
    struct bed *bed = *state;
    struct ts_progress_job job;
    begin(bed, TS_PROGRESS_PLAIN);
    start(bed, &job, "Onboarding", 25);
    for (int done = 1; done <= 25; done++) {
        bed->clock.now_us += done == 13 ? SECOND : 0;
        advance(&job, 1);
        fflush(bed->file);
        bool is_tenth = done * 10 / 25 > (done - 1) * 10 / 25 && done < 25;
        assert_int_equal(bed->logged_len > 0, is_tenth);
        if (done == 13) {
            check_logged(bed, "Onboarding: 52 %, 13 of 25 done, 0 failed, 12 left, 13/s, ~1 s\n");
        }
        rewind(bed->file);
    }
    ts_progress_finish(&job, true);
    check_logged(bed, "Onboarding: 25 done in 1 s\n");
    check_drawn(bed, "");             // nothing is redrawn
    ts_progress_fini(&bed->progress); // before its jobs go
}

static void plain_lines_every_30_seconds(void **state)
{
    struct bed *bed = *state;
    struct ts_progress_job job, inner;
    begin(bed, TS_PROGRESS_PLAIN);
    start(bed, &job, "Listing", -1);
    start(bed, &inner, "Page", 10);
    advance(&job, 5000);
    advance(&inner, 5); // tenths of what is inside are not told
    pass(bed, 29 * SECOND);
    check_logged(bed, "");
    pass(bed, SECOND);
    check_logged(bed, "Listing: 5,000 done, 0 failed, 167/s\n"
                      "Page: 50 %, 5 of 10 done, 0 failed, 5 left, 10/min, ~30 s\n");
    ts_progress_finish(&inner, true);
    check_logged(bed, "Page: 5 done in 30 s\n");
    pass(bed, 29 * SECOND);
    check_logged(bed, "");
    bed->is_budget_known = true;
    bed->budget.waiting = "waiting for the rate budget";
    bed->budget.wait_us = 1500000;
    pass(bed, SECOND);
    check_logged(bed, "Listing: 5,000 done, 0 failed, waiting for the rate budget, 2 s\n");
    ts_progress_fini(&bed->progress); // before its jobs go
}

static void more_done_than_announced(void **state)
{
    struct bed *bed = *state;
    struct ts_progress_job job;
    begin(bed, TS_PROGRESS_LINE);
    start(bed, &job, "Grown", 2);
    advance(&job, 5);
    pass(bed, SECOND);
    check_drawn(bed, SHOWN("Grown: 5/5, 0 failed, 0 left, 5/s, ~0 s"));
    ts_progress_finish(&job, true);
    ts_progress_fini(&bed->progress); // before its jobs go
}

static void json_events(void **state)
{
    struct bed *bed = *state;
    struct ts_progress_job job;
    setlocale(LC_ALL, "de_DE.UTF-8"); // where it is installed
    bed->is_budget_known = true;
    bed->budget.left = 1188;
    begin(bed, TS_PROGRESS_JSON);
    start(bed, &job, "Onboarding", 20);
    check_drawn(bed,
        "{\"event\":\"start\",\"job\":1,\"label\":\"Onboarding\",\"done\":0,\"failed\":0,"
        "\"total\":20,\"left\":20,\"rate\":0.000,\"budget_left\":1188,\"waiting\":0.000,\"reason\":"
        "null,"
        "\"seconds_left\":null,\"elapsed\":0.000}\n");
    advance(&job, 4);
    ts_progress_advance(&job, true);
    pass(bed, 1500000);
    check_drawn(bed,
        "{\"event\":\"progress\",\"job\":1,\"label\":\"Onboarding\",\"done\":5,\"failed\":1,"
        "\"total\":20,\"left\":15,\"rate\":3.333,\"budget_left\":1188,\"waiting\":0.000,\"reason\":"
        "null,"
        "\"seconds_left\":4.500,\"elapsed\":1.500}\n");
    bed->is_budget_known = false;
    ts_progress_finish(&job, false);
    check_drawn(bed,
        "{\"event\":\"end\",\"job\":1,\"label\":\"Onboarding\",\"done\":5,\"failed\":1,"
        "\"total\":20,\"left\":15,\"rate\":3.333,\"budget_left\":null,\"waiting\":0.000,\"reason\":"
        "null,"
        "\"seconds_left\":4.500,\"elapsed\":1.500,\"complete\":false}\n");
    check_logged(bed, "");
    setlocale(LC_ALL, "C");
    ts_progress_fini(&bed->progress); // before its jobs go
}

static void json_events_are_limited(void **state)
{
    struct bed *bed = *state;
    struct ts_progress_job jobs[3];
    char text[8192];
    int events = 0, starts = 0;
    begin(bed, TS_PROGRESS_JSON);
    start(bed, &jobs[0], "outer", 1000);
    for (int ms = 0; ms < 1000; ms += 5) {
        start(bed, &jobs[1], "inner", 1);
        start(bed, &jobs[2], "inner", 1);
        advance(&jobs[1], 1);
        advance(&jobs[0], 1);
        pass(bed, 5000);
        ts_progress_finish(&jobs[1], true);
        ts_progress_finish(&jobs[2], true);
        drawn(bed, text);
        for (const char *at = text; (at = strstr(at, "\"event\":\"")) != NULL; at++) {
            events += strncmp(at + 9, "progress", 8) == 0;
            starts += strncmp(at + 9, "start", 5) == 0;
        }
    }
    assert_in_range(events, 9, 10);
    assert_in_range(starts, 1, 10);   // jobs that were never told of leave no trace
    ts_progress_fini(&bed->progress); // before its jobs go
}

static void json_of_any_label(void **state)
{
    struct bed *bed = *state;
    struct ts_progress_job job;
    static const char label[] = "a\0\"\\\n\x1b\x7f\xff \xe2\x82\xac";
    char text[8192];
    begin(bed, TS_PROGRESS_JSON);
    ts_progress_start(&bed->progress, &job, label, sizeof label - 1, -1);
    drawn(bed, text);
    assert_non_null(strstr(text, "\"label\":\"a\\u0000\\\"\\\\\\u000a\\u001b\\u007f\xef\xbf\xbd "
                                 "\xe2\x82\xac\",\"done\":0,\"failed\":0,\"total\":null,"));
    ts_progress_finish(&job, true);
    char longer[3 * TS_PROGRESS_LABEL_MAX];
    for (size_t i = 0; i < sizeof longer; i++) {
        longer[i] = "\xe2\x82\xac"[i % 3];
    }
    ts_progress_start(&bed->progress, &job, longer + 2, sizeof longer - 2, -1);
    assert_int_equal(job.label_len, 1 + 3 * 39); // whole characters
    ts_progress_finish(&job, true);
    ts_progress_fini(&bed->progress); // before its jobs go
}

static void hostile_labels_on_a_terminal(void **state)
{
    struct bed *bed = *state;
    struct ts_progress_job job;
    begin(bed, TS_PROGRESS_LINE);
    ts_progress_start(&bed->progress, &job, "x\033[2J\0\n", 7, 1);
    pass(bed, 0);
    check_drawn(bed, SHOWN("x?[2J??: 0/1, 0 failed, 1 left, 0/s"));
    ts_progress_finish(&job, true);
    check_logged(bed, "x?[2J??: 0 done in 0 s\n");
    ts_progress_fini(&bed->progress); // before its jobs go
}

static void a_reader_who_stalls_or_leaves(void **state)
{
    struct bed *bed = *state;
    struct ts_progress_job job;
    char filler[65536];
    begin(bed, TS_PROGRESS_JSON);
    memset(filler, '.', sizeof filler);
    while (write(bed->fds[1], filler, sizeof filler) > 0) {
    }
    int flags = fcntl(bed->fds[1], F_GETFL);
    fcntl(bed->fds[1], F_SETFL, flags & ~O_NONBLOCK);
    start(bed, &job, "stalled", 2);
    advance(&job, 1);
    pass(bed, SECOND);
    assert_int_equal(bed->progress.json_fd, bed->fds[1]);
    close(bed->fds[1]);
    bed->fds[1] = -1;
    pass(bed, SECOND);
    assert_int_equal(bed->progress.json_fd, -1);
    pass(bed, SECOND);
    ts_progress_finish(&job, true);
    ts_progress_fini(&bed->progress); // before its jobs go
}

static void never_does_nothing(void **state)
{
    struct bed *bed = *state;
    struct ts_progress_job job;
    begin(bed, TS_PROGRESS_NEVER);
    assert_false(ts_progress_is_on(&bed->progress));
    start(bed, &job, "silent", 2);
    advance(&job, 2);
    pass(bed, 60 * SECOND);
    ts_progress_finish(&job, true);
    assert_true(ts_progress_next(&bed->progress) == TS_NEVER);
    check_drawn(bed, "");
    check_logged(bed, "");
    ts_progress_fini(&bed->progress); // before its jobs go
}

int main(void)
{
#define BED_TEST(test) cmocka_unit_test_setup_teardown(test, bed_setup, bed_teardown)
    const struct CMUnitTest tests[] = {
        BED_TEST(a_line_with_everything),
        BED_TEST(redraws_are_limited),
        BED_TEST(it_says_when_to_look_again),
        BED_TEST(waiting_is_counted_down),
        BED_TEST(time_left_heeds_the_budget),
        BED_TEST(narrow_terminals),
        BED_TEST(the_end_stays),
        BED_TEST(a_job_inside_a_job),
        BED_TEST(jobs_may_end_in_any_order),
        BED_TEST(stopping_is_said),
        BED_TEST(plain_lines_at_tenths),
        BED_TEST(plain_lines_every_30_seconds),
        BED_TEST(more_done_than_announced),
        BED_TEST(json_events),
        BED_TEST(json_events_are_limited),
        BED_TEST(json_of_any_label),
        BED_TEST(hostile_labels_on_a_terminal),
        BED_TEST(a_reader_who_stalls_or_leaves),
        BED_TEST(never_does_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
