// SPDX-License-Identifier: MIT
// A call's fields, and what the files of its life want of each other: call.c (started, launched,
// cancelled), call_request.c (what it sends), call_answer.c (what came back) and call_retry.c (what
// follows from that). Not for other rooms.
#ifndef TS_API_CALL_PRIVATE_H
#define TS_API_CALL_PRIVATE_H

#include "host/api/budget.h"
#include "host/api/client_private.h"
#include "host/api/outage.h"
#include "host/api/queue_private.h"
#include "host/net/loop.h"
#include "host/net/timer.h"
#include "host/net/xfer.h"

enum call_state {
    CALL_WAITING,   // in its lane of the queue
    CALL_DEPARTING, // has its place in flight; held for the gate, in queue->held
    CALL_IN_FLIGHT,
    CALL_RESTING, // until its next attempt, among outage->resting
    CALL_ENDED,
};

struct ts_call {
    struct ts_client *client;
    const struct ts_endpoint *endpoint;
    enum call_state state;
    struct ts_call *next; // in its lane, or among those that rest or depart
    struct ts_call *prev;
    struct ts_buf url;
    struct ts_buf body;
    struct ts_buf nothing; // the answer's body when no answer came
    char content_type[64];
    char sitekey[40]; // for the log
    ts_call_fn on_done;
    void *owner;
    struct ts_xfer *xfer;    // the latest exchange, kept until the next
    struct ts_answer answer; // what it brought
    // For sending the request again.
    struct ts_timer timer;   // the end of its rest
    uint64_t number;         // among all calls of the run
    int64_t started_us;      // the latest exchange
    uint64_t ticket;         // of the commit that it waits for, once it is noted
    int64_t start_before_us; // 0: any time will do
    int failures;            // in a row; those that drew a 429 not counted
    int pauses;              // those that did, in a row
    int64_t paused_us;       // when the first of them came
    bool is_noted;           // held, and handed to the gate
    bool is_probe;           // in flight as the one that an outage lets through
};

// Fills in the URL and keeps the body. USAGE (no account, no sitekey), TOO_LARGE, NOMEM.
enum ts_err call_request_build(
    struct ts_call *call, const struct ts_call_spec *spec, struct ts_error *err);

// Starts call->xfer, signed; it ends in call_on_exchange_done. Fails as ts_xfer_start does.
enum ts_err call_request_start(struct ts_call *call, struct ts_error *err);

// Takes over what the exchange brought.
void call_answer_fill(struct ts_call *call);

// An exchange of the call has ended: ends the call with its answer, or has the request sent again.
void call_on_exchange_done(void *owner, struct ts_xfer *xfer);

// Lets go of the place and the permission that the call holds while it is in flight.
void call_leave_flight(struct ts_call *call, bool is_sent);

// Holds a call for the queue's gate, and takes it out of those that are held.
void call_hold(struct ts_call *call);
void call_release(struct ts_call *call);

// Begins the exchange of a call that has its place in flight. May end the call.
void call_send(struct ts_call *call);

// Takes the call out of those that rest.
void call_wake(struct ts_call *call);

// Ends the call with the answer that it has. The owner may release it in there.
void call_end(struct ts_call *call);

// The run's state that the call depends on.
struct ts_outage *call_outage(const struct ts_call *call);

#endif
