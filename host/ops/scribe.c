// SPDX-License-Identifier: MIT
// What was noted is freed by the thread that allocated it: else both wait for the allocator.
#include "host/ops/scribe.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "host/base/clock.h"
#include "host/base/process.h"

#define LINGER_US 50
#define SLOW_US 2000 // a commit
#define PAUSE_US 500 // longer than others wait before they try again

struct ts_scribe {
    // Whoever carries out a commit has these to itself.
    struct ts_journal *journal;
    const char *run;
    int64_t *numbers; // of operations in the journal, by handle; 0: not there yet
    size_t cap;

    void (*wake)(void *self);
    void *self;
    pthread_t thread;
    bool has_thread;
    pthread_mutex_t mutex; // for what follows
    pthread_cond_t is_handed, is_seen;
    struct ts_pending *first, **last; // to be noted
    struct ts_pending *spent;         // to be freed
    _Atomic uint64_t handed, seen;    // tickets
    bool is_working, is_ending, has_committed;
    struct ts_error failure; // its code is TS_OK until there is one
};

// Makes sure that there is a place for the number of that operation.
static enum ts_err numbers_reserve(struct ts_scribe *scribe, size_t handle, struct ts_error *err)
{
    if (handle <= scribe->cap) {
        return TS_OK;
    }
    size_t cap = scribe->cap ? scribe->cap : 64;
    while (cap < handle) {
        cap *= 2;
    }
    int64_t *numbers = reallocarray(scribe->numbers, cap, sizeof *numbers);
    if (!numbers) {
        return ts_error_set(err, TS_ERR_NOMEM, "the journal is out of memory");
    }
    memset(numbers + scribe->cap, 0, (cap - scribe->cap) * sizeof *numbers);
    scribe->numbers = numbers;
    scribe->cap = cap;
    return TS_OK;
}

static enum ts_err pending_note(
    struct ts_scribe *scribe, const struct ts_pending *pending, struct ts_error *err)
{
    struct ts_journal *journal = scribe->journal;
    enum ts_err code = numbers_reserve(scribe, pending->handle, err);
    if (code) {
        return code;
    }
    int64_t *number = &scribe->numbers[pending->handle - 1];
    switch (pending->kind) {
    case TS_PENDING_ADD:
        return ts_journal_add(journal, scribe->run, &pending->intent, number, err);
    case TS_PENDING_SETTLE:
        return ts_journal_settle(journal, *number, &pending->outcome, err);
    case TS_PENDING_FORGIVE:
        return ts_journal_forgive(journal, *number, pending->why, err);
    }
    return TS_OK;
}

// Notes all and commits; when one cannot be noted, none is.
static enum ts_err scribe_commit(
    struct ts_scribe *scribe, const struct ts_pending *first, struct ts_error *err)
{
    enum ts_err code = TS_OK;
    for (const struct ts_pending *it = first; it && !code; it = it->next) {
        code = pending_note(scribe, it, err);
    }
    return code ? code : ts_journal_commit(scribe->journal, err);
}

// Sees to all tickets there are. The mutex is held, but for the commit itself.
static void scribe_work(struct ts_scribe *scribe)
{
    struct ts_error err;
    struct ts_pending *first = scribe->first, **last = scribe->last;
    uint64_t ticket = scribe->handed;
    enum ts_err code = scribe->failure.code;
    scribe->first = NULL;
    scribe->last = &scribe->first;
    if (!code) {
        scribe->is_working = true;
        pthread_mutex_unlock(&scribe->mutex);
        code = scribe_commit(scribe, first, &err);
        pthread_mutex_lock(&scribe->mutex);
        scribe->is_working = false;
    }
    scribe->has_committed = scribe->has_committed || !code;
    if (code && !scribe->failure.code) {
        scribe->failure = err;
        scribe->failure.code = code;
    }
    if (first) {
        *last = scribe->spent;
        scribe->spent = first;
    }
    scribe->seen = ticket;
    pthread_cond_signal(&scribe->is_seen);
}

// While writes keep coming, the next is there before a sleeping thread would be awake, and waking
// it would cost the loop more than handing it over does.
static void scribe_linger(const struct ts_scribe *scribe)
{
    const struct ts_clock *clock = ts_clock_system();
    int64_t end = ts_clock_mono(clock) + LINGER_US;
    while (scribe->handed == scribe->seen && ts_clock_mono(clock) < end) {
    }
}

// On a slow disk the journal is busy nearly all the time: other runs get their turn in between.
static void scribe_pause(void)
{
    struct timespec span = {.tv_nsec = PAUSE_US * 1000};
    nanosleep(&span, NULL);
}

