// SPDX-License-Identifier: MIT
// How many answers came when, for about a window: a ring of counts over equal spans of time. An
// answer counts for the whole window and at most a span longer, never shorter.
#ifndef TS_API_ANSWER_LOG_H
#define TS_API_ANSWER_LOG_H

#include <stdbool.h>
#include <stdint.h>

#define TS_ANSWER_LOG_SPANS 1024

struct ts_answer_log {
    int64_t width_us;                    // of a span; 0: not open yet
    int64_t newest;                      // number of the newest span: time / width
    uint32_t spans[TS_ANSWER_LOG_SPANS]; // number n at n % TS_ANSWER_LOG_SPANS
};

// Makes the log reach back window_us from now_us, which is never negative. What it holds moves
// along by shift_us (0: stays) and never gets younger than now or older than it was.
void ts_answer_log_fit(
    struct ts_answer_log *log, int64_t window_us, int64_t shift_us, int64_t now_us);

// Whether the log reaches back so far.
bool ts_answer_log_covers(const struct ts_answer_log *log, int64_t window_us);

// Whether what a file held can be a log.
bool ts_answer_log_is_sound(const struct ts_answer_log *log);

// Adds answers that came now.
void ts_answer_log_add(struct ts_answer_log *log, int64_t count, int64_t now_us);

// How many count at now_us for a window.
int64_t ts_answer_log_count(const struct ts_answer_log *log, int64_t window_us, int64_t now_us);

// When `count` of those that count for a window will have ceased to; all of them: at the latest.
int64_t ts_answer_log_free_at(
    const struct ts_answer_log *log, int64_t window_us, int64_t count, int64_t now_us);

#endif
