// SPDX-License-Identifier: MIT
// The scribe: in which order and with how many commits it notes what it is handed, on which thread,
// and that nothing is noted any more once a commit has failed.
#include "host/ops/scribe.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "host/base/buf.h"
#include "host/state/journal_read.h"

enum ts_err __real_ts_journal_commit(struct ts_journal *journal, struct ts_error *err);
enum ts_err __wrap_ts_journal_commit(struct ts_journal *journal, struct ts_error *err);
int __real_pthread_create(
    pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *arg);
int __wrap_pthread_create(
    pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *arg);

struct bed {
    struct ts_journal *journal;
    struct ts_scribe *scribe;
    char run[TS_RUN_ID_MAX];
    size_t handles;
    struct ts_error err;
    struct ts_buf rows;
    bool is_held;        // commits wait in between for the two below
    sem_t begun, go_on;  // a commit has; it may
    bool has_no_threads; // none can be started
    atomic_int commits;  // tried
    int full_from;       // the commit from which on they fail; 0: none
    atomic_int wakes;
    pthread_t thread; // that made the last commit
    bool has_signals; // of it: it would be interrupted by SIGINT
};

static struct bed *the_bed; // for the wrapped functions, which are not told whose they are

enum ts_err __wrap_ts_journal_commit(struct ts_journal *journal, struct ts_error *err)
{
    sigset_t blocked;
    int number = ++the_bed->commits;
    pthread_sigmask(SIG_BLOCK, NULL, &blocked);
    the_bed->has_signals = !sigismember(&blocked, SIGINT);
    the_bed->thread = pthread_self();
    if (the_bed->is_held) {
        sem_post(&the_bed->begun);
        sem_wait(&the_bed->go_on);
    }
    if (the_bed->full_from > 0 && number >= the_bed->full_from) {
        return ts_error_set(err, TS_ERR_SYSTEM, "the disk is full");
    }
    return __real_ts_journal_commit(journal, err);
}

int __wrap_pthread_create(
    pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *arg)
{
    return the_bed && the_bed->has_no_threads ? EAGAIN
                                              : __real_pthread_create(thread, attributes, run, arg);
}

static void on_wake(void *self)
{
    ((struct bed *)self)->wakes++;
}

static int setup(void **state)
{
    static struct bed bed;
    bed = (struct bed){0};
    the_bed = *state = &bed;
    sem_init(&bed.begun, 0, 0);
    sem_init(&bed.go_on, 0, 0);
    ts_buf_init(&bed.rows, 1 << 20);
    struct ts_journal_run run = {.command = "run", .started_us = 1};
    bool is_there = !ts_journal_open(NULL, &bed.journal, &bed.err) &&
                    !ts_journal_add_run(bed.journal, &run, bed.run, &bed.err);
    bed.scribe = is_there ? ts_scribe_create(bed.journal, bed.run, on_wake, &bed) : NULL;
    return bed.scribe ? 0 : -1;
}

static int teardown(void **state)
{
    struct bed *bed = *state;
    ts_scribe_destroy(bed->scribe);
    ts_journal_close(bed->journal);
    ts_buf_fini(&bed->rows);
    sem_destroy(&bed->begun);
    sem_destroy(&bed->go_on);
    the_bed = NULL;
    return 0;
}

// A create of that name, to be handed over.
static struct ts_pending *pending_of(struct bed *bed, const char *name)
{
    struct ts_journal_intent intent = {.op = "create", .name = name, .started_us = 1};
    struct ts_pending *pending = ts_pending_add(++bed->handles, &intent);
    assert_non_null(pending);
    return pending;
}

static uint64_t hand(struct bed *bed, const char *name)
{
    return ts_scribe_hand(bed->scribe, pending_of(bed, name), false);
}

static bool on_row(void *owner, const char *json, size_t len)
{
    struct bed *bed = owner;
    const char *name = strstr(json, "\"name\":\"");
    (void)len;
    return !ts_buf_add(&bed->rows, name + strlen("\"name\":\""), 1);
}

// The names of the operations in the journal, which are one letter each.
static const char *names_of(struct bed *bed)
{
    ts_buf_clear(&bed->rows);
    assert_int_equal(
        ts_journal_read_operations(bed->journal, bed->run, on_row, bed, &bed->err), TS_OK);
    return ts_buf_text(&bed->rows);
}

static uint64_t seen_by(struct bed *bed)
{
    return ts_scribe_seen(bed->scribe, &bed->err);
}

static void test_what_comes_during_a_commit_shares_the_next(void **state)
{
    struct bed *bed = *state;
    bed->is_held = true;
    uint64_t first = hand(bed, "a");
    sem_wait(&bed->begun); // the first commit is under way
    uint64_t second = hand(bed, "b"), third = hand(bed, "c");
    assert_true(first < second && second < third);
    assert_true(seen_by(bed) < first);
    assert_false(ts_scribe_has_committed(bed->scribe));
    sem_post(&bed->go_on);
    sem_wait(&bed->begun);
    assert_int_equal(seen_by(bed), first);
    assert_true(ts_scribe_has_committed(bed->scribe));
    sem_post(&bed->go_on);
    ts_scribe_wait(bed->scribe);
    assert_int_equal(seen_by(bed), third);
    assert_int_equal(bed->err.code, TS_OK);
    assert_int_equal(bed->commits, 2);
    assert_string_equal(names_of(bed), "abc");
}

