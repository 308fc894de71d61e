// SPDX-License-Identifier: MIT
// What is removed from the journal, what never is, and whether the rest is sound.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "host/state/journal_private.h"
#include "tests/unit/state/journal_bed.h"

struct findings {
    size_t count;
    size_t wanted; // 0: all
    char text[4096];
};

static bool findings_add(void *owner, const char *json, size_t len)
{
    struct findings *findings = owner;
    assert_true(len >= 2 && json[0] == '"' && json[len - 1] == '"');
    size_t at = strlen(findings->text);
    snprintf(findings->text + at, sizeof findings->text - at, "%s\n", json);
    findings->count++;
    return findings->count != findings->wanted;
}

static void verify(struct journal_bed *bed, struct findings *findings)
{
    *findings = (struct findings){.wanted = findings->wanted};
    if (ts_journal_verify(bed->journal, findings_add, findings, &bed->err)) {
        fail_msg("%s", bed->err.message);
    }
}

// Changes the file behind the journal's back.
static void tamper(struct journal_bed *bed, const char *text)
{
    char path[128];
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(journal_bed_path(bed, "", path), &db), SQLITE_OK);
    if (sqlite3_exec(db, text, NULL, NULL, NULL)) {
        fail_msg("%s", sqlite3_errmsg(db));
    }
    sqlite3_close(db);
}

// A run of the day with one operation, ended a minute later unless ended is 0.
static void add_run(struct journal_bed *bed, int day, const char *command, const char *of,
    enum ts_operation_state state, char id[TS_RUN_ID_MAX])
{
    struct ts_journal_run run = journal_bed_run(command);
    run.of = of;
    run.started_us = BED_STARTED + day * 86400000000;
    assert_int_equal(ts_journal_add_run(bed->journal, &run, id, &bed->err), TS_OK);
    journal_bed_settle(bed, journal_bed_add(bed, id), state);
    assert_int_equal(
        ts_journal_end_run(bed->journal, id, 0, "done", "{}", run.started_us + 60000000, &bed->err),
        TS_OK);
    journal_bed_commit(bed);
}

static int64_t prune(struct journal_bed *bed, int day)
{
    int64_t count = -1;
    int64_t before_us = BED_STARTED + day * 86400000000;
    if (ts_journal_prune(bed->journal, before_us, &count, &bed->err)) {
        fail_msg("%s", bed->err.message);
    }
    assert_false(ts_journal_is_pending(bed->journal));
    return count;
}

static int64_t has_run(struct journal_bed *bed, const char *id)
{
    char query[128];
    snprintf(query, sizeof query, "SELECT count(*) FROM run WHERE id = '%s'", id);
    return journal_bed_ask(bed, query);
}

static void runs_that_ended_long_ago_are_removed(void **state)
{
    struct journal_bed *bed = *state;
    char ids[3][TS_RUN_ID_MAX];
    journal_bed_open(bed);
    assert_int_equal(prune(bed, 9), 0);
    for (int i = 0; i < 3; i++) {
        add_run(bed, i, "run", NULL, TS_OPERATION_DONE, ids[i]);
    }
    assert_int_equal(prune(bed, 0), 0);
    assert_int_equal(prune(bed, 2), 2);
    assert_int_equal(has_run(bed, ids[2]), 1);
    assert_int_equal(journal_bed_ask(bed, "SELECT count(*) FROM run"), 1);
    assert_int_equal(journal_bed_ask(bed, "SELECT number FROM operation"), 3);
    assert_int_equal(journal_bed_ask(bed, "SELECT count(*) FROM outcome"), 1);
    // A run that is gone is not remembered.
    struct ts_journal_intent intent = {.op = "create", .started_us = 1};
    int64_t number;
    assert_int_equal(
        ts_journal_add(bed->journal, ids[0], &intent, &number, &bed->err), TS_ERR_SYSTEM);
}

static void what_is_in_doubt_or_under_way_stays(void **state)
{
    struct journal_bed *bed = *state;
    char unknown[TS_RUN_ID_MAX], intent[TS_RUN_ID_MAX], open[TS_RUN_ID_MAX], id[TS_RUN_ID_MAX];
    journal_bed_open(bed);
    add_run(bed, 0, "run", NULL, TS_OPERATION_UNKNOWN, unknown);
    add_run(bed, 0, "run", NULL, TS_OPERATION_DONE, intent);
    int64_t number = journal_bed_add(bed, intent);
    journal_bed_commit(bed);
    journal_bed_add_run(bed, open);
    add_run(bed, 0, "run", NULL, TS_OPERATION_REFUSED, id);
    assert_int_equal(prune(bed, 9), 1);
    assert_int_equal(has_run(bed, id), 0);
    journal_bed_settle(bed, number, TS_OPERATION_STALE);
    assert_int_equal(prune(bed, 9), 1);
    assert_int_equal(has_run(bed, intent), 0);
    assert_int_equal(has_run(bed, unknown) + has_run(bed, open), 2);
}

