// SPDX-License-Identifier: MIT
// What was noted is read as it was noted, and a run is found by what people type.
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "host/base/process.h"
#include "host/state/journal_read.h"
#include "tests/unit/state/journal_bed.h"

#define ROWS 8

struct rows {
    size_t count;
    size_t wanted; // 0: all
    char json[ROWS][2048];
};

static bool rows_add(void *owner, const char *json, size_t len)
{
    struct rows *rows = owner;
    assert_int_equal(strlen(json), len);
    assert_true(rows->count < ROWS && len < sizeof rows->json[0]);
    memcpy(rows->json[rows->count++], json, len + 1);
    return rows->count != rows->wanted;
}

static void read_runs(struct journal_bed *bed, const char *id, struct rows *rows)
{
    rows->count = 0;
    if (ts_journal_read_runs(bed->journal, id, rows_add, rows, &bed->err)) {
        fail_msg("%s", bed->err.message);
    }
}

static void read_operations(struct journal_bed *bed, const char *id, struct rows *rows)
{
    rows->count = 0;
    if (ts_journal_read_operations(bed->journal, id, rows_add, rows, &bed->err)) {
        fail_msg("%s", bed->err.message);
    }
}

static void assert_has(const char *json, const char *part)
{
    if (!strstr(json, part)) {
        fail_msg("no %s in %s", part, json);
    }
}

static void a_run_is_read_as_it_was_noted(void **state)
{
    struct journal_bed *bed = *state;
    struct rows rows = {0};
    char id[TS_RUN_ID_MAX], json[2048];
    struct ts_journal_run run = {
        .command = "apply",
        .of = "20260101-000000-0000",
        .script = "/srv/work/a \"b\"\n.lua",
        .sha256 = "ab",
        .arguments = "[ \"x\", null ]",
        .directory = "/srv/work",
        .options = "[ \"--allow=delete=3\", \"--quiet\" ]",
        .account = "acc",
        .base_url = "http://127.0.0.1:1",
        .host = "elsewhere.example",
        .user = "me",
        .version = "1.2.3",
        .plan_id = "p-1",
        .plan = "[]",
        .pid = 77,
        .process_start = 5,
        .started_us = BED_STARTED + 7999,
    };
    journal_bed_open(bed);
    assert_int_equal(ts_journal_add_run(bed->journal, &run, id, &bed->err), TS_OK);
    assert_int_equal(ts_journal_end_run(bed->journal, id, 4, "partial", "{\"failed\": 1}",
                         BED_STARTED + 60000000, &bed->err),
        TS_OK);
    read_runs(bed, id, &rows);
    snprintf(json, sizeof json,
        "{\"run\":\"%s\",\"command\":\"apply\",\"of\":\"20260101-000000-0000\","
        "\"script\":\"/srv/work/a \\\"b\\\"\\n.lua\",\"sha256\":\"ab\",\"arguments\":[\"x\",null],"
        "\"directory\":\"/srv/work\",\"options\":[\"--allow=delete=3\",\"--quiet\"],"
        "\"account\":\"acc\",\"base_url\":\"http://127.0.0.1:1\",\"host\":\"elsewhere.example\","
        "\"user\":\"me\",\"pid\":77,\"version\":\"1.2.3\",\"plan_id\":\"p-1\","
        "\"started\":\"2026-11-22T10:30:11.007Z\",\"ended\":\"2026-11-22T10:31:11.000Z\","
        "\"exit\":4,\"status\":\"partial\",\"summary\":{\"failed\":1},\"done\":0,"
        "\"not_applied\":0,\"in_doubt\":0,\"refused\":0,\"stale\":0}",
        id);
    assert_int_equal(rows.count, 1);
    assert_string_equal(rows.json[0], json);
}

