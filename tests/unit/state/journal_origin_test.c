// SPDX-License-Identifier: MIT
// What it takes to go on with a run, read from the journal.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "host/base/process.h"
#include "host/state/journal_origin.h"
#include "tests/unit/state/journal_bed.h"

#define DEAD 1 // a start that no process has

static void add(struct journal_bed *bed, const struct ts_journal_run *run, char id[TS_RUN_ID_MAX])
{
    assert_int_equal(ts_journal_add_run(bed->journal, run, id, &bed->err), TS_OK);
    journal_bed_commit(bed);
}

static void end(struct journal_bed *bed, const char *id, int exit)
{
    assert_int_equal(
        ts_journal_end_run(bed->journal, id, exit, "done", NULL, BED_STARTED, &bed->err), TS_OK);
    journal_bed_commit(bed);
}

static struct ts_journal_origin origin_of(struct journal_bed *bed, const char *id)
{
    struct ts_journal_origin origin;
    if (ts_journal_origin_read(bed->journal, id, &origin, &bed->err)) {
        fail_msg("%s", bed->err.message);
    }
    return origin;
}

static void a_run_is_read_with_its_words(void **state)
{
    struct journal_bed *bed = *state;
    char first[TS_RUN_ID_MAX], second[TS_RUN_ID_MAX], third[TS_RUN_ID_MAX];
    journal_bed_open(bed);
    struct ts_journal_run run = journal_bed_run("run");
    run.script = "/srv/a.lua";
    run.sha256 = "abc";
    run.directory = "/srv";
    run.account = "acc";
    run.base_url = "http://127.0.0.1:1";
    run.arguments = "[\"one\", \"\", \"a \\\"b\\\"\\n\\u00e9\"]";
    run.options = "[\"--fresh=5\"]";
    run.process_start = DEAD;
    add(bed, &run, first);
    run = journal_bed_run("resume");
    run.of = first;
    run.options = "[\"--fresh=6\", \"--allow=delete=3\"]";
    run.process_start = DEAD;
    add(bed, &run, second);
    run.of = second; // a resume of a resume
    run.options = NULL;
    for (int i = 0; i < 2; i++) {
        struct ts_journal_origin origin = origin_of(bed, i ? second : first);
        assert_string_equal(origin.run, first);
        assert_string_equal(origin.command, "run");
        assert_string_equal(origin.script, "/srv/a.lua");
        assert_string_equal(origin.sha256, "abc");
        assert_string_equal(origin.directory, "/srv");
        assert_string_equal(origin.account, "acc");
        assert_string_equal(origin.base_url, "http://127.0.0.1:1");
        assert_true(origin.arguments.is_known);
        assert_int_equal(origin.arguments.count, 3);
        assert_string_equal(origin.arguments.words[1], "");
        assert_string_equal(origin.arguments.words[2], "a \"b\"\n\xc3\xa9");
        assert_null(origin.arguments.words[3]);
        assert_int_equal(origin.options.count, 2); // those of the last
        assert_string_equal(origin.options.words[0], "--fresh=6");
        assert_false(origin.is_finished);
        assert_string_equal(origin.running, "");
        ts_journal_origin_fini(&origin);
        ts_journal_origin_fini(&origin);
    }
    add(bed, &run, third);
    struct ts_journal_origin origin = origin_of(bed, third);
    assert_string_equal(origin.run, first);
    assert_false(origin.options.is_known);
    assert_int_equal(origin.options.count, 0);
    ts_journal_origin_fini(&origin);
}

