// SPDX-License-Identifier: MIT
// Where pages of a list ended, so that the next page goes on from there and does not walk over
// everything before it. Valid until something is written; a list that is lost here only costs time.
#ifndef TS_SANDBOX_BOOKMARK_H
#define TS_SANDBOX_BOOKMARK_H

#include <stdint.h>

#include "host/sandbox/store.h"

// Several clients, each with the pages of a list side by side.
#define TS_SANDBOX_BOOKMARKS_MAX 64
#define TS_SANDBOX_BOOKMARK_ACCOUNT_MAX 33

struct ts_sandbox_bookmark {
    char account[TS_SANDBOX_BOOKMARK_ACCOUNT_MAX]; // "": free
    int list;                                      // which order and direction
    int64_t offset;                                // rows up to and with the one below
    int64_t rowid;
};

struct ts_sandbox_bookmarks {
    struct ts_sandbox_bookmark bookmarks[TS_SANDBOX_BOOKMARKS_MAX];
    uint64_t added;  // ever; the oldest is replaced
    int64_t changes; // of the database when they were made: by this connection,
    int64_t version; // and by others
};

// The bookmark of the list that is nearest before or at the offset; NULL when there is none.
// Forgets all when anything was written since they were added.
const struct ts_sandbox_bookmark *ts_sandbox_bookmarks_find(struct ts_sandbox_bookmarks *bookmarks,
    struct ts_sandbox_store *store, const char *account, int list, int64_t offset);

// Notes that the row is the list's offset-th, counted from 1. Call it after find, in the same
// exchange.
void ts_sandbox_bookmarks_add(struct ts_sandbox_bookmarks *bookmarks, const char *account, int list,
    int64_t offset, int64_t rowid);

#endif
