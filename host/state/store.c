// SPDX-License-Identifier: MIT
// SQLite in WAL mode: a killed process loses nothing that it committed, and leaves no lock behind.
// A record fits into one page, so that an update writes little.
#include "host/state/store.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <sqlite3.h>

#include "host/state/directory.h"

#define APPLICATION_ID 0x74736874 // "tsht"
#define SCHEMA_VERSION 1
#define LOG_PAGES 128 // 1 MiB
#define BUSY_STEP_US 250
#define BUSY_US 500000
#define OPEN_US 5000000

static const char schema[] =
    "CREATE TABLE record (key TEXT PRIMARY KEY, value BLOB NOT NULL, used INTEGER NOT NULL);"
    "PRAGMA application_id = 1953720436; PRAGMA user_version = 1;";

enum statement { BEGIN, READ, WRITE, ADD, FORGET, COMMIT, ROLLBACK, STATEMENTS };

static const char *const statements[STATEMENTS] = {
    [BEGIN] = "BEGIN IMMEDIATE",
    [READ] = "SELECT value FROM record WHERE key = ?1",
    [WRITE] = "UPDATE record SET value = ?2, used = ?3 WHERE key = ?1",
    [ADD] = "INSERT INTO record VALUES (?1, ?2, ?3)",
    [FORGET] = "DELETE FROM record WHERE used < ?1 - 30 * 86400",
    [COMMIT] = "COMMIT",
    [ROLLBACK] = "ROLLBACK",
};

struct ts_store {
    sqlite3 *db;
    sqlite3_stmt *statements[STATEMENTS]; // each from its first use on
    int64_t busy_us;                      // how long to wait for others
    char path[TS_STATE_PATH_MAX + 64];
};

static void pause_us(int64_t us)
{
    struct timespec span = {.tv_nsec = us * 1000};
    nanosleep(&span, NULL);
}

// The thread that waits here is the one that turns the loop, so the steps are short.
static int on_busy(void *self, int count)
{
    const struct ts_store *store = self;
    if ((int64_t)count * BUSY_STEP_US >= store->busy_us) {
        return 0;
    }
    pause_us(BUSY_STEP_US);
    return 1;
}

static enum ts_err store_fail(const struct ts_store *store, struct ts_error *err)
{
    int code = sqlite3_errcode(store->db) & 0xff;
    switch (code) {
    case SQLITE_NOMEM:
        return ts_error_set(err, TS_ERR_NOMEM, "out of memory");
    case SQLITE_BUSY:
        return ts_error_set(err, TS_ERR_TIMEOUT, "%s is busy", store->path);
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
        return ts_error_set(err, TS_ERR_SYSTEM, "%s is damaged; remove it", store->path);
    default:
        return ts_error_set(err, TS_ERR_SYSTEM, "%s: %s", store->path, sqlite3_errmsg(store->db));
    }
}

static bool store_exec(struct ts_store *store, const char *text)
{
    return sqlite3_exec(store->db, text, NULL, NULL, NULL) == SQLITE_OK;
}

// Switching a new file to WAL needs it for a moment alone, and SQLite asks no busy handler then;
// for what comes before it would, and wait as long again in each round.
static bool store_set_wal(struct ts_store *store)
{
    bool is_set = false, is_busy = true;
    store->busy_us = 0;
    for (int64_t waited_us = 0; !is_set && is_busy && waited_us < OPEN_US;
         waited_us += BUSY_STEP_US) {
        is_set = store_exec(store, "PRAGMA journal_mode = WAL");
        is_busy = (sqlite3_errcode(store->db) & 0xff) == SQLITE_BUSY;
        if (!is_set && is_busy) {
            pause_us(BUSY_STEP_US);
        }
    }
    store->busy_us = OPEN_US;
    return is_set;
}

static int64_t store_pragma(struct ts_store *store, const char *text)
{
    sqlite3_stmt *stmt = NULL;
    int64_t value = -1;
    if (sqlite3_prepare_v2(store->db, text, -1, &stmt, NULL) == SQLITE_OK &&
        sqlite3_step(stmt) == SQLITE_ROW) {
        value = sqlite3_column_int64(stmt, 0);
    }
    sqlite3_finalize(stmt);
    return value;
}

static sqlite3_stmt *store_statement(struct ts_store *store, enum statement which)
{
    sqlite3_stmt **stmt = &store->statements[which];
    if (!*stmt) {
        sqlite3_prepare_v3(store->db, statements[which], -1, SQLITE_PREPARE_PERSISTENT, stmt, NULL);
    }
    return *stmt;
}

// Of processes that open a new file at once, the first makes the schema and the others find it.
static bool store_make(struct ts_store *store)
{
    if (!store_exec(store, "PRAGMA page_size = 8192") || !store_set_wal(store) ||
        !store_exec(store, "BEGIN IMMEDIATE")) {
        return false;
    }
    bool is_new = store_pragma(store, "SELECT count(*) FROM sqlite_schema") == 0;
    return (!is_new || store_exec(store, schema)) && store_exec(store, "COMMIT");
}

