// SPDX-License-Identifier: MIT
// Writes into the journal what the run hands it, on a thread of its own where that helps: the loop
// goes on while a commit waits for the disk, and what is handed meanwhile shares the next one.
#ifndef TS_OPS_SCRIBE_H
#define TS_OPS_SCRIBE_H

#include <stdbool.h>
#include <stdint.h>

#include "host/ops/pending.h"

struct ts_scribe;

// Makes one for that run of the journal, both borrowed. wake is called on the scribe's thread after
// each commit, with self; NULL: there is no thread, and whoever hands something waits for it. NULL
// when memory ends.
struct ts_scribe *ts_scribe_create(
    struct ts_journal *journal, const char *run, void (*wake)(void *self), void *self);

// Frees it when it has rested. NULL is fine.
void ts_scribe_destroy(struct ts_scribe *scribe);

// Waits until all tickets are seen to and ends the thread: what is handed from now on is waited
// for.
void ts_scribe_rest(struct ts_scribe *scribe);

// Hands it what is to be noted, with one commit, in the order of the list, which it owns from then
// on; NULL: only what is noted already is to be committed. may_wait: nothing else could go on
// meanwhile, so the way to the thread and back is saved. Returns a ticket, greater than all before.
// While tickets are outstanding, the journal is the scribe's.
uint64_t ts_scribe_hand(struct ts_scribe *scribe, struct ts_pending *first, bool may_wait);

// The last ticket that is seen to. err->code is TS_OK when all up to it is durable; else the commit
// failed with *err, as all later ones do, which are then seen to as well.
uint64_t ts_scribe_seen(struct ts_scribe *scribe, struct ts_error *err);

// Whether a commit has succeeded: others can see the run.
bool ts_scribe_has_committed(struct ts_scribe *scribe);

// Waits until all tickets are seen to.
void ts_scribe_wait(struct ts_scribe *scribe);

#endif
