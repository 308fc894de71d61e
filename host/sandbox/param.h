// SPDX-License-Identifier: MIT
// JSON bodies of the control routes: a flat object of named parameters.
// The API's own bodies are stricter and live in fields.c.
#ifndef TS_SANDBOX_PARAM_H
#define TS_SANDBOX_PARAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/sandbox/reply.h"
#include "host/sandbox/request.h"

// One parameter and where it goes; exactly one of text, number and flag is set.
struct ts_sandbox_param {
    const char *name;
    char *text; // a string; longer than size - 1 bytes is refused
    size_t size;
    int64_t *number; // an integer that is not negative
    bool *flag;
    bool is_set; // comes out
};

// Reads the body into the parameters; absent ones keep their values. False with the reply filled
// when the body is no object, has other members or values of another type.
bool ts_sandbox_params_read(const struct ts_sandbox_request *request,
    struct ts_sandbox_param *params, size_t count, struct ts_sandbox_reply *reply);

#endif
