// SPDX-License-Identifier: MIT
// Finding a run that is to be resumed, and whether that can be done here, before anything is sent.
#ifndef TS_RUNTIME_RESUME_H
#define TS_RUNTIME_RESUME_H

#include <stdbool.h>

#include "host/runtime/config.h"
#include "host/state/journal_origin.h"

// Reads the run that text means (see ts_journal_find) from the journal of this user. Fini the
// origin when done with it, also after a failure. USAGE when there is none, or it cannot be
// resumed; SYSTEM when the journal cannot be read.
enum ts_err ts_resume_find(const char *text, struct ts_journal_origin *out, struct ts_error *err);

// Whether the run carries out a plan, and not a script.
bool ts_resume_is_plan(const struct ts_journal_origin *origin);

// Fills what the run was into the configuration, which borrows it from the origin, and goes to
// the directory that it ran in. A run that carries out a plan is gone on with by a program, whose
// arguments are the caller's. is_changed_fine: its script may be another one by now. USAGE.
enum ts_err ts_resume_configure(const struct ts_journal_origin *origin, bool is_changed_fine,
    struct ts_config *config, struct ts_error *err);

#endif
