// SPDX-License-Identifier: MIT
// Import: the answer of a list call becomes widgets of an account. For the control route and for
// `ts_sandbox_import`.
#ifndef TS_SANDBOX_IMPORT_H
#define TS_SANDBOX_IMPORT_H

#include <stddef.h>

#include "host/sandbox/service.h"

// As ts_sandbox_import, on the thread that uses the service.
enum ts_err ts_sandbox_service_import(struct ts_sandbox_service *service, const char *account,
    const char *json, size_t len, struct ts_sandbox_imported *out, struct ts_error *err);

#endif
