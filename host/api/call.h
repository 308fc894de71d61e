// SPDX-License-Identifier: MIT
// One call to the API: waits in the queue, goes out with credentials, comes back as an answer; is
// sent again where that cannot change what it does. It moves bytes; the JSON is the caller's.
#ifndef TS_API_CALL_H
#define TS_API_CALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/api/endpoint.h"
#include "host/base/buf.h"
#include "host/base/error.h"

struct ts_client;
struct ts_call;

struct ts_call_spec {
    enum ts_op op;
    const char *sitekey; // for paths that name one
    const char *query;   // "page=2&per_page=1000", encoded; NULL: none
    const char *body;    // NULL where the endpoint has none
    size_t body_len;
    const char *content_type; // NULL: application/json
    // When it has not been sent by then, monotonic, it ends unsent, as LATE. 0: there is no such
    // time.
    int64_t start_before_us;
};

// What is known about a write that has ended without a success answer that could be read.
enum ts_outcome {
    TS_OUTCOME_DONE,        // applied
    TS_OUTCOME_NOT_APPLIED, // surely not applied
    TS_OUTCOME_UNKNOWN,     // may have been applied
};

struct ts_answer {
    enum ts_err code;      // TS_OK: an HTTP answer is there, whatever its status
    struct ts_error error; // when code is not TS_OK
    bool is_sent;          // bytes of the request may have reached the server
    long status;
    struct ts_buf *body; // the call's, never NULL; may be wiped early with ts_buf_clear
    char ray[64];        // CF-Ray, "" when absent
    char content_type[64];
    int64_t retry_after_s; // also from a date; -1 when absent
    int attempts;          // exchanges that were begun for this call
    int64_t duration_us;   // of the last one
    char remark[96]; // why it was not tried once more, for people; "" when that goes without saying
};

// Called once when the call has ended, never after a cancel: from the loop, or, when the request
// could not even be built, before the function that started it returns.
typedef void (*ts_call_fn)(void *owner, struct ts_call *call);

// Starts a call of an endpoint that changes nothing. Everything in spec is copied. On failure
// nothing is sent and *out is NULL: USAGE (no account, no credentials), CANCELLED (stopping),
// NOMEM. The caller cancels *out at any time, also after it has ended: that is how it is released.
enum ts_err ts_call_read(struct ts_client *client, const struct ts_call_spec *spec,
    ts_call_fn on_done, void *owner, struct ts_call **out, struct ts_error *err);

// The same for an endpoint that changes something. Only host/ops may use it: it is the door.
enum ts_err ts_call_write(struct ts_client *client, const struct ts_call_spec *spec,
    ts_call_fn on_done, void *owner, struct ts_call **out, struct ts_error *err);

// Stops the call if it is under way and releases it. NULL is fine.
void ts_call_cancel(struct ts_call *call);

// Whether the call has its place in flight: a write is seen through then.
bool ts_call_is_started(const struct ts_call *call);

// Whether its request may have left: not while it is held for the gate.
bool ts_call_has_left(const struct ts_call *call);

// The answer, once on_done has been called; borrowed until the cancel.
struct ts_answer *ts_call_answer(struct ts_call *call);

// A header of the answer, NULL when absent; borrowed until the cancel.
const char *ts_call_header(struct ts_call *call, const char *name);

// What the answer says about a write: a whole 2xx DONE; 4xx but 408, or never sent: NOT_APPLIED;
// else UNKNOWN, also a 2xx that was cut: it was applied, but what came of it was lost.
enum ts_outcome ts_answer_outcome(const struct ts_answer *answer);

// Whether the same read may succeed later: transport, timeout, 408, 429, 5xx.
bool ts_answer_is_retryable(const struct ts_answer *answer);

#endif