static void a_chain_is_finished_when_its_last_run_is(void **state)
{
    struct journal_bed *bed = *state;
    char first[TS_RUN_ID_MAX], second[TS_RUN_ID_MAX];
    static const struct {
        int exit;
        enum ts_operation_state state;
        bool is_finished;
    } cases[] = {
        {0, TS_OPERATION_DONE, true},
        {3, TS_OPERATION_NOT_APPLIED, true},
        {4, TS_OPERATION_DONE, false},
        {1, TS_OPERATION_DONE, false},
        {0, TS_OPERATION_UNKNOWN, false},
        {0, TS_OPERATION_INTENT, false},
    };
    journal_bed_open(bed);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ts_journal_run run = journal_bed_run("run");
        run.process_start = DEAD;
        add(bed, &run, first);
        int64_t number = journal_bed_add(bed, first);
        if (cases[i].state != TS_OPERATION_INTENT) {
            journal_bed_settle(bed, number, cases[i].state);
        }
        journal_bed_commit(bed);
        run = journal_bed_run("resume");
        run.of = first;
        add(bed, &run, second);
        end(bed, second, cases[i].exit);
        struct ts_journal_origin origin = origin_of(bed, first);
        assert_int_equal(origin.is_finished, cases[i].is_finished);
        ts_journal_origin_fini(&origin);
    }
}

static void a_run_that_goes_on_is_named(void **state)
{
    struct journal_bed *bed = *state;
    char first[TS_RUN_ID_MAX], second[TS_RUN_ID_MAX], pid[32];
    journal_bed_open(bed);
    struct ts_journal_run run = journal_bed_run("run");
    run.process_start = DEAD;
    add(bed, &run, first);
    run = journal_bed_run("resume");
    run.of = first;
    run.pid = getpid();
    run.process_start = ts_process_start(getpid());
    add(bed, &run, second);
    struct ts_journal_origin origin = origin_of(bed, first);
    snprintf(pid, sizeof pid, "%d", (int)getpid());
    assert_string_equal(origin.running, second);
    assert_string_equal(origin.running_pid, pid);
    ts_journal_origin_fini(&origin);
    end(bed, second, 1);
    origin = origin_of(bed, first);
    assert_string_equal(origin.running, "");
    ts_journal_origin_fini(&origin);
    run.host = "elsewhere"; // of which nothing is known
    run.process_start = DEAD;
    add(bed, &run, second);
    origin = origin_of(bed, first);
    assert_string_equal(origin.running, "");
    ts_journal_origin_fini(&origin);
}

static bool is_foreign(struct journal_bed *bed, int64_t number, const char *sitekey)
{
    bool is_foreign;
    assert_int_equal(
        ts_journal_is_foreign(bed->journal, number, sitekey, &is_foreign, &bed->err), TS_OK);
    return is_foreign;
}

static int64_t add_create(struct journal_bed *bed, const char *run, const char *sitekey)
{
    struct ts_journal_intent intent = {.op = "create", .started_us = BED_STARTED};
    struct ts_journal_outcome outcome = {.state = TS_OPERATION_DONE, .sitekey = sitekey};
    int64_t number;
    assert_int_equal(ts_journal_add(bed->journal, run, &intent, &number, &bed->err), TS_OK);
    if (sitekey) {
        assert_int_equal(ts_journal_settle(bed->journal, number, &outcome, &bed->err), TS_OK);
    }
    return number;
}

static void a_widget_is_known_from_elsewhere(void **state)
{
    struct journal_bed *bed = *state;
    char id[TS_RUN_ID_MAX];
    journal_bed_open(bed);
    journal_bed_add_run(bed, id);
    int64_t early = add_create(bed, id, NULL);
    assert_false(is_foreign(bed, early, "0xAAA"));
    journal_bed_add(bed, id); // an update of it, which may be of what the create has made
    assert_false(is_foreign(bed, early, "0xAAA"));
    int64_t late = add_create(bed, id, NULL);
    assert_true(is_foreign(bed, late, "0xAAA")); // it was there before
    add_create(bed, id, "0xBBB");
    assert_true(is_foreign(bed, early, "0xBBB"));
    assert_true(is_foreign(bed, late, "0xBBB"));
    assert_false(is_foreign(bed, late, "0xCCC"));
    assert_false(is_foreign(bed, add_create(bed, id, "0xDDD"), "0xDDD")); // its own
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, journal_bed_make, journal_bed_drop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_run_is_read_with_its_words),
        TEST(a_chain_is_finished_when_its_last_run_is),
        TEST(a_run_that_goes_on_is_named),
        TEST(a_widget_is_known_from_elsewhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