static void what_has_no_value_is_left_out(void **state)
{
    struct journal_bed *bed = *state;
    struct rows rows = {0};
    char id[TS_RUN_ID_MAX], json[512];
    journal_bed_open(bed);
    journal_bed_add_run(bed, id);
    read_runs(bed, id, &rows);
    snprintf(json, sizeof json,
        "{\"run\":\"%s\",\"command\":\"run\",\"pid\":%d,\"started\":\"2026-11-22T10:30:11.000Z\","
        "\"status\":\"running\",\"done\":0,\"not_applied\":0,\"in_doubt\":0,\"refused\":0,"
        "\"stale\":0}",
        id, (int)getpid());
    assert_string_equal(rows.json[0], json);
    struct ts_journal_intent intent = {.op = "create", .started_us = BED_STARTED};
    int64_t number;
    assert_int_equal(ts_journal_add(bed->journal, id, &intent, &number, &bed->err), TS_OK);
    read_operations(bed, id, &rows);
    assert_string_equal(rows.json[0], "{\"operation\":1,\"op\":\"create\",\"state\":\"intent\","
                                      "\"started\":\"2026-11-22T10:30:11.000Z\"}");
}

static void an_operation_is_read_as_it_was_noted(void **state)
{
    struct journal_bed *bed = *state;
    struct rows rows = {0};
    char id[TS_RUN_ID_MAX];
    static const char body[] = "{ \"name\": \"n\", \"domains\": [] }, and more behind it";
    static const char before[] = "{\"clearance_level\":null}", after[] = "{\"sitekey\":\"0xB\"}";
    struct ts_journal_intent intent = {
        .op = "create",
        .account = "acc",
        .name = "acme \xc3\xa9",
        .place = "onboard.lua:12",
        .body = body,
        .body_len = 30,
        .before = before,
        .before_len = sizeof before - 1,
        .before_mark = "aa",
        .step = 3,
        .started_us = BED_STARTED + 1500,
    };
    struct ts_journal_outcome outcome = {.state = TS_OPERATION_NOT_APPLIED,
        .sitekey = "0xB",
        .after = after,
        .after_len = sizeof after - 1,
        .after_mark = "bb",
        .error = "HTTP 500",
        .ray = "ray-1",
        .status = 500,
        .attempts = 2,
        .duration_us = 2500};
    int64_t number;
    journal_bed_open(bed);
    journal_bed_add_run(bed, id);
    assert_int_equal(ts_journal_add(bed->journal, id, &intent, &number, &bed->err), TS_OK);
    assert_int_equal(ts_journal_settle(bed->journal, number, &outcome, &bed->err), TS_OK);
    assert_int_equal(ts_journal_forgive(bed->journal, number, "was \"optional\"", &bed->err), 0);
    journal_bed_commit(bed);
    read_operations(bed, id, &rows);
    assert_int_equal(rows.count, 1);
    assert_string_equal(rows.json[0],
        "{\"operation\":1,\"op\":\"create\",\"account\":\"acc\",\"sitekey\":\"0xB\","
        "\"name\":\"acme \xc3\xa9\",\"place\":\"onboard.lua:12\","
        "\"body\":{\"name\":\"n\",\"domains\":[]},\"before\":{\"clearance_level\":null},"
        "\"after\":{\"sitekey\":\"0xB\"},\"before_mark\":\"aa\",\"after_mark\":\"bb\",\"step\":3,"
        "\"state\":\"not_applied\",\"error\":\"HTTP 500\",\"ray\":\"ray-1\",\"status\":500,"
        "\"attempts\":2,\"started\":\"2026-11-22T10:30:11.001Z\",\"duration_ms\":2.5,"
        "\"forgiven\":\"was \\\"optional\\\"\"}");
}

// The CF-Ray of what was sent is what support asks for, whatever reading has shown since.
static void what_reading_has_shown_keeps_the_ray(void **state)
{
    struct journal_bed *bed = *state;
    struct rows rows = {0};
    char id[TS_RUN_ID_MAX];
    journal_bed_open(bed);
    journal_bed_add_run(bed, id);
    int64_t number = journal_bed_add(bed, id);
    struct ts_journal_outcome lost = {
        .state = TS_OPERATION_UNKNOWN, .status = 502, .ray = "ray-1", .attempts = 1};
    struct ts_journal_outcome shown = {.state = TS_OPERATION_NOT_APPLIED, .error = "was not"};
    struct ts_journal_outcome again = {.state = TS_OPERATION_UNKNOWN, .attempts = 1};
    assert_int_equal(ts_journal_settle(bed->journal, number, &lost, &bed->err), TS_OK);
    assert_int_equal(ts_journal_settle(bed->journal, number, &shown, &bed->err), TS_OK);
    read_operations(bed, id, &rows);
    assert_has(
        rows.json[0], "\"error\":\"was not\",\"ray\":\"ray-1\",\"status\":502,\"attempts\":1");
    assert_int_equal(ts_journal_settle(bed->journal, number, &again, &bed->err), TS_OK);
    read_operations(bed, id, &rows);
    assert_null(strstr(rows.json[0], "ray-1"));
    assert_has(rows.json[0], "\"state\":\"unknown\",\"attempts\":2");
}

