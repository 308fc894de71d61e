// SPDX-License-Identifier: MIT
// The lines in which calls wait for a place among the requests in flight. One queue per run, shared
// by all clients, so that the limit holds whatever scripts open; in it a lane for each rate budget
// and one for calls without, served in turn, so that a used-up budget holds up nobody else.
#ifndef TS_API_QUEUE_H
#define TS_API_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/api/outage.h"

struct ts_budget;
struct ts_call;
struct ts_gate;

// Calls that wait for the same permission, first come, first served. Lanes with calls form a ring.
struct ts_lane {
    struct ts_budget *budget; // asked before each start; NULL: nothing to ask
    struct ts_call *head;
    struct ts_call *tail;
    struct ts_call *urgent; // the last of those that went before the others; NULL: none
    size_t count;
    struct ts_lane *next; // in the ring; NULL while the lane is empty
    struct ts_lane *prev;
};

// Writes that wait for the gate, in the order in which they are sent: first those whose commit is
// under way, then those that are not noted yet.
struct ts_held {
    struct ts_call *first, *last;
    struct ts_call *noted; // the last one that is; NULL: none
    size_t count;
    size_t fresh;       // how many are not noted
    uint64_t ticket;    // of the commit that was begun last
    bool is_committing; // which is not over
};

struct ts_queue {
    size_t limit; // requests in flight at most
    size_t in_flight;
    size_t requests;            // started so far, for the summary
    size_t waiting;             // in all lanes
    bool is_closed;             // stopping: nothing that waits is started any more
    struct ts_lane free;        // for calls without a budget
    struct ts_lane *turn;       // whose turn it is; NULL while nothing waits
    struct ts_outage outage;    // set up after the init: how calls are sent again
    const struct ts_gate *gate; // what writes pass, see gate.h; NULL: none
    struct ts_held held;        // for it; they count as in flight
};

// Makes an empty queue; limit is at least 1. Needs no fini but for its outage, if that was set up.
void ts_queue_init(struct ts_queue *queue, size_t limit);

// Stops starting calls. Those that wait, but for writes that are held for the gate, end at once:
// with what they heard last, or as CANCELLED when they were never sent, or as TRANSPORT when the
// run has given up on the API. Those in flight go on.
void ts_queue_close(struct ts_queue *queue);

#endif
