// SPDX-License-Identifier: MIT
// The operations: one function each, called by the router with everything checked that does not
// depend on the operation (route, credentials, permission, rate, body size).
#ifndef TS_SANDBOX_OP_H
#define TS_SANDBOX_OP_H

#include <stdbool.h>

#include "host/sandbox/service.h"

typedef void ts_sandbox_op(struct ts_sandbox_service *service,
    const struct ts_sandbox_request *request, struct ts_sandbox_reply *reply);

ts_sandbox_op ts_sandbox_op_list;          // list.c
ts_sandbox_op ts_sandbox_op_get;           // widget.c
ts_sandbox_op ts_sandbox_op_create;        // widget.c
ts_sandbox_op ts_sandbox_op_update;        // widget.c
ts_sandbox_op ts_sandbox_op_delete;        // widget.c
ts_sandbox_op ts_sandbox_op_rotate;        // rotate.c
ts_sandbox_op ts_sandbox_op_verify_token;  // verify.c
ts_sandbox_op ts_sandbox_op_siteverify;    // siteverify.c
ts_sandbox_op ts_sandbox_op_mint;          // mint.c
ts_sandbox_op ts_sandbox_op_requests;      // control.c
ts_sandbox_op ts_sandbox_op_forget;        // control.c
ts_sandbox_op ts_sandbox_op_faults;        // control.c
ts_sandbox_op ts_sandbox_op_add_fault;     // control.c
ts_sandbox_op ts_sandbox_op_remove_faults; // control.c
ts_sandbox_op ts_sandbox_op_settings;      // control.c
ts_sandbox_op ts_sandbox_op_advance;       // control.c
ts_sandbox_op ts_sandbox_op_credential;    // control.c
ts_sandbox_op ts_sandbox_op_import;        // import.c

// Whether the API has an operation of that name; in route.c.
bool ts_sandbox_op_is_name(const char *name);

#endif