static void operations_are_counted_by_state(void **state)
{
    struct journal_bed *bed = *state;
    struct rows rows = {0};
    static const char *const words[] = {
        "intent", "done", "not_applied", "unknown", "refused", "stale"};
    char id[TS_RUN_ID_MAX], other[TS_RUN_ID_MAX], json[64];
    journal_bed_open(bed);
    journal_bed_add_run(bed, other);
    journal_bed_add(bed, other);
    journal_bed_add_run(bed, id);
    journal_bed_add(bed, id);
    journal_bed_settle(bed, journal_bed_add(bed, id), TS_OPERATION_DONE);
    for (int i = TS_OPERATION_DONE; i < TS_OPERATION_STATE_COUNT; i++) {
        journal_bed_settle(bed, journal_bed_add(bed, id), (enum ts_operation_state)i);
    }
    journal_bed_commit(bed);
    read_runs(bed, id, &rows);
    assert_has(rows.json[0], "\"status\":\"running\",\"done\":2,\"not_applied\":1,\"in_doubt\":1,"
                             "\"under_way\":1,\"refused\":1,\"stale\":1}");
    assert_int_equal(
        ts_journal_end_run(bed->journal, id, 10, "unsettled", NULL, BED_STARTED + 1, &bed->err),
        TS_OK);
    read_runs(bed, id, &rows);
    assert_has(rows.json[0], "\"status\":\"unsettled\",\"done\":2,\"not_applied\":1,"
                             "\"in_doubt\":2,\"refused\":1,\"stale\":1}");
    rows.wanted = 1;
    read_operations(bed, id, &rows);
    assert_int_equal(rows.count, 1);
    rows.wanted = 0;
    read_operations(bed, id, &rows);
    assert_int_equal(rows.count, 7);
    for (size_t i = 0; i < 6; i++) {
        snprintf(json, sizeof json, "\"state\":\"%s\"", words[i]);
        assert_has(rows.json[i ? i + 1 : 0], json);
    }
}

static void the_newest_run_comes_first(void **state)
{
    struct journal_bed *bed = *state;
    struct rows rows = {0};
    char ids[3][TS_RUN_ID_MAX];
    journal_bed_open(bed);
    read_runs(bed, NULL, &rows);
    assert_int_equal(rows.count, 0);
    for (int i = 0; i < 3; i++) {
        journal_bed_add_run(bed, ids[i]);
    }
    read_runs(bed, NULL, &rows);
    assert_int_equal(rows.count, 3);
    for (int i = 0; i < 3; i++) {
        assert_has(rows.json[i], ids[2 - i]);
    }
    read_runs(bed, "20260101-000000-0000", &rows);
    assert_int_equal(rows.count, 0);
}

// A process that ended without a word, one whose id is another's by now, and one of another host.
static void a_run_whose_process_went_was_killed(void **state)
{
    struct journal_bed *bed = *state;
    struct rows rows = {0};
    char id[TS_RUN_ID_MAX], host[256];
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(gethostname(host, sizeof host), 0);
    journal_bed_open(bed);
    pid_t child = fork();
    if (child == 0) {
        char byte;
        close(ends[1]);
        _exit(read(ends[0], &byte, 1) != 0);
    }
    assert_true(child > 0);
    struct ts_journal_run run = journal_bed_run("run");
    run.host = host;
    run.pid = child;
    run.process_start = ts_process_start(child);
    assert_true(run.process_start != 0);
    assert_int_equal(ts_journal_add_run(bed->journal, &run, id, &bed->err), TS_OK);
    journal_bed_add(bed, id);
    read_runs(bed, id, &rows);
    assert_has(rows.json[0], "\"status\":\"running\"");
    close(ends[1]);
    assert_int_equal(waitpid(child, NULL, 0), child);
    close(ends[0]);
    read_runs(bed, id, &rows);
    assert_has(rows.json[0], "\"status\":\"killed\"");
    assert_has(rows.json[0], "\"in_doubt\":1");
    run.pid = getpid();
    run.process_start = ts_process_start(getpid()) + 1;
    assert_int_equal(ts_journal_add_run(bed->journal, &run, id, &bed->err), TS_OK);
    read_runs(bed, id, &rows);
    assert_has(rows.json[0], "\"status\":\"killed\"");
    run.host = "elsewhere.example";
    assert_int_equal(ts_journal_add_run(bed->journal, &run, id, &bed->err), TS_OK);
    read_runs(bed, id, &rows);
    assert_has(rows.json[0], "\"status\":\"running\"");
}

