// SPDX-License-Identifier: MIT
// --progress, --quiet and what the streams are, made into one decision.
#include "host/runtime/display.h"

#include <stdio.h>
#include <unistd.h>

#include "host/runtime/report.h"

// What a script prints on the same terminal must not be mixed up with the line. Standard error is
// unbuffered and a terminal's standard output goes out line by line, as ever.
static bool streams_guard(struct ts_terminal *terminal)
{
    return ts_terminal_guard(terminal, &stderr, STDERR_FILENO, _IONBF) &&
           (!isatty(STDOUT_FILENO) || ts_terminal_guard(terminal, &stdout, STDOUT_FILENO, _IOLBF));
}

void ts_display_init(struct ts_display *display, struct ts_log *log, const struct ts_config *config,
    const struct ts_progress_source *budget)
{
    bool is_silent = config->level <= TS_LOG_QUIET && config->progress != TS_PROGRESS_JSON;
    struct ts_progress_config progress = {
        .mode = is_silent ? TS_PROGRESS_NEVER : config->progress,
        .json_fd = config->progress_fd,
        .log = log,
        .terminal = &display->terminal,
        .budget = budget,
    };
    ts_terminal_init(&display->terminal, STDERR_FILENO);
    ts_progress_init(&display->progress, &progress);
    if (display->progress.mode == TS_PROGRESS_LINE && !streams_guard(&display->terminal)) {
        ts_terminal_fini(&display->terminal);
        progress.mode = TS_PROGRESS_PLAIN; // no memory: what is said is still true
        ts_progress_init(&display->progress, &progress);
    }
    ts_log_init(log, stderr, config->level);
    ts_report_style(log, config);
}

void ts_display_abandon(void *self)
{
    const struct ts_display *display = self;
    ts_terminal_abandon(&display->terminal);
}

void ts_display_end(struct ts_display *display)
{
    ts_progress_fini(&display->progress);
}

void ts_display_fini(struct ts_display *display)
{
    ts_progress_fini(&display->progress);
    ts_terminal_fini(&display->terminal);
}
