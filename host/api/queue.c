// SPDX-License-Identifier: MIT
// First come, first served, at most `limit` in flight.
// The list runs through the calls themselves, so that waiting costs no memory.
#include "host/api/queue.h"

#include "host/api/queue_private.h"

void ts_queue_init(struct ts_queue *queue, size_t limit)
{
    *queue = (struct ts_queue){.limit = limit > 0 ? limit : 1};
}

void queue_add(struct ts_queue *queue, struct ts_call *call)
{
    *call_prev(call) = queue->tail;
    *call_next(call) = NULL;
    if (queue->tail) {
        *call_next(queue->tail) = call;
    } else {
        queue->head = call;
    }
    queue->tail = call;
}

void queue_remove(struct ts_queue *queue, struct ts_call *call)
{
    struct ts_call *prev = *call_prev(call), *next = *call_next(call);
    if (prev) {
        *call_next(prev) = next;
    } else {
        queue->head = next;
    }
    if (next) {
        *call_prev(next) = prev;
    } else {
        queue->tail = prev;
    }
    *call_next(call) = *call_prev(call) = NULL;
}

void queue_advance(struct ts_queue *queue)
{
    while (queue->head && queue->in_flight < queue->limit && !queue->is_closed) {
        struct ts_call *call = queue->head;
        queue_remove(queue, call);
        queue->in_flight++;
        queue->requests++;
        call_launch(call);
    }
}

void ts_queue_close(struct ts_queue *queue)
{
    queue->is_closed = true;
    while (queue->head) {
        struct ts_call *call = queue->head;
        queue_remove(queue, call);
        call_abandon(call);
    }
}