static void the_steps_of_a_plan_come_one_by_one(void **state)
{
    struct journal_bed *bed = *state;
    struct rows rows = {0};
    char id[TS_RUN_ID_MAX];
    struct ts_journal_run run = journal_bed_run("apply");
    run.plan = "[{\"op\":\"delete\",\"saw\":null}, {\"op\":\"create\",\"set\":{\"name\":\"\"}}, "
               "\"x\",4,5,6,7]";
    journal_bed_open(bed);
    assert_int_equal(ts_journal_add_run(bed->journal, &run, id, &bed->err), TS_OK);
    assert_int_equal(ts_journal_read_plan(bed->journal, id, rows_add, &rows, &bed->err), TS_OK);
    assert_int_equal(rows.count, 7);
    assert_string_equal(rows.json[0], "{\"op\":\"delete\",\"saw\":null}");
    assert_string_equal(rows.json[1], "{\"op\":\"create\",\"set\":{\"name\":\"\"}}");
    assert_string_equal(rows.json[2], "\"x\"");
    journal_bed_add_run(bed, id);
    rows.count = 0;
    assert_int_equal(ts_journal_read_plan(bed->journal, id, rows_add, &rows, &bed->err), TS_OK);
    assert_int_equal(rows.count, 0);
}

static void add_of(struct journal_bed *bed, const char *command, const char *of, char *id)
{
    struct ts_journal_run run = journal_bed_run(command);
    run.of = of;
    assert_int_equal(ts_journal_add_run(bed->journal, &run, id, &bed->err), TS_OK);
}

static void assert_chain(
    struct journal_bed *bed, const char *id, char (*ids)[TS_RUN_ID_MAX], size_t count)
{
    struct rows rows = {0};
    assert_int_equal(ts_journal_read_chain(bed->journal, id, rows_add, &rows, &bed->err), TS_OK);
    assert_int_equal(rows.count, count);
    for (size_t i = 0; i < count; i++) {
        assert_memory_equal(rows.json[i] + strlen("{\"run\":\""), ids[i], strlen(ids[i]));
    }
}

static void a_chain_is_all_resumes_of_one_run(void **state)
{
    struct journal_bed *bed = *state;
    char chain[4][TS_RUN_ID_MAX], other[2][TS_RUN_ID_MAX];
    journal_bed_open(bed);
    add_of(bed, "run", NULL, chain[0]);
    add_of(bed, "run", NULL, other[0]);
    add_of(bed, "resume", chain[0], chain[1]);
    add_of(bed, "resume", other[0], other[1]);
    add_of(bed, "resume", chain[1], chain[2]);
    add_of(bed, "resume", chain[0], chain[3]); // once more the first
    for (int i = 0; i < 4; i++) {
        assert_chain(bed, chain[i], chain, 4);
    }
    assert_chain(bed, other[0], other, 2);
    // An undo is work of its own, which may be resumed in turn.
    char undo[2][TS_RUN_ID_MAX];
    add_of(bed, "undo", chain[2], undo[0]);
    add_of(bed, "resume", undo[0], undo[1]);
    assert_chain(bed, undo[1], undo, 2);
    assert_chain(bed, chain[2], chain, 4);
    assert_chain(bed, "20260101-000000-0000", chain, 0);
}

static void assert_finds(struct journal_bed *bed, const char *text, const char *id)
{
    char found[TS_RUN_ID_MAX];
    if (ts_journal_find(bed->journal, text, found, &bed->err)) {
        fail_msg("%s", bed->err.message);
    }
    assert_string_equal(found, id);
}