static void *scribe_run(void *arg)
{
    struct ts_scribe *scribe = arg;
    const struct ts_clock *clock = ts_clock_system();
    bool may_linger = ts_process_processors() > 1;
    pthread_mutex_lock(&scribe->mutex);
    while (!scribe->is_ending) {
        if (scribe->seen == scribe->handed || scribe->is_working) {
            pthread_cond_wait(&scribe->is_handed, &scribe->mutex);
            continue;
        }
        int64_t began = ts_clock_mono(clock);
        scribe_work(scribe);
        pthread_mutex_unlock(&scribe->mutex);
        scribe->wake(scribe->self);
        if (ts_clock_mono(clock) - began > SLOW_US) {
            scribe_pause();
        } else if (may_linger) {
            scribe_linger(scribe);
        }
        pthread_mutex_lock(&scribe->mutex);
    }
    pthread_mutex_unlock(&scribe->mutex);
    return NULL;
}

struct ts_scribe *ts_scribe_create(
    struct ts_journal *journal, const char *run, void (*wake)(void *self), void *self)
{
    struct ts_scribe *scribe = malloc(sizeof *scribe);
    if (scribe) {
        *scribe = (struct ts_scribe){.journal = journal, .run = run, .wake = wake, .self = self};
        scribe->last = &scribe->first;
        pthread_mutex_init(&scribe->mutex, NULL);
        pthread_cond_init(&scribe->is_handed, NULL);
        pthread_cond_init(&scribe->is_seen, NULL);
    }
    return scribe;
}

// Starts the thread if there is to be one. It blocks all signals, so that they stay with the run's.
// Where none can be had, commits are waited for.
static bool thread_is_there(struct ts_scribe *scribe)
{
    if (!scribe->has_thread && scribe->wake) {
        sigset_t all, before;
        sigfillset(&all);
        pthread_sigmask(SIG_BLOCK, &all, &before);
        scribe->has_thread = pthread_create(&scribe->thread, NULL, scribe_run, scribe) == 0;
        pthread_sigmask(SIG_SETMASK, &before, NULL);
    }
    return scribe->has_thread;
}

void ts_scribe_wait(struct ts_scribe *scribe)
{
    pthread_mutex_lock(&scribe->mutex);
    while (scribe->seen != scribe->handed) {
        pthread_cond_wait(&scribe->is_seen, &scribe->mutex);
    }
    pthread_mutex_unlock(&scribe->mutex);
}

void ts_scribe_rest(struct ts_scribe *scribe)
{
    ts_scribe_wait(scribe);
    if (scribe->has_thread) {
        pthread_mutex_lock(&scribe->mutex);
        scribe->is_ending = true;
        pthread_cond_signal(&scribe->is_handed);
        pthread_mutex_unlock(&scribe->mutex);
        pthread_join(scribe->thread, NULL);
    }
    scribe->has_thread = false;
    scribe->wake = NULL;
}

void ts_scribe_destroy(struct ts_scribe *scribe)
{
    if (!scribe) {
        return;
    }
    ts_scribe_rest(scribe);
    pthread_cond_destroy(&scribe->is_handed);
    pthread_cond_destroy(&scribe->is_seen);
    pthread_mutex_destroy(&scribe->mutex);
    ts_pending_free(scribe->spent);
    free(scribe->numbers);
    free(scribe);
}

uint64_t ts_scribe_hand(struct ts_scribe *scribe, struct ts_pending *first, bool may_wait)
{
    bool is_idle, has_thread = !may_wait && thread_is_there(scribe);
    pthread_mutex_lock(&scribe->mutex);
    struct ts_pending *spent = scribe->spent;
    scribe->spent = NULL;
    is_idle = scribe->seen == scribe->handed;
    uint64_t ticket = ++scribe->handed;
    *scribe->last = first;
    while (*scribe->last) {
        scribe->last = &(*scribe->last)->next;
    }
    if (is_idle && !has_thread) {
        scribe_work(scribe);
    } else if (is_idle) {
        pthread_cond_signal(&scribe->is_handed);
    }
    pthread_mutex_unlock(&scribe->mutex);
    ts_pending_free(spent);
    return ticket;
}

uint64_t ts_scribe_seen(struct ts_scribe *scribe, struct ts_error *err)
{
    pthread_mutex_lock(&scribe->mutex);
    uint64_t seen = scribe->seen;
    err->code = TS_OK;
    if (scribe->failure.code) {
        *err = scribe->failure;
    }
    pthread_mutex_unlock(&scribe->mutex);
    return seen;
}

bool ts_scribe_has_committed(struct ts_scribe *scribe)
{
    pthread_mutex_lock(&scribe->mutex);
    bool has_committed = scribe->has_committed;
    pthread_mutex_unlock(&scribe->mutex);
    return has_committed;
}
