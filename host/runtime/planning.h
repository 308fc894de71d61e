// SPDX-License-Identifier: MIT
// What a plan has that a run has not: the copy of the account that its script changes, and a way of
// its own to the account itself, which only reads.
#ifndef TS_RUNTIME_PLANNING_H
#define TS_RUNTIME_PLANNING_H

#include "bindings/rehearsal.h"
#include "host/api/queue.h"
#include "host/runtime/budgets.h"

struct ts_sandbox;

struct ts_planning {
    struct ts_rehearsal face;             // what bindings see of it
    struct ts_sandbox *copy;              // NULL in a run
    struct ts_queue live;                 // for requests to the account itself
    struct ts_budgets budgets;            // of the copy, which limits nothing
    struct ts_planning_account *accounts; // that were copied
};

// Starts an empty copy; limit: how many requests may be in flight to the account itself. The caller
// sets up the outage of the queue, the budgets and open_live. On failure nothing is left over.
enum ts_err ts_planning_init(struct ts_planning *planning, size_t limit, struct ts_error *err);

// Stops the copy and releases, before the loop goes. Accepts a zeroed struct, may run twice.
void ts_planning_fini(struct ts_planning *planning);

#endif
