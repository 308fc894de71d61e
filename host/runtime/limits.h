// SPDX-License-Identifier: MIT
// The process's own limits: as many open files as the run needs, and no core dumps, which would
// hold secrets.
#ifndef TS_RUNTIME_LIMITS_H
#define TS_RUNTIME_LIMITS_H

#include <stdbool.h>
#include <stdint.h>

#include "host/base/error.h"

// Forbids core dumps and raises the soft limit of open files for that many connections, to both
// ends of them when is_both_ends (the server is in this process). USAGE when the hard limit is too
// low.
enum ts_err ts_limits_set(int64_t connections, bool is_both_ends, struct ts_error *err);

// Lets the process have as many files open as it may: for a plan, in which the files that a script
// seems to write stay open, and no command is started that would inherit the limit.
void ts_limits_lift_files(void);

#endif
