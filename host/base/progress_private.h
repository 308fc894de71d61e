// SPDX-License-Identifier: MIT
// What the files of the progress share: one look at a job, and the two ways to put it into words.
// Nothing outside host/base/progress*.c includes this.
#ifndef TS_BASE_PROGRESS_PRIVATE_H
#define TS_BASE_PROGRESS_PRIVATE_H

#include "host/base/buf.h"
#include "host/base/progress.h"

// A job at a moment. Times in microseconds; -1: not known.
struct ts_progress_view {
    const struct ts_progress_job *job;
    const struct ts_progress_job *inner; // the youngest one that began since; NULL: none
    int64_t total;
    int64_t left; // items
    int64_t elapsed_us;
    double rate; // items a second
    int64_t left_us;
    int64_t budget_left; // requests
    int64_t wait_us;     // 0: it does not wait
    const char *waiting;
    const char *reason; // for JSON; NULL: none
    bool is_stopping;
};

// The line for a terminal of so many columns, the least important parts left out where it is
// narrow. line has TS_TERMINAL_LINE_MAX + 1 bytes.
void ts_progress_line(const struct ts_progress_view *view, int columns, char *line);

// The plain line of a job under way, and the one that stays when it has ended.
void ts_progress_plain(const struct ts_progress_view *view, char *line);
void ts_progress_closing(const struct ts_progress_view *view, bool is_complete, char *line);

// Adds a JSON object and a newline. event: "start", "progress" or "end".
enum ts_err ts_progress_json(
    const struct ts_progress_view *view, const char *event, bool is_complete, struct ts_buf *out);

#endif
