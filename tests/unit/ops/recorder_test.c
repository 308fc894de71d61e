// SPDX-License-Identifier: MIT
// The recorder: when a run gets its row, in which order operations stand in the journal, and that
// nothing passes any more once it has failed.
#include "host/ops/recorder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "host/base/buf.h"
#include "host/state/journal_read.h"

enum ts_err __real_ts_journal_commit(struct ts_journal *journal, struct ts_error *err);
enum ts_err __wrap_ts_journal_commit(struct ts_journal *journal, struct ts_error *err);

struct bed {
    struct ts_recorder recorder;
    struct ts_error err;
    int opened, described, commits;
    bool is_broken; // the journal cannot be opened
    bool is_full;   // nor be committed to
    struct ts_buf rows;
};

static struct bed *the_bed; // for the wrapped function, which is not told whose it is

enum ts_err __wrap_ts_journal_commit(struct ts_journal *journal, struct ts_error *err)
{
    the_bed->commits += ts_journal_is_pending(journal);
    if (the_bed->is_full) {
        return ts_error_set(err, TS_ERR_SYSTEM, "the disk is full");
    }
    return __real_ts_journal_commit(journal, err);
}

static enum ts_err bed_open(void *self, struct ts_journal **out, struct ts_error *err)
{
    struct bed *bed = self;
    bed->opened++;
    if (bed->is_broken) {
        return ts_error_set(err, TS_ERR_SYSTEM, "no journal here");
    }
    return ts_journal_open(NULL, out, err);
}

static enum ts_err bed_describe(void *self, struct ts_journal_run *run, struct ts_error *err)
{
    (void)err;
    ((struct bed *)self)->described++;
    *run = (struct ts_journal_run){.command = "run", .started_us = 1};
    return TS_OK;
}

static int setup(void **state)
{
    static struct bed bed;
    bed = (struct bed){0};
    the_bed = *state = &bed;
    struct ts_recorder_source source = {.open = bed_open, .describe = bed_describe, .self = &bed};
    ts_recorder_start(&bed.recorder, &source);
    ts_buf_init(&bed.rows, 1 << 20);
    return 0;
}

static int teardown(void **state)
{
    struct bed *bed = *state;
    ts_buf_fini(&bed->rows);
    ts_recorder_fini(&bed->recorder);
    ts_recorder_fini(&bed->recorder);
    return 0;
}

static bool on_row(void *owner, const char *json, size_t len)
{
    struct bed *bed = owner;
    return !ts_buf_add(&bed->rows, json, len) && !ts_buf_add_char(&bed->rows, '\n');
}

// The operations of the run, a line each.
static const char *rows_of(struct bed *bed)
{
    struct ts_journal *journal;
    ts_buf_clear(&bed->rows);
    assert_int_equal(ts_recorder_journal(&bed->recorder, &journal, &bed->err), TS_OK);
    assert_int_equal(ts_journal_read_operations(
                         journal, ts_recorder_run(&bed->recorder), on_row, bed, &bed->err),
        TS_OK);
    return ts_buf_text(&bed->rows);
}

static struct ts_journal_intent intent_of(const char *name)
{
    return (struct ts_journal_intent){.op = "create",
        .name = name,
        .body = "{\"name\":\"x\"}",
        .body_len = strlen("{\"name\":\"x\"}"),
        .started_us = 1};
}

static size_t add(struct bed *bed, const char *name)
{
    struct ts_journal_intent intent = intent_of(name);
    size_t handle = 0;
    assert_int_equal(ts_recorder_add(&bed->recorder, &intent, &handle, &bed->err), TS_OK);
    assert_true(handle > 0);
    return handle;
}

static void test_a_run_without_writes_is_not_there(void **state)
{
    struct bed *bed = *state;
    assert_int_equal(ts_recorder_commit(&bed->recorder, &bed->err), TS_OK);
    assert_int_equal(ts_recorder_end(&bed->recorder, 0, "done", NULL, &bed->err), TS_OK);
    assert_string_equal(ts_recorder_run(&bed->recorder), "");
    assert_int_equal(bed->opened, 0);
}

