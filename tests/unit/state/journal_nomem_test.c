// SPDX-License-Identifier: MIT
// Each allocation of SQLite fails in turn: what a commit has confirmed is there, all else is an
// error, and the journal goes on once there is memory.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "host/state/journal_read.h"
#include "tests/unit/state/journal_bed.h"

static int left = -1; // allocations until one fails; -1: none does
static bool is_failed;
static sqlite3_mem_methods real;

static bool is_spent(void)
{
    if (left < 0 || left-- > 0) {
        return false;
    }
    is_failed = true;
    return true;
}

static void *starved_malloc(int size)
{
    return is_spent() ? NULL : real.xMalloc(size);
}

static void *starved_realloc(void *block, int size)
{
    return is_spent() ? NULL : real.xRealloc(block, size);
}

static void starve(int after)
{
    left = after;
    is_failed = false;
}

struct text {
    size_t len;
    char bytes[8192];
};

static bool text_add(void *owner, const char *json, size_t len)
{
    struct text *text = owner;
    assert_true(len < sizeof text->bytes - text->len);
    memcpy(text->bytes + text->len, json, len + 1);
    text->len += len;
    return true;
}

// A run from its opening to its end, which stops at the first error; *is_confirmed tells whether
// the operation was committed.
static enum ts_err work(struct journal_bed *bed, const char *plan_id, bool *is_confirmed)
{
    char id[TS_RUN_ID_MAX];
    struct ts_journal_run run = journal_bed_run("apply");
    struct ts_journal_intent intent = {.op = "create",
        .name = "n",
        .body = "{\"a\":[null]}",
        .body_len = 12,
        .started_us = BED_STARTED};
    struct ts_journal_outcome outcome = {.state = TS_OPERATION_DONE};
    int64_t number = 0;
    run.plan_id = plan_id;
    run.plan = "[{\"op\":\"create\"}]";
    run.script = "a.lua";
    enum ts_err code = ts_journal_open(bed->directory, &bed->journal, &bed->err);
    if (!code) {
        code = ts_journal_add_run(bed->journal, &run, id, &bed->err);
    }
    if (!code) {
        code = ts_journal_add(bed->journal, id, &intent, &number, &bed->err);
    }
    if (!code) {
        code = ts_journal_commit(bed->journal, &bed->err);
    }
    *is_confirmed = !code;
    if (!code) {
        code = ts_journal_settle(bed->journal, number, &outcome, &bed->err);
    }
    if (!code) {
        code = ts_journal_forgive(bed->journal, number, "x", &bed->err);
    }
    if (!code) {
        code = ts_journal_end_run(bed->journal, id, 0, "done", "{}", 1, &bed->err);
    }
    return code ? code : ts_journal_commit(bed->journal, &bed->err);
}

static enum ts_err look(struct journal_bed *bed, struct text *text)
{
    char id[TS_RUN_ID_MAX];
    text->len = 0;
    enum ts_err code = ts_journal_find(bed->journal, "last", id, &bed->err);
    if (!code) {
        code = ts_journal_read_chain(bed->journal, id, text_add, text, &bed->err);
    }
    if (!code) {
        code = ts_journal_read_plan(bed->journal, id, text_add, text, &bed->err);
    }
    return code ? code : ts_journal_read_operations(bed->journal, id, text_add, text, &bed->err);
}

// Whether an opening came as far as the tables.
static bool is_made(const struct journal_bed *bed)
{
    return journal_bed_ask(bed, "SELECT count(*) FROM sqlite_schema WHERE name = 'plan'") == 1;
}

static void every_allocation_of_a_run_fails_in_turn(void **state)
{
    struct journal_bed *bed = *state;
    int64_t confirmed = 0;
    bool has_failed = true;
    for (int after = 0; has_failed; after++) {
        char plan_id[32];
        bool is_confirmed;
        snprintf(plan_id, sizeof plan_id, "p-%d", after);
        starve(after);
        enum ts_err code = work(bed, plan_id, &is_confirmed);
        has_failed = is_failed;
        starve(-1);
        if (code && (!has_failed || code != TS_ERR_NOMEM)) {
            fail_msg("%d: error %d: %s", after, code, bed->err.message);
        }
        ts_journal_close(bed->journal);
        bed->journal = NULL;
        // What was not confirmed may be there all the same, but then all of it.
        int64_t count = is_made(bed) ? journal_bed_ask(bed, "SELECT count(*) FROM operation") : 0;
        assert_true(count == confirmed + 1 || (!is_confirmed && count == confirmed));
        confirmed = count;
        assert_true(count == 0 || journal_bed_ask(bed, "SELECT count(*) FROM run") == count);
        assert_true(count == 0 || journal_bed_ask(bed, "SELECT count(*) FROM plan") == count);
    }
}

// What is read is whole or an error, never a row with less in it.
static void every_allocation_of_a_reading_fails_in_turn(void **state)
{
    struct journal_bed *bed = *state;
    struct text whole, text;
    bool is_confirmed, has_failed = true;
    assert_int_equal(work(bed, "p-1", &is_confirmed), TS_OK);
    assert_int_equal(look(bed, &whole), TS_OK);
    for (int after = 0; has_failed; after++) {
        starve(after);
        enum ts_err code = look(bed, &text);
        has_failed = is_failed;
        starve(-1);
        if (code ? !has_failed || code != TS_ERR_NOMEM : strcmp(text.bytes, whole.bytes) != 0) {
            fail_msg("%d: error %d: %s; read %s", after, code, bed->err.message, text.bytes);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            every_allocation_of_a_run_fails_in_turn, journal_bed_make, journal_bed_drop),
        cmocka_unit_test_setup_teardown(
            every_allocation_of_a_reading_fails_in_turn, journal_bed_make, journal_bed_drop),
    };
    sqlite3_mem_methods starved;
    sqlite3_config(SQLITE_CONFIG_GETMALLOC, &real);
    starved = real;
    starved.xMalloc = starved_malloc;
    starved.xRealloc = starved_realloc;
    sqlite3_config(SQLITE_CONFIG_MALLOC, &starved);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
