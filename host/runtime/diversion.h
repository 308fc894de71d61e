// SPDX-License-Identifier: MIT
// Standard output led to standard error for a while, below every stream, so that it holds for what
// libraries and child processes write too.
#ifndef TS_RUNTIME_DIVERSION_H
#define TS_RUNTIME_DIVERSION_H

#include "host/base/error.h"

struct ts_diversion {
    int kept; // standard output as it was, close-on-exec; 0: not diverted
};

// Flushes stdout and diverts it. SYSTEM: then nothing has changed.
enum ts_err ts_diversion_start(struct ts_diversion *diversion, struct ts_error *err);

// Flushes stdout and puts things back. Accepts a zeroed struct, may run twice.
void ts_diversion_end(struct ts_diversion *diversion);

#endif
