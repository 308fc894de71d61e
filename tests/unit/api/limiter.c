// SPDX-License-Identifier: MIT
// Each kind forgets what is over, sees how much room there is, and takes.
#include "tests/unit/api/limiter.h"

const char *limiter_name(enum limiter_kind kind)
{
    static const char *const names[] = {
        "fixed-window", "sliding-log", "sliding-counter", "token-bucket"};
    return names[kind];
}

void limiter_init(
    struct limiter *limiter, enum limiter_kind kind, int64_t requests, int64_t window_us)
{
    *limiter = (struct limiter){
        .kind = kind, .requests = requests, .window_us = window_us, .tokens = (double)requests};
}

static double fixed_window_room(struct limiter *limiter, int64_t now_us, int64_t *reset_us)
{
    if (limiter->used == 0 || now_us >= limiter->start_us + limiter->window_us) {
        limiter->start_us = now_us;
        limiter->used = 0;
    }
    *reset_us = limiter->start_us + limiter->window_us - now_us;
    return (double)(limiter->requests - limiter->used);
}

static double sliding_log_room(struct limiter *limiter, int64_t now_us, int64_t *reset_us)
{
    while (limiter->used > 0 && limiter->times[limiter->first] + limiter->window_us <= now_us) {
        limiter->first = (limiter->first + 1) % LIMITER_LOG_MAX;
        limiter->used--;
    }
    *reset_us = limiter->used > 0 ? limiter->times[limiter->first] + limiter->window_us - now_us
                                  : limiter->window_us;
    return (double)(limiter->requests - limiter->used);
}

static double sliding_counter_room(struct limiter *limiter, int64_t now_us, int64_t *reset_us)
{
    int64_t start_us = now_us / limiter->window_us * limiter->window_us;
    if (start_us != limiter->start_us) {
        bool is_next = start_us == limiter->start_us + limiter->window_us;
        limiter->used_before = is_next ? limiter->used : 0;
        limiter->used = 0;
        limiter->start_us = start_us;
    }
    *reset_us = start_us + limiter->window_us - now_us;
    double weight = (double)*reset_us / (double)limiter->window_us;
    return (double)(limiter->requests - limiter->used) - weight * (double)limiter->used_before;
}

static double token_bucket_room(struct limiter *limiter, int64_t now_us, int64_t *reset_us)
{
    double size = (double)limiter->requests;
    double rate = size / (double)limiter->window_us;
    limiter->tokens += rate * (double)(now_us - limiter->start_us);
    limiter->tokens = limiter->start_us == 0 || limiter->tokens > size ? size : limiter->tokens;
    limiter->start_us = now_us;
    *reset_us = (int64_t)((size - limiter->tokens) / rate);
    return limiter->tokens;
}

bool limiter_take(struct limiter *limiter, int64_t now_us, int64_t *left, int64_t *reset_us)
{
    double (*const rooms[])(struct limiter *, int64_t, int64_t *) = {
        fixed_window_room, sliding_log_room, sliding_counter_room, token_bucket_room};
    double room = rooms[limiter->kind](limiter, now_us, reset_us);
    if (room < 1) {
        *left = 0;
        return false;
    }
    if (limiter->kind == SLIDING_LOG) {
        limiter->times[(limiter->first + limiter->used) % LIMITER_LOG_MAX] = now_us;
    }
    limiter->used++;
    limiter->tokens -= 1;
    *left = (int64_t)(room - 1);
    return true;
}
