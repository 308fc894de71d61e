// SPDX-License-Identifier: MIT
// Lanes take turns; in a lane it is first come, first served; at most `limit` in flight over all.
// The lists run through the calls themselves, so that waiting costs no memory.
#include "host/api/queue.h"

#include "host/api/budget.h"
#include "host/api/gate.h"
#include "host/api/queue_private.h"

void ts_queue_init(struct ts_queue *queue, size_t limit)
{
    *queue = (struct ts_queue){.limit = limit > 0 ? limit : 1};
}

static struct ts_lane *lane_of(struct ts_queue *queue, const struct ts_call *call)
{
    struct ts_budget *budget = call_budget(call);
    return budget ? budget_lane(budget) : &queue->free;
}

// Puts a lane at the end of the ring: just before the one whose turn it is.
static void ring_add(struct ts_queue *queue, struct ts_lane *lane)
{
    if (!queue->turn) {
        queue->turn = lane->next = lane->prev = lane;
        return;
    }
    lane->next = queue->turn;
    lane->prev = queue->turn->prev;
    lane->prev->next = lane;
    lane->next->prev = lane;
}

static void ring_remove(struct ts_queue *queue, struct ts_lane *lane)
{
    if (queue->turn == lane) {
        queue->turn = lane->next == lane ? NULL : lane->next;
    }
    lane->prev->next = lane->next;
    lane->next->prev = lane->prev;
    lane->next = lane->prev = NULL;
}

static void lane_count_up(struct ts_queue *queue, struct ts_lane *lane)
{
    queue->waiting++;
    if (lane->count++ == 0) {
        ring_add(queue, lane);
    }
}

// Puts the call behind prev, NULL for the front.
static void lane_insert(
    struct ts_queue *queue, struct ts_lane *lane, struct ts_call *call, struct ts_call *prev)
{
    struct ts_call *next = prev ? *call_next(prev) : lane->head;
    *call_prev(call) = prev;
    *call_next(call) = next;
    *(prev ? call_next(prev) : &lane->head) = call;
    *(next ? call_prev(next) : &lane->tail) = call;
    lane_count_up(queue, lane);
}

void queue_add(struct ts_queue *queue, struct ts_call *call)
{
    struct ts_lane *lane = lane_of(queue, call);
    lane_insert(queue, lane, call, lane->tail);
}

void queue_add_urgent(struct ts_queue *queue, struct ts_call *call)
{
    struct ts_lane *lane = lane_of(queue, call);
    lane_insert(queue, lane, call, lane->urgent);
    lane->urgent = call;
}

void queue_add_front(struct ts_queue *queue, struct ts_call *call)
{
    lane_insert(queue, lane_of(queue, call), call, NULL);
}

void queue_remove(struct ts_queue *queue, struct ts_call *call)
{
    struct ts_lane *lane = lane_of(queue, call);
    struct ts_call *prev = *call_prev(call), *next = *call_next(call);
    if (prev) {
        *call_next(prev) = next;
    } else {
        lane->head = next;
    }
    if (next) {
        *call_prev(next) = prev;
    } else {
        lane->tail = prev;
    }
    if (lane->urgent == call) {
        lane->urgent = prev;
    }
    *call_next(call) = *call_prev(call) = NULL;
    queue->waiting--;
    if (--lane->count == 0) {
        ring_remove(queue, lane);
    }
}

size_t queue_startable(const struct ts_queue *queue, const struct ts_lane *lane)
{
    size_t places = queue->in_flight < queue->limit ? queue->limit - queue->in_flight : 0;
    return lane->count < places ? lane->count : places;
}

void queue_advance(struct ts_queue *queue)
{
    // The lane that was the first of those that may not start now: back at it, all were asked.
    const struct ts_lane *refused = NULL;
    while (queue->turn && queue->in_flight < queue->limit && !queue->is_closed) {
        struct ts_lane *lane = queue->turn;
        if (lane == refused) {
            break;
        }
        queue->turn = lane->next;
        struct ts_call *call = call_pick(lane->head);
        if (call && call_is_late(call)) {
            queue_remove(queue, call);
            call_expire(call);
            refused = NULL; // the ring has changed: once more around
            continue;
        }
        if (!call || (lane->budget && !ts_budget_take(lane->budget))) {
            if (call && call_end_if_hopeless(queue, lane)) {
                refused = NULL; // the ring has changed: once more around
            } else if (!refused) {
                refused = lane;
            }
            continue;
        }
        refused = NULL;
        queue_remove(queue, call);
        queue->in_flight++;
        queue->requests++;
        call_launch(call); // may end the call, and come back here
    }
}

void ts_queue_close(struct ts_queue *queue)
{
    queue->is_closed = true;
    ts_queue_depart(queue, false, false); // what has its place in flight is seen through
    while (queue->turn) {
        struct ts_call *call = queue->turn->head;
        queue_remove(queue, call);
        call_abandon(call);
    }
    call_abandon_resting(queue);
}
