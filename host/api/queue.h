// SPDX-License-Identifier: MIT
// The line in which calls wait for a place among the requests in flight. One per run, shared by all
// clients, so that the limit holds whatever scripts open. The rate budget will live here.
#ifndef TS_API_QUEUE_H
#define TS_API_QUEUE_H

#include <stdbool.h>
#include <stddef.h>

struct ts_call;

struct ts_queue {
    size_t limit; // requests in flight at most
    size_t in_flight;
    size_t requests; // started so far, for the summary
    bool is_closed;  // stopping: nothing that waits is started any more
    struct ts_call *head;
    struct ts_call *tail;
};

// Makes an empty queue; limit is at least 1. Needs no fini: it owns nothing.
void ts_queue_init(struct ts_queue *queue, size_t limit);

// Stops starting calls: those that wait end as CANCELLED at once, those in flight go on.
void ts_queue_close(struct ts_queue *queue);

#endif
