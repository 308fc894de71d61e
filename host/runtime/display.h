// SPDX-License-Identifier: MIT
// What people see of a run on standard error: the log and, under it, the progress.
// On a terminal the standard streams make way for the progress line while it is there.
#ifndef TS_RUNTIME_DISPLAY_H
#define TS_RUNTIME_DISPLAY_H

#include "host/base/log.h"
#include "host/base/progress.h"
#include "host/base/terminal.h"
#include "host/runtime/config.h"

struct ts_display {
    struct ts_terminal terminal;
    struct ts_progress progress;
};

// Decides how progress is shown and makes log, which is borrowed, on standard error. Comes before
// everything that keeps stdout or stderr, the Lua state included: on a terminal it replaces them
// until fini. budget is what the progress asks about the requests left.
void ts_display_init(struct ts_display *display, struct ts_log *log, const struct ts_config *config,
    const struct ts_progress_source *budget);

// Takes the progress line off the screen; for a signal handler that ends the process. self is a
// struct ts_display.
void ts_display_abandon(void *self);

// Ends what is still shown as progress; the log goes on.
void ts_display_end(struct ts_display *display);

// Ends the progress and puts the plain streams back. Accepts a zeroed struct, may run twice.
void ts_display_fini(struct ts_display *display);

#endif
