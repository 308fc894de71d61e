// SPDX-License-Identifier: MIT
// Four ways to count, one penalty: a call too many blocks all calls of the credential for a whole
// window. The service does not say how it counts, so a client has to get along with all of them.
#include "host/sandbox/ratelimit.h"

#include <stddef.h>
#include <stdlib.h>

#include "host/base/str.h"

#define METERS_MAX 256
#define SECOND_US INT64_C(1000000)

// What is said when there is no limit: far more than anyone sends.
#define UNLIMITED_REQUESTS 1000000
#define UNLIMITED_WINDOW_S 300

// What one credential has used.
struct meter {
    uint64_t who;
    int64_t seen_us; // monotonic, like all times here
    int64_t blocked_until_us;
    int64_t start_us;  // windows: the present one; bucket: when it was last filled
    int64_t used;      // windows: in the present one; log: how many it holds
    int64_t used_last; // sliding counter: in the window before
    double tokens;     // bucket
    int64_t *log;      // sliding log: a ring of as many times as the limit allows
    int64_t log_first;
};

struct ts_sandbox_limiter {
    const struct limiter_kind *kind;
    int64_t requests;
    int64_t window_us;
    size_t count;
    struct meter meters[METERS_MAX];
};

// Takes one request when there is room for it and says how many are left, and when there are more.
struct limiter_kind {
    const char *name;
    bool (*take)(const struct ts_sandbox_limiter *limiter, struct meter *meter, int64_t now_us,
        int64_t *remaining, int64_t *reset_us);
};

// Begun by its first request, forgotten when it is over.
static bool fixed_window_take(const struct ts_sandbox_limiter *limiter, struct meter *meter,
    int64_t now_us, int64_t *remaining, int64_t *reset_us)
{
    if (meter->used == 0 || now_us - meter->start_us >= limiter->window_us) {
        meter->start_us = now_us;
        meter->used = 0;
    }
    bool is_taken = meter->used < limiter->requests;
    meter->used += is_taken;
    *remaining = limiter->requests - meter->used;
    *reset_us = meter->start_us + limiter->window_us - now_us;
    return is_taken;
}

// Every request counts until it is a window old.
static bool sliding_log_take(const struct ts_sandbox_limiter *limiter, struct meter *meter,
    int64_t now_us, int64_t *remaining, int64_t *reset_us)
{
    if (!meter->log) {
        meter->log = calloc((size_t)limiter->requests, sizeof *meter->log);
        if (!meter->log) {
            return false;
        }
    }
    while (meter->used > 0 && now_us - meter->log[meter->log_first] >= limiter->window_us) {
        meter->log_first = (meter->log_first + 1) % limiter->requests;
        meter->used--;
    }
    bool is_taken = meter->used < limiter->requests;
    if (is_taken) {
        meter->log[(meter->log_first + meter->used++) % limiter->requests] = now_us;
    }
    *remaining = limiter->requests - meter->used;
    *reset_us = meter->log[meter->log_first] + limiter->window_us - now_us;
    return is_taken;
}

// Windows on a fixed grid; of the one before, as much counts as still lies within a window's
// length, as if its requests had been spread evenly.
static bool sliding_counter_take(const struct ts_sandbox_limiter *limiter, struct meter *meter,
    int64_t now_us, int64_t *remaining, int64_t *reset_us)
{
    int64_t start_us = now_us - now_us % limiter->window_us;
    if (start_us != meter->start_us) {
        meter->used_last = start_us - meter->start_us == limiter->window_us ? meter->used : 0;
        meter->used = 0;
        meter->start_us = start_us;
    }
    *reset_us = start_us + limiter->window_us - now_us;
    // In units of a request times a microsecond, exact.
    int64_t room =
        (limiter->requests - meter->used) * limiter->window_us - *reset_us * meter->used_last;
    bool is_taken = room >= limiter->window_us;
    meter->used += is_taken;
    *remaining = is_taken ? room / limiter->window_us - 1 : 0;
    return is_taken;
}

