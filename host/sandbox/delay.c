// SPDX-License-Identifier: MIT
// A list in order of wake-up time and a thread that sleeps until the first is due.
// It waits in real time whatever clock the sandbox was given: a delay is something to sit through.
#include "host/sandbox/delay.h"

#include <microhttpd.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "host/base/clock.h"

struct delay {
    struct delay *prev;
    struct delay *next;
    struct MHD_Connection *connection;
    int64_t due_us; // CLOCK_MONOTONIC
};

struct ts_sandbox_delays {
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    struct delay *first;
    struct delay *last;
    bool is_released;
};

static void delays_unlink(struct ts_sandbox_delays *delays, struct delay *delay)
{
    *(delay->prev ? &delay->prev->next : &delays->first) = delay->next;
    *(delay->next ? &delay->next->prev : &delays->last) = delay->prev;
}

// From the end, because most delays are equally long.
static void delays_link(struct ts_sandbox_delays *delays, struct delay *delay)
{
    struct delay *before = delays->last;
    while (before && before->due_us > delay->due_us) {
        before = before->prev;
    }
    delay->prev = before;
    delay->next = before ? before->next : delays->first;
    *(delay->prev ? &delay->prev->next : &delays->first) = delay;
    *(delay->next ? &delay->next->prev : &delays->last) = delay;
}

static void *delays_run(void *self)
{
    struct ts_sandbox_delays *delays = self;
    pthread_mutex_lock(&delays->mutex);
    while (!delays->is_released || delays->first) {
        struct delay *delay = delays->first;
        if (!delay) {
            pthread_cond_wait(&delays->changed, &delays->mutex);
        } else if (delays->is_released || ts_clock_mono(ts_clock_system()) >= delay->due_us) {
            delays_unlink(delays, delay);
            MHD_resume_connection(delay->connection);
            free(delay);
        } else {
            struct timespec until = {.tv_sec = (time_t)(delay->due_us / 1000000),
                .tv_nsec = (long)(delay->due_us % 1000000) * 1000};
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
    struct delay *delay = malloc(sizeof *delay);
    if (!delay) {
        return false;
    }
    delay->connection = connection;
    delay->due_us = ts_clock_mono(ts_clock_system()) + ms * 1000;
    pthread_mutex_lock(&delays->mutex);
    bool is_added = !delays->is_released;
    if (is_added) {
        // Under the lock, so that it cannot be resumed before it is suspended.
        MHD_suspend_connection(connection);
        delays_link(delays, delay);
        pthread_cond_signal(&delays->changed);
    }
    pthread_mutex_unlock(&delays->mutex);
    if (!is_added) {
        free(delay);
    }
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
    free(delays);
}
