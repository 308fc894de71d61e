// SPDX-License-Identifier: MIT
// Which operation a path and a method mean. The routes are a table.
// Routing comes before authentication, as it does at the service.
#ifndef TS_SANDBOX_ROUTE_H
#define TS_SANDBOX_ROUTE_H

#include "host/sandbox/op.h"

// How far the checks in front of an operation go.
enum ts_sandbox_guard {
    TS_SANDBOX_GUARD_API,     // credentials, permission for the account, rate
    TS_SANDBOX_GUARD_VERIFY,  // credentials and rate; refusals in the words of token-verify
    TS_SANDBOX_GUARD_NONE,    // siteverify brings its own secret
    TS_SANDBOX_GUARD_CONTROL, // this server's own switches
};

struct ts_sandbox_route {
    const char *name; // of the operation, for faults and the history
    enum ts_sandbox_method method;
    enum ts_sandbox_guard guard;
    const char *path; // segments; "{account}" and "{sitekey}" match anything
    ts_sandbox_op *op;
};

// Finds the route and fills in the request's account and sitekey. NULL with the reply filled
// when there is none.
const struct ts_sandbox_route *ts_sandbox_route_find(
    struct ts_sandbox_request *request, struct ts_sandbox_reply *reply);

#endif
