// SPDX-License-Identifier: MIT
// Named records that processes share: each update sees the record as the last one left it, and none
// other comes between. Says nothing about files or machines, so that another store can take its
// place.
#ifndef TS_STATE_STORE_H
#define TS_STATE_STORE_H

#include <stdbool.h>
#include <stddef.h>

#include "host/base/error.h"

struct ts_store;

// Changes a record of `size` bytes; is_found tells whether it holds what an update left (else it is
// zeroed). Returns whether the record is to be written.
typedef bool (*ts_store_fn)(void *owner, void *record, size_t size, bool is_found);

// Opens the store `name` (a file in the directory, see directory.h), and makes it when it is new.
// Any number of processes may do so at once. SYSTEM, NOMEM; USAGE when it is of another version or
// no store at all.
enum ts_err ts_store_open(
    const char *directory, const char *name, struct ts_store **out, struct ts_error *err);

// NULL is fine.
void ts_store_close(struct ts_store *store);

// Calls fn once with the record `key`, exclusively, in a buffer of the caller's that holds size
// bytes. A record of another size counts as found and is handed over cut or padded with zeros.
// TIMEOUT when others kept it busy for half a second: fn was not called; SYSTEM when it could not
// be written: it is as it was before, whatever fn did.
enum ts_err ts_store_update(struct ts_store *store, const char *key, void *record, size_t size,
    ts_store_fn fn, void *owner, struct ts_error *err);

#endif
