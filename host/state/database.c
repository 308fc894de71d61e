// SPDX-License-Identifier: MIT
// Every run waits for an opening, so there are no more statements in it than it takes.
#include "host/state/database.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>

#define BUSY_STEP_US 250
#define OPEN_US 5000000

static void pause_us(int64_t us)
{
    struct timespec span = {.tv_nsec = us * 1000};
    nanosleep(&span, NULL);
}

// Others let go for a moment only while they are at work, so the steps are short.
static int on_busy(void *self, int count)
{
    const struct ts_database *database = self;
    if ((int64_t)count * BUSY_STEP_US >= database->busy_us) {
        return 0;
    }
    pause_us(BUSY_STEP_US);
    return 1;
}

enum ts_err ts_database_fail(const struct ts_database *database, struct ts_error *err)
{
    const char *path = *database->path ? database->path : "the database in memory";
    // SQLite does not note the cause when it is a commit that fails.
    int noted = sqlite3_system_errno(database->db), cause = noted ? noted : errno;
    switch (sqlite3_errcode(database->db) & 0xff) {
    case SQLITE_NOMEM:
        return ts_error_set(err, TS_ERR_NOMEM, "out of memory");
    case SQLITE_BUSY:
        return ts_error_set(
            err, TS_ERR_TIMEOUT, "%s is busy: another process does not let go of it", path);
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
        return ts_error_set(
            err, TS_ERR_SYSTEM, "%s is damaged; %s", path, database->kind->if_damaged);
    case SQLITE_FULL:
        return ts_error_set(err, TS_ERR_SYSTEM, "%s cannot grow: the disk is full", path);
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
        if (cause) {
            return ts_error_set_errno(err, cause, "%s: %s", path, sqlite3_errmsg(database->db));
        }
        break;
    default:
        break;
    }
    return ts_error_set(err, TS_ERR_SYSTEM, "%s: %s", path, sqlite3_errmsg(database->db));
}

bool ts_database_step(sqlite3_stmt *stmt)
{
    errno = 0;
    bool is_done = stmt && sqlite3_step(stmt) == SQLITE_DONE;
    int cause = errno;
    sqlite3_reset(stmt);
    errno = cause;
    return is_done;
}

bool ts_database_exec(struct ts_database *database, const char *text)
{
    errno = 0;
    return sqlite3_exec(database->db, text, NULL, NULL, NULL) == SQLITE_OK;
}

bool ts_database_number(struct ts_database *database, const char *text, int64_t *number)
{
    sqlite3_stmt *stmt = NULL;
    bool is_answered = sqlite3_prepare_v2(database->db, text, -1, &stmt, NULL) == SQLITE_OK &&
                       sqlite3_step(stmt) == SQLITE_ROW;
    if (is_answered) {
        *number = sqlite3_column_int64(stmt, 0);
    }
    sqlite3_finalize(stmt);
    return is_answered;
}

sqlite3_stmt *ts_database_statement(
    struct ts_database *database, sqlite3_stmt **slot, const char *text)
{
    if (!*slot) {
        sqlite3_prepare_v3(database->db, text, -1, SQLITE_PREPARE_PERSISTENT, slot, NULL);
    }
    return *slot;
}

// Switching a new file to WAL needs it for a moment alone, and SQLite asks no busy handler then;
// for what comes before it would, and wait as long again in each round.
static bool database_set_wal(struct ts_database *database)
{
    bool is_set = false, is_busy = true;
    database->busy_us = 0;
    for (int64_t waited_us = 0; !is_set && is_busy && waited_us < OPEN_US;
         waited_us += BUSY_STEP_US) {
        is_set = ts_database_exec(database, "PRAGMA journal_mode = WAL");
        is_busy = (sqlite3_errcode(database->db) & 0xff) == SQLITE_BUSY;
        if (!is_set && is_busy) {
            pause_us(BUSY_STEP_US);
        }
    }
    database->busy_us = OPEN_US;
    return is_set;
}

// Of processes that open a new or an older file at once, the first brings it up to date and the
// others find it so. *found is the version that it had.
static bool database_migrate(struct ts_database *database, int64_t *found)
{
    const struct ts_database_kind *kind = database->kind;
    if (!ts_database_exec(database, "BEGIN IMMEDIATE") ||
        !ts_database_number(database, "PRAGMA user_version", found)) {
        return false;
    }
    database->is_made = *found == 0;
    for (int64_t version = *found; version < kind->version; version++) {
        if (!ts_database_exec(database, kind->steps[version])) {
            return false;
        }
    }
    char mark[96];
    snprintf(mark, sizeof mark, "PRAGMA application_id = %d; PRAGMA user_version = %d; COMMIT",
        kind->id, kind->version);
    return ts_database_exec(database, *found < kind->version ? mark : "COMMIT");
}

