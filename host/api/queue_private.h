// SPDX-License-Identifier: MIT
// What queue.c and call.c share: a call as the queue sees it.
// Not for other rooms.
#ifndef TS_API_QUEUE_PRIVATE_H
#define TS_API_QUEUE_PRIVATE_H

#include "host/api/call.h"
#include "host/api/queue.h"

// Appends the call to those that wait.
void queue_add(struct ts_queue *queue, struct ts_call *call);

// Takes the call out of those that wait.
void queue_remove(struct ts_queue *queue, struct ts_call *call);

// Starts waiting calls while there is room.
void queue_advance(struct ts_queue *queue);

// Implemented by call.c: the links, and the two things the queue does to a call.
struct ts_call **call_next(struct ts_call *call);
struct ts_call **call_prev(struct ts_call *call);
void call_launch(struct ts_call *call);
void call_abandon(struct ts_call *call);

#endif
