// SPDX-License-Identifier: MIT
// What a write passes right before it is sent, for whoever has to note it first. Commits take their
// time: meanwhile the loop turns, and writes that become ready share the next. The API knows
// nothing of what is noted, or where.
#ifndef TS_API_GATE_H
#define TS_API_GATE_H

#include <stdbool.h>
#include <stdint.h>

#include "host/base/error.h"

struct ts_queue;

struct ts_gate {
    // The write of that owner, as handed to ts_call_write, is about to be sent, for the first time
    // or again. When it fails, that write ends unsent with *err.
    enum ts_err (*add)(void *self, void *owner, struct ts_error *err);
    // Begins to make durable what was noted since the last time, also when that is nothing.
    // may_wait: nothing else could go on meanwhile. Returns a ticket, not less than those before.
    uint64_t (*commit)(void *self, bool may_wait);
    // The last ticket that is seen to; as one is, the loop turns. When err->code is not TS_OK, it
    // failed, and all writes that wait for it or for a later one end unsent with *err.
    uint64_t (*committed)(void *self, struct ts_error *err);
    void *self;
};

// From now on writes of the queue pass the gate, which must outlive it, and are held until
// ts_queue_depart. NULL: there is none any more, and what it held stays unsent until it is
// cancelled.
void ts_queue_set_gate(struct ts_queue *queue, const struct ts_gate *gate);

// Notes the writes that are held, and sends those whose commit is over: to be called before each
// wait for the loop. Calls may end in there. may_gather: the turn before brought something, so more
// may come at once; few writes are not noted yet then, and true is returned: the next turn is not
// to wait. may_wait: the caller has nothing to do but to turn the loop. Nothing is to be done
// without a gate.
bool ts_queue_depart(struct ts_queue *queue, bool may_gather, bool may_wait);

// Whether a commit is under way, at whose end the loop turns.
bool ts_queue_is_committing(const struct ts_queue *queue);

#endif