// Every run waits for this, so there are no more statements than it takes.
static enum ts_err store_prepare(struct ts_store *store, struct ts_error *err)
{
    int64_t version = store_pragma(store, "PRAGMA user_version");
    if (version == 0) {
        if (!store_make(store)) {
            return store_fail(store, err);
        }
        version = store_pragma(store, "PRAGMA user_version");
    }
    int64_t id = store_pragma(store, "PRAGMA application_id");
    if (id == -1 || version == -1) {
        return store_fail(store, err);
    }
    if (id != APPLICATION_ID) {
        return ts_error_set(
            err, TS_ERR_USAGE, "%s is no state file of tshost; remove it", store->path);
    }
    if (version != SCHEMA_VERSION) {
        return ts_error_set(err, TS_ERR_USAGE,
            "%s was made by another version of tshost; remove it once no other version runs",
            store->path);
    }
    bool is_ready = store_set_wal(store) && store_exec(store, "PRAGMA synchronous = NORMAL") &&
                    store_statement(store, READ);
    return is_ready ? TS_OK : store_fail(store, err);
}

static void store_configure(struct ts_store *store)
{
    // Else each run would write the log back at its end and wait for the disk twice.
    sqlite3_db_config(store->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    sqlite3_db_config(store->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_wal_autocheckpoint(store->db, LOG_PAGES);
    sqlite3_busy_handler(store->db, on_busy, store);
}

enum ts_err ts_store_open(
    const char *directory, const char *name, struct ts_store **out, struct ts_error *err)
{
    *out = NULL;
    struct ts_store *store = calloc(1, sizeof *store);
    if (!store) {
        return ts_error_set(err, TS_ERR_NOMEM, "out of memory");
    }
    // Else SQLite takes memory for 20 pages at once and touches all of it, where three are in use.
    // Refused once SQLite is set up, which does no harm.
    sqlite3_config(SQLITE_CONFIG_PAGECACHE, NULL, 0, 0);
    enum ts_err code = ts_directory_file(directory, name, store->path, err);
    if (!code) {
        int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW;
        bool is_open = sqlite3_open_v2(store->path, &store->db, flags, NULL) == SQLITE_OK;
        code = is_open ? TS_OK : store_fail(store, err);
    }
    if (!code) {
        store->busy_us = OPEN_US;
        store_configure(store);
        code = store_prepare(store, err);
        store->busy_us = BUSY_US;
    }
    if (code) {
        ts_store_close(store);
        return code;
    }
    *out = store;
    return TS_OK;
}

void ts_store_close(struct ts_store *store)
{
    if (!store) {
        return;
    }
    for (int i = 0; i < STATEMENTS; i++) {
        sqlite3_finalize(store->statements[i]);
    }
    sqlite3_close(store->db);
    free(store);
}

// Runs a statement that answers nothing.
static bool store_step(struct ts_store *store, enum statement which)
{
    sqlite3_stmt *stmt = store_statement(store, which);
    bool is_done = stmt && sqlite3_step(stmt) == SQLITE_DONE;
    sqlite3_reset(stmt);
    return is_done;
}

static bool record_read(
    struct ts_store *store, const char *key, void *record, size_t size, bool *is_found)
{
    sqlite3_stmt *stmt = store->statements[READ];
    memset(record, 0, size);
    sqlite3_bind_text(stmt, 1, key, -1, SQLITE_STATIC);
    int code = sqlite3_step(stmt);
    *is_found = code == SQLITE_ROW;
    if (*is_found) {
        const void *value = sqlite3_column_blob(stmt, 0);
        size_t len = (size_t)sqlite3_column_bytes(stmt, 0);
        if (value) {
            memcpy(record, value, len < size ? len : size);
        }
    }
    sqlite3_reset(stmt);
    return code == SQLITE_ROW || code == SQLITE_DONE;
}

// Drops what nobody has used for long.
static bool records_forget(struct ts_store *store, int64_t now)
{
    sqlite3_stmt *stmt = store_statement(store, FORGET);
    return stmt && sqlite3_bind_int64(stmt, 1, now) == SQLITE_OK && store_step(store, FORGET);
}

static bool record_write(
    struct ts_store *store, const char *key, const void *record, size_t size, bool is_found)
{
    int64_t now = (int64_t)time(NULL);
    enum statement which = is_found ? WRITE : ADD;
    sqlite3_stmt *stmt = store_statement(store, which);
    if (!stmt) {
        return false;
    }
    sqlite3_bind_text(stmt, 1, key, -1, SQLITE_STATIC);
    sqlite3_bind_blob64(stmt, 2, record, size, SQLITE_STATIC);
    sqlite3_bind_int64(stmt, 3, now);
    bool is_done = store_step(store, which);
    sqlite3_clear_bindings(stmt);
    return is_done && (is_found || records_forget(store, now));
}

enum ts_err ts_store_update(struct ts_store *store, const char *key, void *record, size_t size,
    ts_store_fn fn, void *owner, struct ts_error *err)
{
    if (!store_step(store, BEGIN)) {
        return store_fail(store, err);
    }
    bool is_found;
    if (!record_read(store, key, record, size, &is_found)) {
        goto fail;
    }
    if (!fn(owner, record, size, is_found)) {
        store_step(store, ROLLBACK);
        return TS_OK;
    }
    if (!record_write(store, key, record, size, is_found) || !store_step(store, COMMIT)) {
        goto fail;
    }
    return TS_OK;
fail:;
    enum ts_err code = store_fail(store, err);
    if (!sqlite3_get_autocommit(store->db)) {
        store_step(store, ROLLBACK);
    }
    return code;
}
