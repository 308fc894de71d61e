// SPDX-License-Identifier: MIT
// The parameters of a siteverify call, from a form, a multipart form or JSON.
// The other fields a caller sends are ignored.
#ifndef TS_SANDBOX_SITEVERIFY_INPUT_H
#define TS_SANDBOX_SITEVERIFY_INPUT_H

#include <stdbool.h>

#include "host/sandbox/reply.h"
#include "host/sandbox/request.h"

#define TS_SANDBOX_RESPONSE_MAX 2048

// Each holds one byte more than is allowed, so that too long a value is still seen as such.
struct ts_sandbox_siteverify_input {
    char secret[128];
    char response[TS_SANDBOX_RESPONSE_MAX + 2];
    char remoteip[64];
    char idempotency_key[64];
};

// Reads the body. False when it cannot be read as what its content type says.
bool ts_sandbox_siteverify_input_read(struct ts_sandbox_siteverify_input *input,
    const struct ts_sandbox_request *request, struct ts_sandbox_store *store);

#endif
