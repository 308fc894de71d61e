// SPDX-License-Identifier: MIT
// The only place that prints errors: one line for what stopped the script, then the summary of what
// happened at the other side, for people or as a JSON object.
#ifndef TS_RUNTIME_REPORT_H
#define TS_RUNTIME_REPORT_H

#include <stddef.h>
#include <stdint.h>

#include "host/base/log.h"
#include "host/ops/door.h"
#include "host/runtime/config.h"

// What a run leaves to tell. All is borrowed.
struct ts_buf;

struct ts_report {
    const struct ts_config *config;
    struct ts_log *log;
    const struct ts_door *door;
    const char *run;      // its id in the journal, "" when it has none
    const char *verdicts; // of a resume: a JSON array of what was in doubt; NULL or "": nothing was
    const char *said;     // the error that stopped it, as it was shown; "" for none
    size_t said_entry;    // the ledger's number of that error, 0 when it has none
    const char *reason;   // why the run has given up on the API; "" when it has not
    int status;           // the exit status
    int signal;           // that stopped the run, 0 when none did
    bool is_expired;      // the deadline has passed
    uint64_t requests;
    int64_t elapsed_us;
    int64_t waited_us; // of that, for the rate budget
};

// Sets how lines on that log look, from --color, NO_COLOR and what standard error is.
void ts_report_style(struct ts_log *log, const struct ts_config *config);

// Prints "tshost: message" whatever the level.
void ts_report_error(struct ts_log *log, const char *message);

// Ends a run. As text the summary is printed when it has something to say: writes done, failures
// one by one (but for the one already said), what was forgiven, what to type next. With --json the
// object is printed whatever happened, in one line, and nothing may be printed after it.
void ts_report_summary(const struct ts_report *report);

// Ends a run that came to nothing before there was anything to report: prints the message, and the
// object with --json. Returns the status.
int ts_report_failure(const struct ts_config *config, int status, const char *message);

// Ends a run that had nothing to do, in the same way; but the message is no error. Returns 0.
int ts_report_nothing(const struct ts_config *config, const char *message);

// Writes the figures of the run as a JSON object: counts, requests, elapsed_ms, waited_ms. NOMEM.
enum ts_err ts_report_effort(const struct ts_report *report, struct ts_buf *out);

#endif
