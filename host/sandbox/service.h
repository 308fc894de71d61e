// SPDX-License-Identifier: MIT
// The API itself, without the HTTP server around it: a request goes in, a reply comes out.
// Everything here runs on one thread at a time: the server's, or one that imports meanwhile.
#ifndef TS_SANDBOX_SERVICE_H
#define TS_SANDBOX_SERVICE_H

#include "host/base/log.h"
#include "host/sandbox/auth.h"
#include "host/sandbox/bookmark.h"
#include "host/sandbox/credential.h"
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
    struct ts_sandbox_credentials credentials;
    struct ts_sandbox_bookmarks bookmarks;
    struct ts_log log; // to standard error; quiet unless asked for
    int64_t skew_us;   // how far a control route has moved the clock
    bool is_lenient;   // testing secrets accept real tokens too
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

// Now, in microseconds: on the wall clock, for all that is stored or shown, and on the monotonic
// clock, for the rate limit. Both moved by the skew.
int64_t ts_sandbox_service_now(const struct ts_sandbox_service *service);
int64_t ts_sandbox_service_mono(const struct ts_sandbox_service *service);

#endif
