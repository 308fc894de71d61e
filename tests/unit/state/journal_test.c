// SPDX-License-Identifier: MIT
// What is committed is kept, what is not is gone, and a plan is applied once.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "tests/unit/state/journal_bed.h"

static int64_t count(struct journal_bed *bed, const char *table)
{
    char query[128];
    snprintf(query, sizeof query, "SELECT count(*) FROM %s", table);
    return journal_bed_ask(bed, query);
}

static void what_is_committed_is_kept(void **state)
{
    struct journal_bed *bed = *state;
    char id[TS_RUN_ID_MAX];
    journal_bed_open(bed);
    journal_bed_add_run(bed, id);
    int64_t first = journal_bed_add(bed, id), second = journal_bed_add(bed, id);
    assert_true(first > 0 && second > first);
    journal_bed_commit(bed);
    assert_int_equal(count(bed, "operation"), 2);
    assert_int_equal(count(bed, "outcome"), 0);
    journal_bed_settle(bed, second, TS_OPERATION_DONE);
    journal_bed_commit(bed);
    journal_bed_open(bed);
    assert_int_equal(journal_bed_ask(bed, "SELECT state FROM outcome WHERE number = 2"), 1);
    assert_true(journal_bed_add(bed, id) > second);
    assert_int_equal(ts_journal_end_run(bed->journal, id, 4, "partial", "{}", 99, &bed->err), 0);
    journal_bed_commit(bed);
    assert_int_equal(journal_bed_ask(bed, "SELECT exit FROM run WHERE ended = 99"), 4);
}

static void what_is_not_committed_is_gone(void **state)
{
    struct journal_bed *bed = *state;
    char id[TS_RUN_ID_MAX];
    journal_bed_open(bed);
    assert_false(ts_journal_is_pending(bed->journal));
    journal_bed_commit(bed); // nothing to do
    journal_bed_add_run(bed, id);
    assert_false(ts_journal_is_pending(bed->journal));
    journal_bed_add(bed, id);
    assert_true(ts_journal_is_pending(bed->journal));
    assert_int_equal(count(bed, "operation"), 0);
    journal_bed_open(bed);
    assert_int_equal(count(bed, "operation"), 0);
    assert_int_equal(count(bed, "run"), 1);
}

static void the_id_tells_when_and_which(void **state)
{
    struct journal_bed *bed = *state;
    char id[TS_RUN_ID_MAX];
    journal_bed_open(bed);
    struct ts_journal_run run = journal_bed_run("run");
    // Of so many of one second, some draw the same number at first.
    for (int i = 0; i < 2000; i++) {
        assert_int_equal(ts_journal_add_run(bed->journal, &run, id, &bed->err), TS_OK);
        assert_int_equal(strlen(id), 20);
        assert_memory_equal(id, "20261122-103011-", 16);
        assert_int_equal(strspn(id + 16, "0123456789abcdef"), 4);
    }
    journal_bed_commit(bed);
    assert_int_equal(journal_bed_ask(bed, "SELECT count(DISTINCT id) FROM run"), 2000);
}

static void a_plan_is_applied_once(void **state)
{
    struct journal_bed *bed = *state;
    char first[TS_RUN_ID_MAX], second[TS_RUN_ID_MAX];
    struct ts_journal_run run = journal_bed_run("apply");
    run.plan_id = "p-1";
    journal_bed_open(bed);
    assert_int_equal(ts_journal_add_run(bed->journal, &run, first, &bed->err), TS_OK);
    // Nothing of it is known before it has begun.
    journal_bed_open(bed);
    assert_int_equal(ts_journal_add_run(bed->journal, &run, first, &bed->err), TS_OK);
    journal_bed_commit(bed);
    assert_int_equal(ts_journal_add_run(bed->journal, &run, second, &bed->err), TS_ERR_EXISTS);
    assert_non_null(strstr(bed->err.message, first));
    assert_false(ts_journal_is_pending(bed->journal));
    // What was pending before stays so.
    journal_bed_add(bed, first);
    assert_int_equal(ts_journal_add_run(bed->journal, &run, second, &bed->err), TS_ERR_EXISTS);
    assert_true(ts_journal_is_pending(bed->journal));
    journal_bed_commit(bed);
    assert_int_equal(count(bed, "operation"), 1);
    run.plan_id = "p-2";
    assert_int_equal(ts_journal_add_run(bed->journal, &run, second, &bed->err), TS_OK);
    run.plan_id = NULL;
    assert_int_equal(ts_journal_add_run(bed->journal, &run, second, &bed->err), TS_OK);
    assert_int_equal(ts_journal_add_run(bed->journal, &run, second, &bed->err), TS_OK);
}

static void what_is_not_there_is_an_error(void **state)
{
    struct journal_bed *bed = *state;
    char id[TS_RUN_ID_MAX];
    int64_t number;
    struct ts_journal_intent intent = {.op = "create", .started_us = BED_STARTED};
    struct ts_journal_outcome outcome = {.state = TS_OPERATION_DONE};
    journal_bed_open(bed);
    journal_bed_add_run(bed, id);
    const char *none = "20260101-000000-0000";
    assert_int_equal(
        ts_journal_add(bed->journal, none, &intent, &number, &bed->err), TS_ERR_SYSTEM);
    assert_non_null(strstr(bed->err.message, none));
    assert_int_equal(
        ts_journal_end_run(bed->journal, none, 0, "done", NULL, 1, &bed->err), TS_ERR_SYSTEM);
    // And what was not committed is lost then.
    assert_int_equal(ts_journal_add(bed->journal, id, &intent, &number, &bed->err), TS_OK);
    assert_int_equal(ts_journal_settle(bed->journal, 77, &outcome, &bed->err), TS_ERR_SYSTEM);
    assert_non_null(strstr(bed->err.message, "no operation 77"));
    assert_false(ts_journal_is_pending(bed->journal));
    assert_int_equal(ts_journal_forgive(bed->journal, number, "x", &bed->err), TS_ERR_SYSTEM);
    intent.op = NULL;
    assert_int_equal(ts_journal_add(bed->journal, id, &intent, &number, &bed->err), TS_ERR_SYSTEM);
    assert_int_equal(count(bed, "operation"), 0);
    assert_int_equal(count(bed, "outcome"), 0);
}

