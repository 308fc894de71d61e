// SPDX-License-Identifier: MIT
// The file that a plan is saved in: private, complete or not there at all, and never in the place
// of anything but another plan.
#ifndef TS_RUNTIME_PLAN_FILE_H
#define TS_RUNTIME_PLAN_FILE_H

#include <stddef.h>

#include "host/base/error.h"

// What each plan file begins with.
#define TS_PLAN_FILE_MARK "{\"format\":\"tshost plan\""

// Whether a plan could be saved there: the directory is, and what has the name, if anything, is a
// plan. USAGE, SYSTEM.
enum ts_err ts_plan_file_check(const char *path, struct ts_error *err);

// Checks again and writes it, mode 0600, synced before it gets its name. Fails as the check does.
enum ts_err ts_plan_file_write(
    const char *path, const char *text, size_t len, struct ts_error *err);

#endif
