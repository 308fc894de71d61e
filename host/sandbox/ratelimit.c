// SPDX-License-Identifier: MIT
// A fixed window per credential, begun by its first request, with the API's penalty: a call too
// many blocks all calls for a whole window. The window is as long as the penalty.
#include "host/sandbox/ratelimit.h"

#include <stdlib.h>

#define WINDOWS_MAX 256
#define SECOND_US INT64_C(1000000)

// What is said when there is no limit: far more than anyone sends.
#define UNLIMITED_REQUESTS 1000000
#define UNLIMITED_WINDOW_S 300

struct window {
    uint64_t who;
    int64_t used;     // 0: the slot is free
    int64_t start_us; // monotonic
    int64_t blocked_until_us;
    int64_t seen_us;
};

struct ts_sandbox_limiter {
    int64_t requests;
    int64_t window_us;
    size_t count;
    struct window windows[WINDOWS_MAX];
};

enum ts_err ts_sandbox_limiter_create(
    int64_t requests, int64_t window_s, struct ts_sandbox_limiter **out, struct ts_error *err)
{
    struct ts_sandbox_limiter *limiter = calloc(1, sizeof *limiter);
    if (!limiter) {
        return ts_error_set(err, TS_ERR_NOMEM, "out of memory");
    }
    limiter->requests = requests;
    limiter->window_us = (window_s > 0 ? window_s : UNLIMITED_WINDOW_S) * SECOND_US;
    *out = limiter;
    return TS_OK;
}

void ts_sandbox_limiter_destroy(struct ts_sandbox_limiter *limiter)
{
    free(limiter);
}

// The credential's window; a new one takes the slot that was unused for longest when all are full.
static struct window *limiter_find(struct ts_sandbox_limiter *limiter, uint64_t who)
{
    struct window *oldest = &limiter->windows[0];
    for (size_t i = 0; i < limiter->count; i++) {
        struct window *window = &limiter->windows[i];
        if (window->who == who) {
            return window;
        }
        if (window->seen_us < oldest->seen_us) {
            oldest = window;
        }
    }
    if (limiter->count < WINDOWS_MAX) {
        oldest = &limiter->windows[limiter->count++];
    }
    *oldest = (struct window){.who = who};
    return oldest;
}

static int64_t seconds_up(int64_t us)
{
    return us <= 0 ? 0 : (us + SECOND_US - 1) / SECOND_US;
}

void ts_sandbox_limiter_fresh(
    const struct ts_sandbox_limiter *limiter, struct ts_sandbox_verdict *verdict)
{
    bool has_limit = limiter->requests > 0;
    int64_t quota = has_limit ? limiter->requests : UNLIMITED_REQUESTS;
    int64_t window_s = has_limit ? limiter->window_us / SECOND_US : UNLIMITED_WINDOW_S;
    *verdict = (struct ts_sandbox_verdict){
        .quota = quota, .window_s = window_s, .remaining = quota, .reset_s = window_s};
}

void ts_sandbox_limiter_count(struct ts_sandbox_limiter *limiter, uint64_t who, int64_t now_us,
    struct ts_sandbox_verdict *verdict)
{
    ts_sandbox_limiter_fresh(limiter, verdict);
    if (limiter->requests <= 0) {
        return;
    }
    struct window *window = limiter_find(limiter, who);
    window->seen_us = now_us;
    if (now_us >= window->blocked_until_us) {
        if (window->used == 0 || now_us - window->start_us >= limiter->window_us) {
            window->start_us = now_us;
            window->used = 0;
        }
        if (window->used < limiter->requests) {
            window->used++;
        } else {
            window->blocked_until_us = now_us + limiter->window_us;
            window->start_us = window->blocked_until_us - limiter->window_us;
        }
    }
    bool is_refused = now_us < window->blocked_until_us;
    int64_t until = is_refused ? window->blocked_until_us : window->start_us + limiter->window_us;
    verdict->is_refused = is_refused;
    verdict->remaining = is_refused ? 0 : limiter->requests - window->used;
    verdict->reset_s = seconds_up(until - now_us);
}