// A run that was added and lost: its number may be another's by now.
static void a_lost_run_is_looked_up_again(void **state)
{
    struct journal_bed *bed = *state;
    char lost[TS_RUN_ID_MAX], kept[TS_RUN_ID_MAX];
    struct ts_journal_run run = journal_bed_run("run");
    struct ts_journal_outcome outcome = {.state = TS_OPERATION_DONE};
    struct ts_journal_intent intent = {.op = "create", .started_us = BED_STARTED};
    int64_t number;
    journal_bed_open(bed);
    assert_int_equal(ts_journal_add_run(bed->journal, &run, lost, &bed->err), TS_OK);
    journal_bed_add(bed, lost);
    assert_int_equal(ts_journal_settle(bed->journal, 77, &outcome, &bed->err), TS_ERR_SYSTEM);
    journal_bed_add_run(bed, kept);
    assert_int_equal(
        ts_journal_add(bed->journal, lost, &intent, &number, &bed->err), TS_ERR_SYSTEM);
}

static void more_may_become_known_of_an_outcome(void **state)
{
    struct journal_bed *bed = *state;
    char id[TS_RUN_ID_MAX];
    static const char after[] = "{\"name\":\"new\"}";
    journal_bed_open(bed);
    journal_bed_add_run(bed, id);
    int64_t number = journal_bed_add(bed, id);
    struct ts_journal_outcome outcome = {.state = TS_OPERATION_UNKNOWN,
        .sitekey = "0xBBB",
        .after = after,
        .after_len = sizeof after - 1,
        .after_mark = "feed",
        .error = "timed out",
        .ray = "ray-1",
        .status = 500,
        .attempts = 2,
        .duration_us = 70};
    assert_int_equal(ts_journal_settle(bed->journal, number, &outcome, &bed->err), TS_OK);
    assert_int_equal(ts_journal_forgive(bed->journal, number, "later", &bed->err), TS_OK);
    outcome = (struct ts_journal_outcome){
        .state = TS_OPERATION_DONE, .ray = "", .attempts = 1, .duration_us = 30};
    assert_int_equal(ts_journal_settle(bed->journal, number, &outcome, &bed->err), TS_OK);
    journal_bed_commit(bed);
    assert_int_equal(journal_bed_ask(bed,
                         "SELECT state = 1 AND sitekey = '0xBBB' AND after = '{\"name\":\"new\"}'"
                         " AND after_mark = 'feed' AND error IS NULL AND ray IS NULL"
                         " AND status IS NULL AND attempts = 3 AND duration = 100"
                         " AND forgiven = 'later' FROM outcome"),
        1);
}

static void one_in_memory_works_the_same(void **state)
{
    struct journal_bed *bed = *state;
    char id[TS_RUN_ID_MAX];
    assert_int_equal(ts_journal_open(NULL, &bed->journal, &bed->err), TS_OK);
    assert_string_equal(ts_journal_path(bed->journal), "");
    journal_bed_add_run(bed, id);
    journal_bed_settle(bed, journal_bed_add(bed, id), TS_OPERATION_DONE);
    journal_bed_commit(bed);
}

static void its_files_are_the_users_alone(void **state)
{
    struct journal_bed *bed = *state;
    char id[TS_RUN_ID_MAX], path[128];
    mode_t old = umask(0);
    journal_bed_open(bed);
    journal_bed_add_run(bed, id);
    umask(old);
    assert_string_equal(ts_journal_path(bed->journal), journal_bed_path(bed, "", path));
    static const char *const ends[] = {"", "-wal", "-shm"};
    for (size_t i = 0; i < 3; i++) {
        struct stat status;
        assert_int_equal(stat(journal_bed_path(bed, ends[i], path), &status), 0);
        assert_int_equal(status.st_mode & 07777, 0600);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            what_is_committed_is_kept, journal_bed_make, journal_bed_drop),
        cmocka_unit_test_setup_teardown(
            what_is_not_committed_is_gone, journal_bed_make, journal_bed_drop),
        cmocka_unit_test_setup_teardown(
            the_id_tells_when_and_which, journal_bed_make, journal_bed_drop),
        cmocka_unit_test_setup_teardown(a_plan_is_applied_once, journal_bed_make, journal_bed_drop),
        cmocka_unit_test_setup_teardown(
            what_is_not_there_is_an_error, journal_bed_make, journal_bed_drop),
        cmocka_unit_test_setup_teardown(
            a_lost_run_is_looked_up_again, journal_bed_make, journal_bed_drop),
        cmocka_unit_test_setup_teardown(
            more_may_become_known_of_an_outcome, journal_bed_make, journal_bed_drop),
        cmocka_unit_test_setup_teardown(
            one_in_memory_works_the_same, journal_bed_make, journal_bed_drop),
        cmocka_unit_test_setup_teardown(
            its_files_are_the_users_alone, journal_bed_make, journal_bed_drop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
