// SPDX-License-Identifier: MIT
// What a write passes right before it is sent, for whoever has to note it first. All that are ready
// in one turn of the loop share one commit. The API knows nothing of what is noted, or where.
#ifndef TS_API_GATE_H
#define TS_API_GATE_H

#include "host/base/error.h"

struct ts_queue;

struct ts_gate {
    // The write of that owner, as handed to ts_call_write, is about to be sent, for the first time
    // or again. When it fails, that write ends unsent with *err.
    enum ts_err (*add)(void *self, void *owner, struct ts_error *err);
    // Makes durable what was noted since the last time. When it fails, all that were added since
    // then end unsent with *err. Also called when nothing was added.
    enum ts_err (*commit)(void *self, struct ts_error *err);
    void *self;
};

// From now on writes of the queue pass the gate, which must outlive it, and are held until
// ts_queue_depart. NULL: there is none any more, and what it held stays unsent until it is
// cancelled.
void ts_queue_set_gate(struct ts_queue *queue, const struct ts_gate *gate);

// Commits, and sends the writes that are held: to be called before each wait for the loop. Calls
// may end in there. Nothing is to be done without a gate.
void ts_queue_depart(struct ts_queue *queue);

#endif