static void test_nothing_is_recorded_unless_it_is_started(void **state)
{
    struct bed *bed = *state;
    struct ts_recorder off = {0};
    struct ts_journal *journal;
    struct ts_journal_intent intent = intent_of("a");
    size_t handle = 7;
    assert_int_equal(ts_recorder_add(&off, &intent, &handle, &bed->err), TS_OK);
    assert_int_equal(handle, 0);
    assert_int_equal(ts_recorder_note(&off, &intent, &(struct ts_journal_outcome){0}), 0);
    assert_int_equal(ts_recorder_commit(&off, &bed->err), TS_OK);
    assert_int_equal(ts_recorder_journal(&off, &journal, &bed->err), TS_ERR_USAGE);
    ts_recorder_fini(&off);
}

static void test_operations_of_a_turn_share_a_commit(void **state)
{
    struct bed *bed = *state;
    for (int i = 0; i < 100; i++) {
        assert_int_equal(add(bed, "a"), i + 1);
    }
    assert_int_equal(ts_recorder_commit(&bed->recorder, &bed->err), TS_OK);
    assert_int_equal(ts_recorder_commit(&bed->recorder, &bed->err), TS_OK);
    assert_int_equal(bed->commits, 1);
    assert_int_equal(bed->described, 1);
}

// What happened first stands first, whether it was durable before it happened or noted afterwards.
static void test_the_order_of_what_happened(void **state)
{
    struct bed *bed = *state;
    char refusal[] = "refused because";
    struct ts_journal_intent second = intent_of("second");
    struct ts_journal_outcome refused = {.state = TS_OPERATION_REFUSED, .error = refusal};
    size_t first = add(bed, "first");
    assert_int_equal(ts_recorder_commit(&bed->recorder, &bed->err), TS_OK);
    struct ts_journal_outcome done = {.state = TS_OPERATION_DONE, .sitekey = "0xA", .attempts = 1};
    ts_recorder_settle(&bed->recorder, first, &done);
    size_t noted = ts_recorder_note(&bed->recorder, &second, &refused);
    memset(refusal, '?', sizeof refusal - 1); // it was copied
    ts_recorder_forgive(&bed->recorder, noted, "as planned");
    add(bed, "third");
    assert_int_equal(ts_recorder_commit(&bed->recorder, &bed->err), TS_OK);
    const char *rows = rows_of(bed);
    const char *one = strstr(rows, "\"first\""), *two = strstr(rows, "\"second\"");
    const char *three = strstr(rows, "\"third\"");
    assert_true(one && two && three && one < two && two < three);
    assert_non_null(strstr(rows, "\"state\":\"done\""));
    assert_non_null(strstr(rows, "0xA"));
    assert_non_null(strstr(rows, "refused because"));
    assert_non_null(strstr(rows, "as planned"));
    assert_non_null(strstr(three, "\"state\":\"intent\""));
}

// While a script runs, no transaction is open: others would have to wait for it.
static void test_what_came_of_it_waits_for_the_commit(void **state)
{
    struct bed *bed = *state;
    struct ts_journal *journal;
    size_t handle = add(bed, "a");
    assert_int_equal(ts_recorder_commit(&bed->recorder, &bed->err), TS_OK);
    assert_int_equal(ts_recorder_journal(&bed->recorder, &journal, &bed->err), TS_OK);
    struct ts_journal_intent stale = intent_of("b");
    struct ts_journal_outcome done = {.state = TS_OPERATION_DONE};
    ts_recorder_settle(&bed->recorder, handle, &done);
    ts_recorder_note(&bed->recorder, &stale, &(struct ts_journal_outcome){TS_OPERATION_STALE});
    assert_false(ts_journal_is_pending(journal));
    assert_int_equal(ts_recorder_end(&bed->recorder, 0, "done", NULL, &bed->err), TS_OK);
    assert_non_null(strstr(rows_of(bed), "\"state\":\"stale\""));
}