// It has no end, so its beginning counts.
static void a_run_that_was_killed_goes_as_well(void **state)
{
    struct journal_bed *bed = *state;
    char id[TS_RUN_ID_MAX];
    struct ts_journal_run run = journal_bed_run("run");
    run.pid = INT32_MAX; // no process has it
    journal_bed_open(bed);
    assert_int_equal(ts_journal_add_run(bed->journal, &run, id, &bed->err), TS_OK);
    int64_t number = journal_bed_add(bed, id);
    assert_int_equal(prune(bed, 1), 0);
    journal_bed_settle(bed, number, TS_OPERATION_DONE);
    assert_int_equal(prune(bed, 0), 0);
    assert_int_equal(prune(bed, 1), 1);
}

// A resume answers from what the runs before it have done, so that has to be known.
static void runs_that_belong_together_stay_together(void **state)
{
    struct journal_bed *bed = *state;
    char ids[3][TS_RUN_ID_MAX], doubt[TS_RUN_ID_MAX], id[TS_RUN_ID_MAX];
    journal_bed_open(bed);
    add_run(bed, 0, "run", NULL, TS_OPERATION_DONE, ids[0]);
    add_run(bed, 1, "resume", ids[0], TS_OPERATION_DONE, ids[1]);
    add_run(bed, 5, "undo", ids[1], TS_OPERATION_DONE, ids[2]);
    add_run(bed, 0, "run", NULL, TS_OPERATION_UNKNOWN, doubt);
    add_run(bed, 1, "resume", doubt, TS_OPERATION_DONE, id);
    assert_int_equal(prune(bed, 5), 0);
    assert_int_equal(prune(bed, 6), 3);
    assert_int_equal(has_run(bed, doubt) + has_run(bed, id), 2);
}

static int on_commit(void *count)
{
    ++*(int *)count;
    return 0;
}

// Others get their turn in between.
static void much_is_removed_in_several_commits(void **state)
{
    struct journal_bed *bed = *state;
    char ids[3][TS_RUN_ID_MAX];
    int commits = 0;
    journal_bed_open(bed);
    for (int i = 0; i < 3; i++) {
        add_run(bed, i, "run", NULL, TS_OPERATION_DONE, ids[i]);
    }
    for (int i = 0; i < 12000; i++) {
        journal_bed_settle(bed, journal_bed_add(bed, ids[i % 2]), TS_OPERATION_DONE);
    }
    journal_bed_commit(bed);
    sqlite3_commit_hook(bed->journal->database.db, on_commit, &commits);
    assert_int_equal(prune(bed, 9), 3);
    assert_int_equal(commits, 3); // two that are large, and the last
    assert_int_equal(journal_bed_ask(bed, "SELECT count(*) FROM run"), 0);
    assert_int_equal(journal_bed_ask(bed, "SELECT count(*) FROM operation"), 0);
    assert_int_equal(journal_bed_ask(bed, "SELECT count(*) FROM outcome"), 0);
}

static void a_plan_is_applied_once_for_ever(void **state)
{
    struct journal_bed *bed = *state;
    struct ts_journal_run run = journal_bed_run("apply");
    char id[TS_RUN_ID_MAX], again[TS_RUN_ID_MAX];
    run.plan_id = "p-1";
    journal_bed_open(bed);
    assert_int_equal(ts_journal_add_run(bed->journal, &run, id, &bed->err), TS_OK);
    assert_int_equal(
        ts_journal_end_run(bed->journal, id, 0, "done", "{}", BED_STARTED, &bed->err), TS_OK);
    assert_int_equal(prune(bed, 1), 1);
    assert_int_equal(ts_journal_add_run(bed->journal, &run, again, &bed->err), TS_ERR_EXISTS);
    assert_non_null(strstr(bed->err.message, id));
}

