// SPDX-License-Identifier: MIT
// The only place that prints errors: one line for what stopped the script, then the summary of what
// happened at the other side.
#ifndef TS_RUNTIME_REPORT_H
#define TS_RUNTIME_REPORT_H

#include <stdbool.h>

#include "host/runtime/parts.h"

// Prints "tshost: message" whatever the level.
void ts_report_error(struct ts_log *log, const char *message);

// Prints the summary when it has something to say: writes done, failures one by one (but for
// those already said), what was forgiven. said is the message of the error that stopped the script,
// NULL when none did; signal the one that stopped the run, 0 when none did.
// said_entry is the ledger's number of that error, 0 when it has none.
void ts_report_summary(struct ts_parts *parts, const char *said, size_t said_entry, int signal);

#endif