static void test_a_journal_that_cannot_be_opened(void **state)
{
    struct bed *bed = *state;
    struct ts_journal_intent intent = intent_of("a");
    size_t handle;
    bed->is_broken = true;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(
            ts_recorder_add(&bed->recorder, &intent, &handle, &bed->err), TS_ERR_JOURNAL);
        assert_string_equal(bed->err.message, "no journal here");
        assert_int_equal(handle, 0);
    }
    assert_int_equal(bed->opened, 1);
    assert_int_equal(ts_recorder_commit(&bed->recorder, &bed->err), TS_ERR_JOURNAL);
}

static void test_a_journal_that_fails_stays_failed(void **state)
{
    struct bed *bed = *state;
    struct ts_journal_intent intent = intent_of("a");
    size_t handle = add(bed, "a");
    bed->is_full = true;
    assert_int_equal(ts_recorder_commit(&bed->recorder, &bed->err), TS_ERR_JOURNAL);
    assert_string_equal(bed->err.message, "the disk is full");
    assert_string_equal(ts_recorder_run(&bed->recorder), ""); // nobody would find it
    bed->is_full = false;                                     // too late: what was lost is lost
    assert_int_equal(ts_recorder_add(&bed->recorder, &intent, &handle, &bed->err), TS_ERR_JOURNAL);
    assert_int_equal(ts_recorder_note(&bed->recorder, &intent, &(struct ts_journal_outcome){0}), 0);
    ts_recorder_settle(&bed->recorder, 1, &(struct ts_journal_outcome){0});
    assert_int_equal(ts_recorder_end(&bed->recorder, 0, "done", NULL, &bed->err), TS_ERR_JOURNAL);
    assert_string_equal(bed->err.message, "the disk is full");
}

static void test_a_refusal_is_like_a_failure(void **state)
{
    struct bed *bed = *state;
    struct ts_journal_intent intent = intent_of("a");
    struct ts_error cause = {.code = TS_ERR_SYSTEM, .message = "others are about"};
    size_t handle;
    ts_recorder_refuse(&bed->recorder, &cause);
    assert_int_equal(ts_recorder_add(&bed->recorder, &intent, &handle, &bed->err), TS_ERR_JOURNAL);
    assert_string_equal(bed->err.message, "others are about");
    assert_int_equal(handle, 0);
    assert_int_equal(bed->opened, 0);
    assert_int_equal(ts_recorder_end(&bed->recorder, 9, "failed", NULL, &bed->err), TS_OK);
}

static void test_a_run_that_is_there_stays_named(void **state)
{
    struct bed *bed = *state;
    add(bed, "a");
    assert_string_equal(ts_recorder_run(&bed->recorder), "");
    assert_int_equal(ts_recorder_commit(&bed->recorder, &bed->err), TS_OK);
    assert_string_not_equal(ts_recorder_run(&bed->recorder), "");
    add(bed, "b");
    bed->is_full = true;
    assert_int_equal(ts_recorder_commit(&bed->recorder, &bed->err), TS_ERR_JOURNAL);
    assert_string_not_equal(ts_recorder_run(&bed->recorder), "");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_a_run_without_writes_is_not_there),
        TEST(test_nothing_is_recorded_unless_it_is_started),
        TEST(test_operations_of_a_turn_share_a_commit),
        TEST(test_the_order_of_what_happened),
        TEST(test_what_came_of_it_waits_for_the_commit),
        TEST(test_a_journal_that_cannot_be_opened),
        TEST(test_a_journal_that_fails_stays_failed),
        TEST(test_a_refusal_is_like_a_failure),
        TEST(test_a_run_that_is_there_stays_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
