// SPDX-License-Identifier: MIT
// A record fits into one page, so that an update writes little.
#include "host/state/store.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "host/state/database.h"

static const char schema[] =
    "CREATE TABLE record (key TEXT PRIMARY KEY, value BLOB NOT NULL, used INTEGER NOT NULL)";

static const char *const steps[] = {schema};

static const struct ts_database_kind kind = {
    .id = 0x74736874, // "tsht"
    .version = 1,
    .steps = steps,
    .layout = "PRAGMA page_size = 8192",
    .log_pages = 128, // 1 MiB
    .log_pages_left = 128,
    .pragmas = "PRAGMA synchronous = NORMAL",
    .busy_us = 500000,
    .if_damaged = "remove it",
    .if_foreign = "remove it",
    .if_newer = "remove it once no other version runs",
};

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
    struct ts_database database;
    sqlite3_stmt *statements[STATEMENTS]; // each from its first use on
};

static sqlite3_stmt *store_statement(struct ts_store *store, enum statement which)
{
    return ts_database_statement(&store->database, &store->statements[which], statements[which]);
}

enum ts_err ts_store_open(
    const char *directory, const char *name, struct ts_store **out, struct ts_error *err)
{
    *out = NULL;
    struct ts_store *store = calloc(1, sizeof *store);
    if (!store) {
        return ts_error_set(err, TS_ERR_NOMEM, "out of memory");
    }
    enum ts_err code = ts_database_open(&store->database, &kind, directory, name, err);
    if (!code && !store_statement(store, READ)) {
        code = ts_database_fail(&store->database, err);
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
    ts_database_close(&store->database);
    free(store);
}

// Runs a statement that answers nothing.
static bool store_step(struct ts_store *store, enum statement which)
{
    return ts_database_step(store_statement(store, which));
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
        return ts_database_fail(&store->database, err);
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
    enum ts_err code = ts_database_fail(&store->database, err);
    if (!sqlite3_get_autocommit(store->database.db)) {
        store_step(store, ROLLBACK);
    }
    return code;
}
