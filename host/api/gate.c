// SPDX-License-Identifier: MIT
// Writes that have their place in flight and the budget's permission, and wait for the commit. They
// are seen through like those in flight, but when they are cancelled nothing has happened.
#include "host/api/gate.h"

#include "host/api/call_private.h"

void ts_queue_set_gate(struct ts_queue *queue, const struct ts_gate *gate)
{
    queue->gate = gate;
}

void call_hold(struct ts_call *call)
{
    struct ts_queue *queue = call->client->queue;
    call->state = CALL_DEPARTING;
    call->next = NULL;
    call->prev = queue->departing_last;
    *(call->prev ? &call->prev->next : &queue->departing) = call;
    queue->departing_last = call;
}

void call_release(struct ts_call *call)
{
    struct ts_queue *queue = call->client->queue;
    *(call->prev ? &call->prev->next : &queue->departing) = call->next;
    *(call->next ? &call->next->prev : &queue->departing_last) = call->prev;
    call->next = call->prev = NULL;
}

// Takes a held call that is not sent out of flight.
static void call_turn_back(struct ts_call *call)
{
    call_release(call);
    call_leave_flight(call, false);
}

// Ends a held call that may not be sent. The owner may release it in there.
static void call_refuse(struct ts_call *call, const struct ts_error *err)
{
    struct ts_queue *queue = call->client->queue;
    call_turn_back(call);
    call->answer.code = err->code;
    call->answer.error = *err;
    call->answer.is_sent = false;
    call_end(call);
    queue_advance(queue);
}

// Ends a held call that the script, which has the loop to itself, has kept here for too long.
static void call_miss(struct ts_call *call)
{
    struct ts_queue *queue = call->client->queue;
    call_turn_back(call);
    call_expire(call);
    queue_advance(queue);
}

// Notes all that are held, as many as there are now: those that are refused may make room for
// others, which go with the next commit. The last that was noted; NULL: none.
static struct ts_call *calls_add(struct ts_queue *queue)
{
    struct ts_call *last = queue->departing_last, *noted = NULL;
    for (struct ts_call *call = queue->departing, *next; call; call = next) {
        struct ts_error err;
        bool is_last = call == last;
        next = is_last ? NULL : call->next;
        if (call_is_late(call)) {
            call_miss(call);
        } else if (queue->gate->add(queue->gate->self, call->owner, &err)) {
            call_refuse(call, &err);
        } else {
            noted = call;
        }
    }
    return noted;
}

void ts_queue_depart(struct ts_queue *queue)
{
    if (!queue->gate) {
        return;
    }
    struct ts_error err;
    struct ts_call *last = calls_add(queue);
    enum ts_err code = queue->gate->commit(queue->gate->self, &err);
    for (bool is_last = !last; !is_last;) {
        struct ts_call *call = queue->departing;
        is_last = call == last;
        if (code) {
            call_refuse(call, &err);
        } else {
            call_release(call);
            call_send(call);
        }
    }
}
