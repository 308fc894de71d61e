// SPDX-License-Identifier: MIT
// `tshost sandbox`: the sandbox in the foreground, until SIGINT or SIGTERM.
// Its settings are the sandbox's own struct.
#ifndef TS_RUNTIME_SERVE_H
#define TS_RUNTIME_SERVE_H

#include "host/sandbox/sandbox.h"

// Serves, and prints the base URL as one line to standard output once it is ready. Returns the exit
// status: 0 after a signal, 2 with the reason on standard error when it cannot start.
int ts_serve(const struct ts_sandbox_config *config);

#endif
