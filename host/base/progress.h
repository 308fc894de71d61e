// SPDX-License-Identifier: MIT
// How far the long jobs of a run are: a redrawn line on a terminal, plain lines elsewhere, or JSON
// objects on a descriptor. Counting is cheap; clock and output are touched a few times a second.
#ifndef TS_BASE_PROGRESS_H
#define TS_BASE_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/base/clock.h"
#include "host/base/log.h"
#include "host/base/terminal.h"

enum ts_progress_mode {
    TS_PROGRESS_AUTO,  // LINE on a capable terminal, else PLAIN
    TS_PROGRESS_LINE,  // a line that is redrawn, 10 times a second at most
    TS_PROGRESS_PLAIN, // a line every 10 % or 30 s, whichever comes first
    TS_PROGRESS_JSON,  // an object a line, 10 a second at most, 1 a second at least
    TS_PROGRESS_NEVER,
};

// What the request budget says at the moment.
struct ts_progress_budget {
    int64_t left;        // requests that could start now
    int64_t requests;    // sent so far by this run
    int64_t wait_us;     // until requests go out again as they come; 0: they do
    const char *waiting; // why they wait, as in "waiting for the rate budget"; static
    const char *reason;  // the same for programs, in one word; static; NULL: none
};

// Where that is asked for, once for each line at most.
struct ts_progress_source {
    // False: nothing is known yet.
    bool (*look)(void *self, struct ts_progress_budget *out);
    // How long so many more requests take, in microseconds.
    int64_t (*estimate_us)(void *self, int64_t requests);
    void *self;
};

struct ts_progress_config {
    enum ts_progress_mode mode; // AUTO is decided for standard error
    int json_fd;                // for JSON; stays the caller's
    struct ts_log *log;         // for PLAIN and for what stays at the end; borrowed
    struct ts_terminal *terminal;
    const struct ts_clock *clock;             // NULL: the system's
    const struct ts_progress_source *budget;  // copied; NULL: there is none
    int (*columns)(struct ts_terminal *self); // NULL: the terminal is asked
};

#define TS_PROGRESS_LABEL_MAX 120

// One job: so many items to do. Embedded in whatever works on it.
struct ts_progress_job {
    struct ts_progress *progress; // NULL while it is not under way
    struct ts_progress_job *older;
    struct ts_progress_job *younger;
    char label[TS_PROGRESS_LABEL_MAX];
    size_t label_len;
    int64_t total;  // -1: not known
    int64_t done;   // failed ones included
    int64_t failed; // of those done
    int64_t next_step;
    int64_t start_us;
    int64_t spoke_us; // when it was last told of
    int64_t first_requests;
    int64_t sample_us; // of the smoothed rate
    int64_t sample_done;
    double rate; // items a second, smoothed over some seconds
    unsigned id;
    bool is_announced; // it was told that it began, so its end is told too
    bool is_changed;
};

struct ts_progress {
    enum ts_progress_mode mode;
    int json_fd; // -1: broken, or not wanted
    struct ts_log *log;
    struct ts_terminal *terminal;
    const struct ts_clock *clock;
    struct ts_progress_source budget;
    int (*columns)(struct ts_terminal *self);
    struct ts_progress_job *oldest; // the one that the line is about
    struct ts_progress_job *youngest;
    int64_t spoke_us;
    unsigned jobs; // begun so far
    bool is_changed;
    bool is_stopping;
};

// Makes it, with no job. What config points at is borrowed until fini.
void ts_progress_init(struct ts_progress *progress, const struct ts_progress_config *config);

// Takes the line away and forgets the jobs. Accepts a zeroed struct, may run twice.
void ts_progress_fini(struct ts_progress *progress);

// Whether jobs are shown at all. When not, none need be begun.
bool ts_progress_is_on(const struct ts_progress *progress);

// Begins a job: the first among those under way is the one shown, later ones are taken for parts of
// it. The label is copied, cut to TS_PROGRESS_LABEL_MAX bytes, and may hold anything. total: items
// to do, -1 when that is not known. The job must be finished before its memory goes; starting it
// when nothing is shown does nothing.
void ts_progress_start(struct ts_progress *progress, struct ts_progress_job *job, const char *label,
    size_t len, int64_t total);

// One item more is done, well or not.
void ts_progress_advance(struct ts_progress_job *job, bool has_failed);

// Ends the job, and tells how it went. is_complete: it came to its own end. Does nothing for a
// zeroed job or one that has ended.
void ts_progress_finish(struct ts_progress_job *job, bool is_complete);

// Tells what has changed, when it is time to. To be called whenever the run is about to wait.
void ts_progress_tick(struct ts_progress *progress);

// When to call ts_progress_tick next though nothing has happened; TS_NEVER without a job.
int64_t ts_progress_next(const struct ts_progress *progress);

// The run is being stopped: the line says so from now on.
void ts_progress_stop(struct ts_progress *progress);

#endif
