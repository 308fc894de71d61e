// SPDX-License-Identifier: MIT
// What queue.c, call.c and budget.c share: a call as the queue sees it.
// Not for other rooms.
#ifndef TS_API_QUEUE_PRIVATE_H
#define TS_API_QUEUE_PRIVATE_H

#include "host/api/call.h"
#include "host/api/queue.h"

// Appends the call to those that wait in its lane.
void queue_add(struct ts_queue *queue, struct ts_call *call);

// Puts the call before those that wait in its lane, but behind others that came this way: what is
// to begin in time goes first.
void queue_add_urgent(struct ts_queue *queue, struct ts_call *call);

// Puts the call before those that wait in its lane: it had its turn already.
void queue_add_front(struct ts_queue *queue, struct ts_call *call);

// Takes the call out of those that wait.
void queue_remove(struct ts_queue *queue, struct ts_call *call);

// Starts waiting calls while there is room and their budgets allow it. For each call launched, one
// permission of its budget (call_budget) has been taken: whoever ends it, gives it back.
void queue_advance(struct ts_queue *queue);

// How many calls of a lane could start at once, were there permission for them.
size_t queue_startable(const struct ts_queue *queue, const struct ts_lane *lane);

// Implemented by call*.c: the links, the budget that has to permit the start (NULL: none), and what
// the queue does to calls. Picked is the first of a lane, or in an outage the one that may leave;
// NULL: none of them may now. Those that rest are in no lane and end with the queue. A lane is
// hopeless, and ended, when its budget is paused for longer than --max-wait.
struct ts_call **call_next(struct ts_call *call);
struct ts_call **call_prev(struct ts_call *call);
struct ts_budget *call_budget(const struct ts_call *call);
struct ts_call *call_pick(struct ts_call *head);
void call_launch(struct ts_call *call);
void call_abandon(struct ts_call *call);

// Whether it is too late to start the call, which then is to end by call_expire.
bool call_is_late(const struct ts_call *call);
void call_expire(struct ts_call *call);
void call_abandon_resting(struct ts_queue *queue);
bool call_end_if_hopeless(struct ts_queue *queue, struct ts_lane *lane);

// Implemented by budget.c: the lane of a budget.
struct ts_lane *budget_lane(struct ts_budget *budget);

#endif
