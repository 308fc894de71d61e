// SPDX-License-Identifier: MIT
// The delays and a thread that sleeps until the first is due.
// It waits in real time whatever clock the sandbox was given: a delay is something to sit through.
#include "host/sandbox/delay.h"

#include <microhttpd.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "host/base/clock.h"

struct delay {
    struct MHD_Connection *connection;
    int64_t due_us; // CLOCK_MONOTONIC
};

struct ts_sandbox_delays {
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    struct delay *items; // in no order; there are at most as many as connections
    size_t count;
    size_t cap;
    bool is_released;
};

static size_t delays_find_first(const struct ts_sandbox_delays *delays)
{
    size_t first = 0;
    for (size_t i = 1; i < delays->count; i++) {
        if (delays->items[i].due_us < delays->items[first].due_us) {
            first = i;
        }
    }
    return first;
}

static bool delays_reserve(struct ts_sandbox_delays *delays)
{
    if (delays->count < delays->cap) {
        return true;
    }
    size_t cap = delays->cap ? delays->cap * 2 : 32;
    struct delay *items = reallocarray(delays->items, cap, sizeof *items);
    if (!items) {
        return false;
    }
    delays->items = items;
    delays->cap = cap;
    return true;
}

static void *delays_run(void *self)
{
    struct ts_sandbox_delays *delays = self;
    pthread_mutex_lock(&delays->mutex);
    while (!delays->is_released || delays->count > 0) {
        if (delays->count == 0) {
            pthread_cond_wait(&delays->changed, &delays->mutex);
            continue;
        }
        struct delay *first = &delays->items[delays_find_first(delays)];
        if (delays->is_released || ts_clock_mono(ts_clock_system()) >= first->due_us) {
            MHD_resume_connection(first->connection);
            *first = delays->items[--delays->count];
        } else {
            struct timespec until = {.tv_sec = (time_t)(first->due_us / 1000000),
                .tv_nsec = (long)(first->due_us % 1000000) * 1000};
            pthread_cond_timedwait(&delays->changed, &delays->mutex, &until);
        }
    }
    pthread_mutex_unlock(&delays->mutex);
    return NULL;
}

enum ts_err ts_sandbox_delays_create(struct ts_sandbox_delays **out, struct ts_error *err)
{
    struct ts_sandbox_delays *delays = calloc(1, sizeof *delays);
    if (!delays) {
        return ts_error_set(err, TS_ERR_NOMEM, "out of memory");
    }
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&delays->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    pthread_mutex_init(&delays->mutex, NULL);
    int code = pthread_create(&delays->thread, NULL, delays_run, delays);
    if (code) {
        pthread_cond_destroy(&delays->changed);
        pthread_mutex_destroy(&delays->mutex);
        free(delays);
        return ts_error_set_errno(err, code, "cannot start a thread for the sandbox");
    }
    *out = delays;
    return TS_OK;
}

bool ts_sandbox_delays_add(
    struct ts_sandbox_delays *delays, struct MHD_Connection *connection, int64_t ms)
{
    int64_t due_us = ts_clock_mono(ts_clock_system()) + ms * 1000;
    pthread_mutex_lock(&delays->mutex);
    bool is_added = !delays->is_released && delays_reserve(delays);
    if (is_added) {
        // Under the lock, so that it cannot be resumed before it is suspended.
        MHD_suspend_connection(connection);
        delays->items[delays->count++] = (struct delay){.connection = connection, .due_us = due_us};
        pthread_cond_signal(&delays->changed);
    }
    pthread_mutex_unlock(&delays->mutex);
    return is_added;
}

void ts_sandbox_delays_release(struct ts_sandbox_delays *delays)
{
    pthread_mutex_lock(&delays->mutex);
    delays->is_released = true;
    pthread_cond_signal(&delays->changed);
    pthread_mutex_unlock(&delays->mutex);
}

void ts_sandbox_delays_destroy(struct ts_sandbox_delays *delays)
{
    if (!delays) {
        return;
    }
    ts_sandbox_delays_release(delays);
    pthread_join(delays->thread, NULL);
    pthread_cond_destroy(&delays->changed);
    pthread_mutex_destroy(&delays->mutex);
    free(delays->items);
    free(delays);
}
