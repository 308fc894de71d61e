// SPDX-License-Identifier: MIT
// How every SQLite file here is opened and what is said when it fails: in WAL mode, so that a
// killed process loses nothing that it committed and leaves no lock behind; others are waited for;
// a file of another kind or of a newer tshost is refused, an older one brought up to date.
#ifndef TS_STATE_DATABASE_H
#define TS_STATE_DATABASE_H

#include <stdbool.h>
#include <stdint.h>

#include <sqlite3.h>

#include "host/base/error.h"
#include "host/state/directory.h"

// What a kind of file is. Texts end messages: what to do with such a file.
struct ts_database_kind {
    int id;                   // its PRAGMA application_id
    int version;              // of the schema, counted from 1
    const char *const *steps; // SQL; steps[v] makes version v + 1 of version v, 0 is an empty file
    const char *layout;       // pragmas for an empty file
    int log_pages;            // how many in the log make a commit write them back
    int log_pages_left;       // how many may be left at the end of a run: who opens it reads them
    const char *pragmas;      // run whenever it is opened
    int64_t busy_us;          // how long to wait for other processes
    const char *if_damaged;
    const char *if_foreign;
    const char *if_newer;
    const char *made_by; // SQL that tells who made a newer one ("tshost 2.0"); NULL: cannot be told
};

struct ts_database {
    sqlite3 *db;
    const struct ts_database_kind *kind;
    int64_t busy_us;                   // how long to wait now
    bool is_made;                      // by this opening: the file was empty
    int logged;                        // pages in the log after the last commit
    char path[TS_STATE_PATH_MAX + 64]; // "" in memory
};

// Opens the file `name` in the directory, and makes it when it is new; directory NULL: one in
// memory. Any number of processes may do so at once. SYSTEM, NOMEM, TIMEOUT; USAGE when it is of
// another kind or of a newer version. Whatever comes of it, it is to be closed.
enum ts_err ts_database_open(struct ts_database *database, const struct ts_database_kind *kind,
    const char *directory, const char *name, struct ts_error *err);

// If the log is long, writes it back, so that the next commit begins it anew in the room that it
// has; not while others use it. No transaction is open.
void ts_database_tidy(struct ts_database *database);

// The statements have been finalized. Accepts a zeroed struct, may run twice.
void ts_database_close(struct ts_database *database);

// Runs a statement that answers nothing and resets it; NULL fails.
bool ts_database_step(sqlite3_stmt *stmt);

// Says why the last of these calls, or one of SQLite's, failed: SYSTEM, NOMEM or, when others kept
// it busy, TIMEOUT.
enum ts_err ts_database_fail(const struct ts_database *database, struct ts_error *err);

// Runs statements that answer nothing.
bool ts_database_exec(struct ts_database *database, const char *text);

// Gives the number that a statement answers.
bool ts_database_number(struct ts_database *database, const char *text, int64_t *number);

// Prepares the statement on its first use and keeps it in *slot, whose owner finalizes it. NULL
// when that fails.
sqlite3_stmt *ts_database_statement(
    struct ts_database *database, sqlite3_stmt **slot, const char *text);

#endif