static void assert_finds_none(struct journal_bed *bed, const char *text, const char *message)
{
    char found[TS_RUN_ID_MAX];
    assert_int_equal(ts_journal_find(bed->journal, text, found, &bed->err), TS_ERR_USAGE);
    assert_has(bed->err.message, message);
}

static void a_run_is_found_by_what_people_type(void **state)
{
    struct journal_bed *bed = *state;
    char ids[3][TS_RUN_ID_MAX];
    struct ts_journal_run run = journal_bed_run("run");
    journal_bed_open(bed);
    assert_finds_none(bed, "last", "there is no run in the journal");
    assert_finds_none(bed, "7f3a", "there is no run in the journal");
    for (int i = 0; i < 3; i++) {
        run.started_us = BED_STARTED + i * 86400000000; // a day each
        assert_int_equal(ts_journal_add_run(bed->journal, &run, ids[i], &bed->err), TS_OK);
    }
    assert_finds(bed, "last", ids[2]);
    for (int i = 0; i < 3; i++) {
        assert_finds(bed, ids[i], ids[i]);
        assert_finds(bed, ids[i] + 6, ids[i]); // from the day on
    }
    assert_finds(bed, "20261123", ids[1]);
    assert_finds_none(bed, "2026112", ids[2]);
    assert_finds_none(bed, "2026112", "more than one run");
    assert_finds_none(bed, "", ids[1]);
    assert_finds_none(bed, "103011", "there is no run \"103011\""); // in the middle
    assert_finds_none(bed, "103011", ids[0]);
    assert_finds_none(bed, "%", "there is no run");
    assert_finds_none(
        bed, "no such run, and a text that is far too long to be one of them", ids[0]);
    for (int i = 0; i < 5; i++) {
        journal_bed_add_run(bed, ids[0]);
    }
    assert_finds_none(bed, "2026", " and others");
}

static void what_is_no_json_is_not_passed_on(void **state)
{
    struct journal_bed *bed = *state;
    struct rows rows = {0};
    char id[TS_RUN_ID_MAX];
    struct ts_journal_intent intent = {
        .op = "update", .before = "{\"a\":1", .before_len = 6, .started_us = BED_STARTED};
    int64_t number;
    journal_bed_open(bed);
    journal_bed_add_run(bed, id);
    assert_int_equal(ts_journal_add(bed->journal, id, &intent, &number, &bed->err), TS_OK);
    assert_int_equal(
        ts_journal_read_operations(bed->journal, id, rows_add, &rows, &bed->err), TS_ERR_SYSTEM);
    assert_has(bed->err.message, "damaged");
    assert_has(bed->err.message, "journal.db");
    assert_has(bed->err.message, "move it away");
    assert_true(ts_journal_is_pending(bed->journal)); // a reading drops nothing
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            a_run_is_read_as_it_was_noted, journal_bed_make, journal_bed_drop),
        cmocka_unit_test_setup_teardown(
            what_has_no_value_is_left_out, journal_bed_make, journal_bed_drop),
        cmocka_unit_test_setup_teardown(
            an_operation_is_read_as_it_was_noted, journal_bed_make, journal_bed_drop),
        cmocka_unit_test_setup_teardown(
            what_reading_has_shown_keeps_the_ray, journal_bed_make, journal_bed_drop),
        cmocka_unit_test_setup_teardown(
            operations_are_counted_by_state, journal_bed_make, journal_bed_drop),
        cmocka_unit_test_setup_teardown(
            the_newest_run_comes_first, journal_bed_make, journal_bed_drop),
        cmocka_unit_test_setup_teardown(
            a_run_whose_process_went_was_killed, journal_bed_make, journal_bed_drop),
        cmocka_unit_test_setup_teardown(
            the_steps_of_a_plan_come_one_by_one, journal_bed_make, journal_bed_drop),
        cmocka_unit_test_setup_teardown(
            a_chain_is_all_resumes_of_one_run, journal_bed_make, journal_bed_drop),
        cmocka_unit_test_setup_teardown(
            a_run_is_found_by_what_people_type, journal_bed_make, journal_bed_drop),
        cmocka_unit_test_setup_teardown(
            what_is_no_json_is_not_passed_on, journal_bed_make, journal_bed_drop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
