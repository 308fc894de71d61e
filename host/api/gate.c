// SPDX-License-Identifier: MIT
// Writes that have their place in flight and the budget's permission, and wait for the commit. They
// are seen through like those in flight, but when they are cancelled nothing has happened.
#include "host/api/gate.h"

#include "host/api/call_private.h"

// The part of what is in flight that is worth a commit of its own: it takes as long for one as for
// many, but as long as they wait for it, they are not under way.
#define GATHER_PART 3

#define TICKET_NEXT UINT64_MAX // of a commit that is about to begin

void ts_queue_set_gate(struct ts_queue *queue, const struct ts_gate *gate)
{
    queue->gate = gate;
}

void call_hold(struct ts_call *call)
{
    struct ts_held *held = &call->client->queue->held;
    call->state = CALL_DEPARTING;
    call->is_noted = false;
    call->next = NULL;
    call->prev = held->last;
    *(call->prev ? &call->prev->next : &held->first) = call;
    held->last = call;
    held->count++;
    held->fresh++;
}

void call_release(struct ts_call *call)
{
    struct ts_held *held = &call->client->queue->held;
    held->noted = call == held->noted ? call->prev : held->noted;
    held->fresh -= !call->is_noted;
    held->count--;
    *(call->prev ? &call->prev->next : &held->first) = call->next;
    *(call->next ? &call->next->prev : &held->last) = call->prev;
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

// Notes those that are not noted yet, as many as there are now: those that are refused may make
// room for others, which go with the next commit.
static void held_add(struct ts_queue *queue)
{
    struct ts_held *held = &queue->held;
    struct ts_call *last = held->last, *call = held->noted ? held->noted->next : held->first;
    for (struct ts_call *next; call; call = next) {
        struct ts_error err;
        next = call == last ? NULL : call->next;
        if (call_is_late(call)) {
            call_miss(call);
        } else if (queue->gate->add(queue->gate->self, call->owner, &err)) {
            call_refuse(call, &err);
        } else {
            call->is_noted = true;
            call->ticket = TICKET_NEXT;
            held->noted = call;
            held->fresh--;
        }
    }
}

static void held_commit(struct ts_queue *queue, bool may_wait)
{
    struct ts_held *held = &queue->held;
    may_wait = may_wait && held->count == queue->in_flight;
    held->ticket = queue->gate->commit(queue->gate->self, may_wait);
    for (struct ts_call *call = held->noted; call && call->ticket == TICKET_NEXT;
         call = call->prev) {
        call->ticket = held->ticket;
    }
}

// Sends those whose commit is over, unless it has failed, or has taken too long.
static void held_send(struct ts_queue *queue)
{
    struct ts_error err;
    struct ts_held *held = &queue->held;
    uint64_t seen = queue->gate->committed(queue->gate->self, &err);
    held->is_committing = seen < held->ticket;
    while (held->noted && (err.code || held->first->ticket <= seen)) {
        struct ts_call *call = held->first;
        if (err.code) {
            call_refuse(call, &err);
        } else if (call_is_late(call)) {
            call_miss(call);
        } else {
            call_release(call);
            call_send(call);
        }
    }
}

bool ts_queue_depart(struct ts_queue *queue, bool may_gather, bool may_wait)
{
    struct ts_held *held = &queue->held;
    if (!queue->gate) {
        return false;
    }
    if (held->is_committing) {
        held_send(queue);
    }
    if (may_gather && held->fresh > 0 && held->fresh < queue->in_flight / GATHER_PART) {
        return true;
    }
    held_add(queue);
    held_commit(queue, may_wait);
    held_send(queue);
    return false;
}

bool ts_queue_is_committing(const struct ts_queue *queue)
{
    return queue->held.is_committing;
}