// Full at first; refilled evenly, a bucket in a window.
static bool token_bucket_take(const struct ts_sandbox_limiter *limiter, struct meter *meter,
    int64_t now_us, int64_t *remaining, int64_t *reset_us)
{
    double size = (double)limiter->requests;
    double rate = size / (double)limiter->window_us;
    if (meter->start_us == 0) {
        meter->tokens = size;
    } else {
        meter->tokens += rate * (double)(now_us - meter->start_us);
        meter->tokens = meter->tokens > size ? size : meter->tokens;
    }
    meter->start_us = now_us;
    bool is_taken = meter->tokens >= 1;
    meter->tokens -= is_taken;
    *remaining = (int64_t)meter->tokens;
    *reset_us = (int64_t)((size - meter->tokens) / rate);
    return is_taken;
}

static const struct limiter_kind kinds[] = {
    {"fixed-window", fixed_window_take},
    {"sliding-log", sliding_log_take},
    {"sliding-counter", sliding_counter_take},
    {"token-bucket", token_bucket_take},
};

enum ts_err ts_sandbox_limiter_create(const char *kind, int64_t requests, int64_t window_s,
    struct ts_sandbox_limiter **out, struct ts_error *err)
{
    size_t i = 0;
    while (kind && i < sizeof kinds / sizeof kinds[0] && !ts_str_is(kinds[i].name, kind)) {
        i++;
    }
    if (i == sizeof kinds / sizeof kinds[0]) {
        return ts_error_set(err, TS_ERR_USAGE,
            "unknown limiter \"%.64s\": expected fixed-window, sliding-log, sliding-counter or "
            "token-bucket",
            kind);
    }
    struct ts_sandbox_limiter *limiter = calloc(1, sizeof *limiter);
    if (!limiter) {
        return ts_error_set(err, TS_ERR_NOMEM, "out of memory");
    }
    limiter->kind = &kinds[i];
    limiter->requests = requests;
    limiter->window_us = (window_s > 0 ? window_s : UNLIMITED_WINDOW_S) * SECOND_US;
    *out = limiter;
    return TS_OK;
}

void ts_sandbox_limiter_destroy(struct ts_sandbox_limiter *limiter)
{
    if (!limiter) {
        return;
    }
    for (size_t i = 0; i < limiter->count; i++) {
        free(limiter->meters[i].log);
    }
    free(limiter);
}

// A place for a new credential: a free one, else that which was unused for longest.
static struct meter *limiter_place(struct ts_sandbox_limiter *limiter)
{
    if (limiter->count < METERS_MAX) {
        return &limiter->meters[limiter->count++];
    }
    struct meter *oldest = &limiter->meters[0];
    for (size_t i = 1; i < METERS_MAX; i++) {
        struct meter *meter = &limiter->meters[i];
        oldest = meter->seen_us < oldest->seen_us ? meter : oldest;
    }
    return oldest;
}

// The credential's meter, a new one if it has none.
static struct meter *limiter_find(struct ts_sandbox_limiter *limiter, uint64_t who)
{
    for (size_t i = 0; i < limiter->count; i++) {
        if (limiter->meters[i].who == who) {
            return &limiter->meters[i];
        }
    }
    struct meter *meter = limiter_place(limiter);
    free(meter->log);
    *meter = (struct meter){.who = who};
    return meter;
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
    struct meter *meter = limiter_find(limiter, who);
    int64_t reset_us = 0;
    meter->seen_us = now_us;
    bool is_blocked = now_us < meter->blocked_until_us;
    if (meter->blocked_until_us && !is_blocked) {
        // The penalty is the whole punishment: nothing from before counts any more.
        *meter = (struct meter){.who = who, .seen_us = now_us, .log = meter->log};
    }
    bool is_taken =
        !is_blocked && limiter->kind->take(limiter, meter, now_us, &verdict->remaining, &reset_us);
    if (!is_taken) {
        if (!is_blocked) {
            meter->blocked_until_us = now_us + limiter->window_us;
        }
        reset_us = meter->blocked_until_us - now_us;
        verdict->remaining = 0;
    }
    verdict->is_refused = !is_taken;
    verdict->reset_s = seconds_up(reset_us);
}
