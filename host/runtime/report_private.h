// SPDX-License-Identifier: MIT
// The two forms of the summary. Nothing outside host/runtime/report*.c includes this.
#ifndef TS_RUNTIME_REPORT_PRIVATE_H
#define TS_RUNTIME_REPORT_PRIVATE_H

#include "host/runtime/next_step.h"
#include "host/runtime/report.h"

// Prints it for people, if there is something to tell.
void ts_report_text(const struct ts_report *report);

// Prints it as a JSON object in one line.
void ts_report_json(const struct ts_report *report);

// What to type next, after this run.
void ts_report_next(const struct ts_report *report, struct ts_next_steps *out);

#endif
