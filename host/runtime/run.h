// SPDX-License-Identifier: MIT
// One run of a script from configuration to exit status.
#ifndef TS_RUNTIME_RUN_H
#define TS_RUNTIME_RUN_H

#include "host/runtime/config.h"

// Runs the configured script or code and returns the exit status. Prints results to standard output
// and everything else to standard error. Leaves nothing behind, whatever happened.
int ts_run(const struct ts_config *config);

#endif
