// SPDX-License-Identifier: MIT
// A span counts until a window has passed since its end. A thousandth of the window is a span, so
// that answers count at most that much longer than they must.
#include "host/api/answer_log.h"

#include <string.h>

#define SPANS_IN_WINDOW 1000

static uint32_t *span_at(struct ts_answer_log *log, int64_t number)
{
    return &log->spans[number % TS_ANSWER_LOG_SPANS];
}

static void count_up(uint32_t *span, int64_t count)
{
    int64_t sum = *span + count;
    *span = sum < UINT32_MAX ? (uint32_t)sum : UINT32_MAX;
}

// The oldest span that is kept; numbers below 0 have never been.
static int64_t oldest_of(const struct ts_answer_log *log)
{
    int64_t oldest = log->newest - TS_ANSWER_LOG_SPANS + 1;
    return oldest > 0 ? oldest : 0;
}

// The oldest span that counts for a window.
static int64_t first_of(const struct ts_answer_log *log, int64_t window_us, int64_t now_us)
{
    // (number + 1) * width + window > now
    int64_t first = now_us - window_us < 0 ? 0 : (now_us - window_us) / log->width_us;
    int64_t oldest = oldest_of(log);
    return first > oldest ? first : oldest;
}

static int64_t width_of(int64_t window_us)
{
    return (window_us + SPANS_IN_WINDOW - 1) / SPANS_IN_WINDOW;
}

bool ts_answer_log_covers(const struct ts_answer_log *log, int64_t window_us)
{
    return log->width_us >= width_of(window_us);
}

bool ts_answer_log_is_sound(const struct ts_answer_log *log)
{
    return log->width_us > 0 && log->width_us < INT64_MAX / 4096 && log->newest >= 0 &&
           log->newest < INT64_MAX / 4 / log->width_us;
}

void ts_answer_log_fit(
    struct ts_answer_log *log, int64_t window_us, int64_t shift_us, int64_t now_us)
{
    struct ts_answer_log old = *log;
    memset(log, 0, sizeof *log);
    log->width_us = width_of(window_us);
    log->newest = now_us / log->width_us;
    if (old.width_us == 0) {
        return;
    }
    int64_t oldest = oldest_of(log);
    for (int64_t n = oldest_of(&old); n <= old.newest; n++) {
        int64_t at_us = (n + 1) * old.width_us - 1 + shift_us;
        at_us = at_us > now_us ? now_us : at_us < 0 ? 0 : at_us;
        int64_t number = at_us / log->width_us;
        if (*span_at(&old, n) > 0 && number >= oldest) {
            count_up(span_at(log, number), *span_at(&old, n));
        }
    }
}

void ts_answer_log_add(struct ts_answer_log *log, int64_t count, int64_t now_us)
{
    int64_t number = now_us / log->width_us;
    if (number >= log->newest + TS_ANSWER_LOG_SPANS) {
        memset(log->spans, 0, sizeof log->spans);
        log->newest = number;
    }
    while (log->newest < number) {
        *span_at(log, ++log->newest) = 0;
    }
    count_up(span_at(log, log->newest), count);
}

int64_t ts_answer_log_count(const struct ts_answer_log *log, int64_t window_us, int64_t now_us)
{
    int64_t first = first_of(log, window_us, now_us);
    if (first > log->newest) {
        return 0;
    }
    int64_t from = first % TS_ANSWER_LOG_SPANS, to = log->newest % TS_ANSWER_LOG_SPANS;
    int64_t sum = 0;
    if (from > to) {
        for (int64_t i = from; i < TS_ANSWER_LOG_SPANS; i++) {
            sum += log->spans[i];
        }
        from = 0;
    }
    for (int64_t i = from; i <= to; i++) {
        sum += log->spans[i];
    }
    return sum;
}

int64_t ts_answer_log_free_at(
    const struct ts_answer_log *log, int64_t window_us, int64_t count, int64_t now_us)
{
    int64_t at_us = now_us;
    for (int64_t n = first_of(log, window_us, now_us); n <= log->newest && count > 0; n++) {
        int64_t here = log->spans[n % TS_ANSWER_LOG_SPANS];
        count -= here;
        at_us = here > 0 ? (n + 1) * log->width_us + window_us : at_us;
    }
    return at_us;
}
