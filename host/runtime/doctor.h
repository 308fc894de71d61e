// SPDX-License-Identifier: MIT
// `tshost doctor`: finds out whether a run could work, before one is needed.
// Reads only: it verifies the token and lists five widgets.
#ifndef TS_RUNTIME_DOCTOR_H
#define TS_RUNTIME_DOCTOR_H

#include "host/runtime/config.h"

// Prints what it finds to standard output, a line each, and returns 0, 2, 8 or 9.
int ts_doctor(const struct ts_config *config);

#endif