static void a_sound_journal_has_no_findings(void **state)
{
    struct journal_bed *bed = *state;
    struct findings findings = {0};
    char id[TS_RUN_ID_MAX];
    struct ts_journal_run run = journal_bed_run("resume");
    journal_bed_open(bed);
    verify(bed, &findings);
    assert_int_equal(findings.count, 0);
    run.arguments = "[]";
    run.options = "[]";
    run.plan = "[{}]";
    assert_int_equal(ts_journal_add_run(bed->journal, &run, id, &bed->err), TS_OK);
    for (int i = 0; i < TS_OPERATION_STATE_COUNT; i++) {
        add_run(bed, i, "run", NULL, (enum ts_operation_state)i, id);
    }
    verify(bed, &findings);
    assert_string_equal(findings.text, "");
}

static void each_row_that_makes_no_sense_is_found(void **state)
{
    static const struct {
        const char *change;
        const char *finding;
    } cases[] = {
        {"DELETE FROM run WHERE number = 2", "\"operation 2 belongs to no run\"\n"},
        {"DELETE FROM operation WHERE number = 2", "\"outcome 2 belongs to no operation\"\n"},
        {"UPDATE run SET status = NULL WHERE number = 2", " ended without a status\"\n"},
        {"UPDATE run SET command = 'dance' WHERE number = 2", " unknown command dance\"\n"},
        {"UPDATE run SET options = '{}' WHERE number = 2", ": its options is no JSON array\"\n"},
        {"UPDATE run SET plan = '{}' WHERE number = 2", ": its plan is no JSON array\"\n"},
        {"UPDATE operation SET op = 'x' WHERE number = 2", "\"operation 2 is the unknown x\"\n"},
        {"UPDATE operation SET body = '{' WHERE number = 2",
            "\"operation 2: its body is no JSON object\"\n"},
        {"UPDATE operation SET before = '' WHERE number = 2",
            "\"operation 2: its before is no JSON object\"\n"},
        {"UPDATE outcome SET after = '3' WHERE number = 2",
            "\"operation 2: its after is no JSON object\"\n"},
        {"UPDATE outcome SET state = 6 WHERE number = 2",
            "\"operation 2 is in the unknown state 6\"\n"},
        {"PRAGMA writable_schema = on; DELETE FROM sqlite_schema WHERE name = 'operation_run'",
            "never used"},
    };
    struct journal_bed *bed = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct findings findings = {0};
        char ids[3][TS_RUN_ID_MAX], path[128];
        journal_bed_open(bed);
        for (int k = 0; k < 3; k++) {
            add_run(bed, k, "run", NULL, TS_OPERATION_DONE, ids[k]);
        }
        tamper(bed, cases[i].change);
        journal_bed_open(bed);
        verify(bed, &findings);
        if (findings.count != 1 || !strstr(findings.text, cases[i].finding)) {
            fail_msg("%s: found %s", cases[i].change, findings.text);
        }
        ts_journal_close(bed->journal);
        bed->journal = NULL;
        remove(journal_bed_path(bed, "", path));
        remove(journal_bed_path(bed, "-wal", path));
        remove(journal_bed_path(bed, "-shm", path));
    }
}

static void a_reader_may_stop_at_the_first_finding(void **state)
{
    struct journal_bed *bed = *state;
    struct findings findings = {.wanted = 1};
    char id[TS_RUN_ID_MAX];
    journal_bed_open(bed);
    add_run(bed, 0, "run", NULL, TS_OPERATION_DONE, id);
    tamper(bed, "UPDATE run SET command = 'dance'; UPDATE outcome SET state = 9");
    verify(bed, &findings);
    assert_int_equal(findings.count, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            runs_that_ended_long_ago_are_removed, journal_bed_make, journal_bed_drop),
        cmocka_unit_test_setup_teardown(
            what_is_in_doubt_or_under_way_stays, journal_bed_make, journal_bed_drop),
        cmocka_unit_test_setup_teardown(
            a_run_that_was_killed_goes_as_well, journal_bed_make, journal_bed_drop),
        cmocka_unit_test_setup_teardown(
            runs_that_belong_together_stay_together, journal_bed_make, journal_bed_drop),
        cmocka_unit_test_setup_teardown(
            much_is_removed_in_several_commits, journal_bed_make, journal_bed_drop),
        cmocka_unit_test_setup_teardown(
            a_plan_is_applied_once_for_ever, journal_bed_make, journal_bed_drop),
        cmocka_unit_test_setup_teardown(
            a_sound_journal_has_no_findings, journal_bed_make, journal_bed_drop),
        cmocka_unit_test_setup_teardown(
            each_row_that_makes_no_sense_is_found, journal_bed_make, journal_bed_drop),
        cmocka_unit_test_setup_teardown(
            a_reader_may_stop_at_the_first_finding, journal_bed_make, journal_bed_drop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
