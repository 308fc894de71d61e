// SPDX-License-Identifier: MIT
// Which form the end of a run takes, and how lines look.
// It tells what was done, not what was meant: every figure comes from the ledger.
#include "host/runtime/report.h"

#include <stdlib.h>
#include <unistd.h>

#include "host/base/line.h"
#include "host/base/terminal.h"
#include "host/runtime/exit_status.h"
#include "host/runtime/report_private.h"

void ts_report_style(struct ts_log *log, const struct ts_config *config)
{
    const char *no_color = getenv("NO_COLOR");
    bool is_wanted = !(no_color && *no_color) && ts_terminal_is_capable(STDERR_FILENO);
    bool is_colored = config->color == TS_COLOR_AUTO ? is_wanted : config->color == TS_COLOR_ALWAYS;
    ts_log_style(log, is_colored, isatty(STDERR_FILENO));
}

void ts_report_error(struct ts_log *log, const char *message)
{
    struct ts_line line;
    ts_line_init(&line);
    line.is_whole = true;
    ts_line_add(&line, TS_STYLE_BAD, "tshost: ");
    ts_line_add(&line, TS_STYLE_PLAIN, "%s", message);
    ts_line_write(&line, log, TS_LOG_QUIET);
}

void ts_report_next(const struct ts_report *report, struct ts_next_steps *out)
{
    struct ts_next_facts facts = {
        .config = report->config,
        .door = report->door,
        .run = report->run,
        .is_broken_off = report->signal || report->is_expired || report->reason[0],
        .is_wordy = report->config->level >= TS_LOG_VERBOSE,
    };
    ts_next_steps_find(&facts, out);
}

void ts_report_summary(const struct ts_report *report)
{
    if (report->config->is_json) {
        ts_report_json(report);
    } else {
        ts_report_text(report);
    }
}

// The end of a run that has no parts.
static int report_early(
    const struct ts_config *config, struct ts_log *log, int status, const char *message)
{
    struct ts_door door;
    ts_door_init(&door);
    struct ts_report report = {
        .config = config,
        .log = log,
        .door = &door,
        .run = "",
        .said = message,
        .reason = "",
        .status = status,
    };
    ts_report_summary(&report);
    ts_door_fini(&door);
    return status;
}

int ts_report_failure(const struct ts_config *config, int status, const char *message)
{
    struct ts_log log;
    ts_log_init(&log, stderr, config->level);
    ts_report_style(&log, config);
    ts_report_error(&log, message);
    return report_early(config, &log, status, message);
}

int ts_report_nothing(const struct ts_config *config, const char *message)
{
    struct ts_log log;
    ts_log_init(&log, stderr, config->level);
    ts_report_style(&log, config);
    ts_log_line(&log, TS_LOG_NORMAL, "tshost: %s", message);
    return report_early(config, &log, TS_EXIT_DONE, "");
}
