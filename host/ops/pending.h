// SPDX-License-Identifier: MIT
// What is to be noted in the journal with the next commit, copied: while a script runs no
// transaction is open, for which other runs would have to wait as long as the script likes.
#ifndef TS_OPS_PENDING_H
#define TS_OPS_PENDING_H

#include <stddef.h>

#include "host/state/journal.h"

enum ts_pending_kind { TS_PENDING_ADD, TS_PENDING_SETTLE, TS_PENDING_FORGIVE };

struct ts_pending {
    struct ts_pending *next;
    enum ts_pending_kind kind;
    size_t handle; // of the operation, see recorder.h
    struct ts_journal_intent intent;
    struct ts_journal_outcome outcome;
    const char *why; // it was forgiven
};

// Copies with all texts; to be freed. NULL when memory ends.
struct ts_pending *ts_pending_add(size_t handle, const struct ts_journal_intent *intent);
struct ts_pending *ts_pending_settle(size_t handle, const struct ts_journal_outcome *outcome);
struct ts_pending *ts_pending_forgive(size_t handle, const char *why);

// Frees it and those behind it. NULL is fine.
void ts_pending_free(struct ts_pending *first);

#endif