static enum ts_err database_fail_newer(struct ts_database *database, struct ts_error *err)
{
    const struct ts_database_kind *kind = database->kind;
    sqlite3_stmt *stmt = NULL;
    const char *maker = NULL;
    if (kind->made_by &&
        sqlite3_prepare_v2(database->db, kind->made_by, -1, &stmt, NULL) == SQLITE_OK &&
        sqlite3_step(stmt) == SQLITE_ROW) {
        maker = (const char *)sqlite3_column_text(stmt, 0);
    }
    ts_error_set(err, TS_ERR_USAGE, "%s was made by %s; %s", database->path,
        maker ? maker : "another version of tshost", kind->if_newer);
    sqlite3_finalize(stmt);
    return TS_ERR_USAGE;
}

static enum ts_err database_prepare(struct ts_database *database, struct ts_error *err)
{
    const struct ts_database_kind *kind = database->kind;
    int64_t version, id, objects = 1;
    // The id comes last: another process may be making the file, and marks it with the rest.
    bool is_told = ts_database_number(database, "PRAGMA user_version", &version) &&
                   (version != 0 || ts_database_number(database,
                                        "SELECT count(*) FROM sqlite_schema", &objects)) &&
                   ts_database_number(database, "PRAGMA application_id", &id);
    if (!is_told) {
        return ts_database_fail(database, err);
    }
    if (id != kind->id && objects > 0) {
        return ts_error_set(err, TS_ERR_USAGE, "%s is no state file of tshost; %s", database->path,
            kind->if_foreign);
    }
    if (version > kind->version || version < 0) {
        return database_fail_newer(database, err);
    }
    bool is_ready = (version > 0 || ts_database_exec(database, kind->layout)) &&
                    database_set_wal(database) && ts_database_exec(database, kind->pragmas) &&
                    (version == kind->version || database_migrate(database, &version));
    if (!is_ready) {
        return ts_database_fail(database, err);
    }
    return version > kind->version ? database_fail_newer(database, err) : TS_OK;
}

// That this fails harms nothing: what was committed stays in the log, and it is tried again.
static int on_commit(void *self, sqlite3 *db, const char *name, int pages)
{
    struct ts_database *database = self;
    database->logged = pages;
    if (pages >= database->kind->log_pages) {
        sqlite3_wal_checkpoint_v2(db, name, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    }
    return SQLITE_OK;
}

static void database_configure(struct ts_database *database)
{
    // Else each run would write the log back at its end and wait for the disk twice.
    sqlite3_db_config(database->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    sqlite3_db_config(database->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_db_config(database->db, SQLITE_DBCONFIG_ENABLE_FKEY, 1, NULL);
    sqlite3_wal_hook(database->db, on_commit, database);
    sqlite3_busy_handler(database->db, on_busy, database);
}

enum ts_err ts_database_open(struct ts_database *database, const struct ts_database_kind *kind,
    const char *directory, const char *name, struct ts_error *err)
{
    *database = (struct ts_database){.kind = kind, .busy_us = OPEN_US};
    // Else SQLite takes memory for 20 pages at once and touches all of it, where three are in use.
    // Refused once SQLite is set up, which does no harm.
    sqlite3_config(SQLITE_CONFIG_PAGECACHE, NULL, 0, 0);
    enum ts_err code = directory ? ts_directory_file(directory, name, database->path, err) : TS_OK;
    if (code) {
        return code;
    }
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW;
    const char *path = directory ? database->path : ":memory:";
    if (sqlite3_open_v2(path, &database->db, flags, NULL) != SQLITE_OK) {
        return ts_database_fail(database, err);
    }
    database_configure(database);
    code = database_prepare(database, err);
    database->busy_us = kind->busy_us;
    return code;
}

void ts_database_tidy(struct ts_database *database)
{
    if (database->logged > database->kind->log_pages_left) {
        int64_t busy_us = database->busy_us;
        database->busy_us = 0;
        sqlite3_wal_checkpoint_v2(database->db, NULL, SQLITE_CHECKPOINT_RESTART, NULL, NULL);
        database->busy_us = busy_us;
    }
}

void ts_database_close(struct ts_database *database)
{
    sqlite3_close(database->db);
    database->db = NULL;
}
