// SPDX-License-Identifier: MIT
// One run at a time: the accounts that this run has to itself on this machine, and what it does
// when another run has one.
#ifndef TS_RUNTIME_LOCKS_H
#define TS_RUNTIME_LOCKS_H

#include "host/base/error.h"
#include "host/state/lock.h"

struct ts_parts;
struct ts_locks_item;

struct ts_locks {
    struct ts_parts *parts;    // borrowed
    char run[TS_LOCK_RUN_MAX]; // see ts_locks_name_run
    struct ts_locks_item *first;
};

// Takes no lock yet.
void ts_locks_init(struct ts_locks *locks, struct ts_parts *parts);

// Keeps other runs out of an account at a base URL (NULL: the public API) until fini. The same
// account again is fine. Does nothing where nothing can be written, or where nobody else can come:
// --read-only, and a sandbox without a file.
//
// While another run has the account this does what --if-locked says, which may take long: the loop
// turns meanwhile, tasks do not. What was refused once stays refused. LOCKED with who has it and
// what to do; CANCELLED when the run or the running task is to stop; JOURNAL when the lock cannot
// be kept; NOMEM.
enum ts_err ts_locks_take(
    struct ts_locks *locks, const char *account, const char *base_url, struct ts_error *err);

// Tells others under which id the journal has this run.
void ts_locks_name_run(struct ts_locks *locks, const char *run);

// Lets go of them all. Accepts a zeroed struct, may run twice.
void ts_locks_fini(struct ts_locks *locks);

#endif
