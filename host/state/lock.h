// SPDX-License-Identifier: MIT
// A lock that one process at a time holds, by name, and that says who holds it. It ends with the
// process, however that ends.
#ifndef TS_STATE_LOCK_H
#define TS_STATE_LOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "host/base/error.h"
#include "host/base/process.h"

struct ts_lock;

#define TS_LOCK_WHAT_MAX 128
#define TS_LOCK_RUN_MAX 40
#define TS_LOCK_HOST_MAX 65

// Who holds a lock, for people. Texts are one line, and cut where they are too long.
struct ts_lock_holder {
    char what[TS_LOCK_WHAT_MAX]; // what it runs: a script's path, "-e"
    char run[TS_LOCK_RUN_MAX];   // the id of the run in the journal; "": none yet
    char host[TS_LOCK_HOST_MAX];
    struct ts_process_id process;
    int64_t since_us; // wall clock
    bool is_known;    // false: it could not be read, and nothing else is set
    bool is_far;      // on another host than this
    bool is_gone;     // it has ended; a process that it left behind has the lock
};

// Fills in this process and this moment; what and run are copied.
void ts_lock_holder_self(struct ts_lock_holder *holder, const char *what, const char *run);

// Opens the lock `name`, a file in the directory (see directory.h), and makes it when it is new.
// Takes nothing yet. SYSTEM, NOMEM.
enum ts_err ts_lock_open(
    const char *directory, const char *name, struct ts_lock **out, struct ts_error *err);

// Lets go of it. NULL is fine.
void ts_lock_close(struct ts_lock *lock);

// Takes it for as long as it is open, without waiting, and says so in it. LOCKED when another
// process, or another struct ts_lock, has it; SYSTEM when the file system has no locks.
enum ts_err ts_lock_take(
    struct ts_lock *lock, const struct ts_lock_holder *self, struct ts_error *err);

// Replaces what a lock that is held says about its holder.
void ts_lock_tell(struct ts_lock *lock, const struct ts_lock_holder *self);

// Reads who has it. One that has just taken it may not have said so yet: then this waits for some
// milliseconds, at most 20.
void ts_lock_look(struct ts_lock *lock, struct ts_lock_holder *out);

#endif
