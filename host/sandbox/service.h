// SPDX-License-Identifier: MIT
// The API itself, without the HTTP server around it: a request goes in, a reply comes out.
// Everything here runs on the server's one thread.
#ifndef TS_SANDBOX_SERVICE_H
#define TS_SANDBOX_SERVICE_H

#include "host/sandbox/auth.h"
#include "host/sandbox/fault.h"
#include "host/sandbox/history.h"
#include "host/sandbox/keys.h"
#include "host/sandbox/ratelimit.h"
#include "host/sandbox/reply.h"
#include "host/sandbox/request.h"
#include "host/sandbox/settings.h"
#include "host/sandbox/store.h"

struct ts_sandbox_service {
    struct ts_sandbox_settings settings;
    struct ts_sandbox_store store;
    struct ts_sandbox_keys keys;
    struct ts_sandbox_limiter *limiter;
    struct ts_sandbox_faults faults;
    struct ts_sandbox_history history;
    bool is_lenient; // testing secrets accept real tokens too
};

// Opens everything. On failure nothing is left open. USAGE, SYSTEM, NOMEM.
enum ts_err ts_sandbox_service_init(struct ts_sandbox_service *service,
    const struct ts_sandbox_config *config, struct ts_error *err);

// Closes and releases. Accepts a zeroed struct and may run twice.
void ts_sandbox_service_fini(struct ts_sandbox_service *service);

// Answers one request. fault says what is to go wrong on the way back; its kind is NONE otherwise.
void ts_sandbox_service_answer(struct ts_sandbox_service *service,
    struct ts_sandbox_request *request, struct ts_sandbox_reply *reply,
    struct ts_sandbox_fault *fault);

// Now on the wall clock, in microseconds.
int64_t ts_sandbox_service_now(const struct ts_sandbox_service *service);

#endif