// It is heard of once for each commit, when that is over.
static void test_the_loop_is_woken(void **state)
{
    struct bed *bed = *state;
    for (int i = 1; i <= 3; i++) {
        hand(bed, "a");
        ts_scribe_wait(bed->scribe);
    }
    ts_scribe_rest(bed->scribe);
    assert_int_equal(bed->commits, 3);
    assert_int_equal(bed->wakes, 3);
}

static void test_signals_stay_with_the_run(void **state)
{
    struct bed *bed = *state;
    hand(bed, "a");
    ts_scribe_wait(bed->scribe);
    assert_false(pthread_equal(bed->thread, pthread_self()));
    assert_false(bed->has_signals);
}

static void test_what_may_wait_stays_here(void **state)
{
    struct bed *bed = *state;
    uint64_t ticket = ts_scribe_hand(bed->scribe, pending_of(bed, "a"), true);
    assert_int_equal(seen_by(bed), ticket);
    assert_true(pthread_equal(bed->thread, pthread_self()));
    assert_int_equal(bed->wakes, 0);
    assert_string_equal(names_of(bed), "a");
}

// But not past what was handed before.
static void test_what_may_wait_keeps_its_place(void **state)
{
    struct bed *bed = *state;
    bed->is_held = true;
    hand(bed, "a");
    sem_wait(&bed->begun);
    uint64_t ticket = ts_scribe_hand(bed->scribe, pending_of(bed, "b"), true);
    assert_true(seen_by(bed) < ticket);
    assert_int_equal(bed->commits, 1);
    sem_post(&bed->go_on);
    sem_post(&bed->go_on);
    ts_scribe_wait(bed->scribe);
    assert_false(pthread_equal(bed->thread, pthread_self()));
    assert_string_equal(names_of(bed), "ab");
}

static void test_nothing_is_noted_after_a_failure(void **state)
{
    struct bed *bed = *state;
    hand(bed, "a");
    ts_scribe_wait(bed->scribe);
    bed->full_from = 2;
    uint64_t second = hand(bed, "b");
    ts_scribe_wait(bed->scribe);
    assert_int_equal(seen_by(bed), second);
    assert_int_equal(bed->err.code, TS_ERR_SYSTEM);
    assert_string_equal(bed->err.message, "the disk is full");
    bed->full_from = 0; // too late
    uint64_t third = hand(bed, "c");
    ts_scribe_wait(bed->scribe);
    assert_int_equal(seen_by(bed), third);
    assert_int_equal(bed->err.code, TS_ERR_SYSTEM);
    assert_int_equal(bed->commits, 2);
    assert_true(ts_scribe_has_committed(bed->scribe)); // what was there before still is
    assert_string_equal(names_of(bed), "ab");          // the transaction of "b" is open still
}

// One that cannot be noted keeps the others of its commit out, too.
static void test_a_commit_is_all_or_nothing(void **state)
{
    struct bed *bed = *state;
    ts_scribe_hand(bed->scribe, NULL, true); // the run
    struct ts_journal_outcome done = {.state = TS_OPERATION_DONE};
    struct ts_pending *first = pending_of(bed, "a");
    first->next = ts_pending_settle(bed->handles + 7, &done); // of an operation that is not there
    ts_scribe_hand(bed->scribe, first, false);
    ts_scribe_wait(bed->scribe);
    seen_by(bed);
    assert_int_equal(bed->err.code, TS_ERR_SYSTEM);
    assert_string_equal(names_of(bed), "");
}

static void test_without_threads_it_works_here(void **state)
{
    struct bed *bed = *state;
    bed->has_no_threads = true;
    for (int i = 0; i < 3; i++) {
        uint64_t ticket = hand(bed, "a");
        assert_int_equal(seen_by(bed), ticket);
        assert_true(pthread_equal(bed->thread, pthread_self()));
    }
    assert_int_equal(bed->wakes, 0);
    assert_string_equal(names_of(bed), "aaa");
}

static void test_a_rested_one_works_here(void **state)
{
    struct bed *bed = *state;
    hand(bed, "a");
    ts_scribe_rest(bed->scribe);
    int wakes = bed->wakes;
    uint64_t ticket = hand(bed, "b");
    assert_int_equal(seen_by(bed), ticket);
    assert_true(pthread_equal(bed->thread, pthread_self()));
    ts_scribe_rest(bed->scribe);
    assert_int_equal(bed->wakes, wakes);
    assert_string_equal(names_of(bed), "ab");
}

// As in a run at full speed: one thread hands over while the other notes.
static void test_many(void **state)
{
    struct bed *bed = *state;
    uint64_t ticket = 0;
    for (int i = 0; i < 2000; i++) {
        char name[2] = {(char)('a' + i % 26)};
        ticket = ts_scribe_hand(bed->scribe, pending_of(bed, name), i % 97 == 0);
        assert_true(seen_by(bed) <= ticket);
    }
    ts_scribe_wait(bed->scribe);
    assert_int_equal(seen_by(bed), ticket);
    assert_int_equal(bed->err.code, TS_OK);
    const char *names = names_of(bed);
    assert_int_equal(strlen(names), 2000);
    for (int i = 0; i < 2000; i++) {
        assert_int_equal(names[i], 'a' + i % 26);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_what_comes_during_a_commit_shares_the_next),
        TEST(test_the_loop_is_woken),
        TEST(test_signals_stay_with_the_run),
        TEST(test_what_may_wait_stays_here),
        TEST(test_what_may_wait_keeps_its_place),
        TEST(test_nothing_is_noted_after_a_failure),
        TEST(test_a_commit_is_all_or_nothing),
        TEST(test_without_threads_it_works_here),
        TEST(test_a_rested_one_works_here),
        TEST(test_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
