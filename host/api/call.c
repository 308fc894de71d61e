// SPDX-License-Identifier: MIT
// A call's life: copied and queued, launched as a transfer, ended with an answer, cancelled.
// What follows an exchange, the end or another one, is in call_retry.c.
#include "host/api/call.h"

#include <string.h>

#include "host/api/call_private.h"
#include "host/base/pool.h"

#define URL_MAX (8 * 1024)

struct ts_call **call_next(struct ts_call *call)
{
    return &call->next;
}

struct ts_call **call_prev(struct ts_call *call)
{
    return &call->prev;
}

struct ts_budget *call_budget(const struct ts_call *call)
{
    return call->endpoint->is_public ? NULL : call->client->budget;
}

// Gives the permission back that the queue took for this call.
static void budget_give(struct ts_call *call, bool is_sent)
{
    struct ts_budget *budget = call_budget(call);
    if (budget) {
        ts_budget_give(budget, is_sent, ts_call_header(call, "Ratelimit"),
            ts_call_header(call, "Ratelimit-Policy"));
    }
}

void call_end(struct ts_call *call)
{
    call->state = CALL_ENDED;
    call->on_done(call->owner, call);
}

// Forgets what the exchange before this one brought.
static void answer_reset(struct ts_call *call)
{
    int attempts = call->answer.attempts;
    ts_xfer_cancel(call->xfer);
    call->xfer = NULL;
    call->answer =
        (struct ts_answer){.body = &call->nothing, .retry_after_s = -1, .attempts = attempts};
}

void call_launch(struct ts_call *call)
{
    struct ts_outage *outage = call_outage(call);
    if (call->xfer) {
        answer_reset(call);
    }
    call->is_probe = outage->is_on && !call->endpoint->is_public;
    if (call->is_probe) {
        outage->is_probing = true;
    }
    if (call->endpoint->is_write && call->client->queue->gate) {
        call_hold(call);
    } else {
        call_send(call);
    }
}

void call_send(struct ts_call *call)
{
    call->state = CALL_IN_FLIGHT;
    call->started_us = ts_loop_now(call->client->loop);
    struct ts_answer *answer = &call->answer;
    enum ts_err code = call_request_start(call, &answer->error);
    answer->attempts += !code;
    if (code) {
        // Too late to fail the function that started the call: it ends like a transfer.
        answer->code = code;
        call_leave_flight(call, false);
        call_end(call);
    }
}

void call_leave_flight(struct ts_call *call, bool is_sent)
{
    struct ts_queue *queue = call->client->queue;
    queue->in_flight--;
    queue->requests -= !is_sent; // only what may have arrived is one
    budget_give(call, is_sent);
    if (call->is_probe) {
        call->is_probe = false;
        call_outage(call)->is_probing = false;
    }
}

static void call_destroy(struct ts_call *call)
{
    ts_xfer_cancel(call->xfer);
    ts_buf_fini(&call->url);
    ts_buf_fini(&call->body);
    ts_pool_release(ts_loop_pool(call->client->loop), call, sizeof *call);
}

static enum ts_err call_start(struct ts_client *client, const struct ts_call_spec *spec,
    ts_call_fn on_done, void *owner, struct ts_call **out, struct ts_error *err)
{
    *out = NULL;
    const struct ts_endpoint *endpoint = ts_endpoint_of(spec->op);
    if (client->queue->is_closed) {
        return ts_error_set(err, TS_ERR_CANCELLED, "stopping: nothing new is sent");
    }
    if (!endpoint->is_public && !client->has_credentials) {
        return ts_error_set(err, TS_ERR_USAGE, "this client has no credentials");
    }
    struct ts_pool *pool = ts_loop_pool(client->loop);
    struct ts_call *call = ts_pool_take(pool, sizeof *call);
    if (!call) {
        return ts_error_set(err, TS_ERR_NOMEM, "out of memory");
    }
    *call = (struct ts_call){
        .client = client,
        .endpoint = endpoint,
        .on_done = on_done,
        .owner = owner,
        .answer = {.body = &call->nothing, .retry_after_s = -1},
    };
    ts_buf_init_pooled(&call->url, URL_MAX, pool);
    ts_buf_init_pooled(&call->body, SIZE_MAX / 2, pool);
    enum ts_err code = call_request_build(call, spec, err);
    if (code) {
        call_destroy(call);
        return code;
    }
    *out = call;
    call->number = ++client->queue->outage.calls;
    if (call->start_before_us) {
        queue_add_urgent(client->queue, call);
    } else {
        queue_add(client->queue, call);
    }
    queue_advance(client->queue);
    return TS_OK;
}

enum ts_err ts_call_read(struct ts_client *client, const struct ts_call_spec *spec,
    ts_call_fn on_done, void *owner, struct ts_call **out, struct ts_error *err)
{
    if (ts_endpoint_of(spec->op)->is_write) {
        *out = NULL;
        return ts_error_set(err, TS_ERR_INTERNAL, "a write tried to pass as a read");
    }
    return call_start(client, spec, on_done, owner, out, err);
}

enum ts_err ts_call_write(struct ts_client *client, const struct ts_call_spec *spec,
    ts_call_fn on_done, void *owner, struct ts_call **out, struct ts_error *err)
{
    return call_start(client, spec, on_done, owner, out, err);
}

void ts_call_cancel(struct ts_call *call)
{
    if (!call) {
        return;
    }
    struct ts_queue *queue = call->client->queue;
    if (call->state == CALL_WAITING) {
        queue_remove(queue, call);
    } else if (call->state == CALL_DEPARTING) {
        call_release(call);
        call_leave_flight(call, false);
    } else if (call->state == CALL_IN_FLIGHT) {
        call_leave_flight(call, true); // it may have arrived
    } else if (call->state == CALL_RESTING) {
        call_wake(call);
    }
    call_destroy(call);
    queue_advance(queue);
}

bool ts_call_is_started(const struct ts_call *call)
{
    return call->state == CALL_DEPARTING || ts_call_has_left(call);
}

bool ts_call_has_left(const struct ts_call *call)
{
    return call->state == CALL_IN_FLIGHT || call->state == CALL_ENDED;
}

struct ts_answer *ts_call_answer(struct ts_call *call)
{
    return &call->answer;
}

const char *ts_call_header(struct ts_call *call, const char *name)
{
    return call->xfer ? ts_xfer_header(call->xfer, name) : NULL;
}
