// SPDX-License-Identifier: MIT
// Opening and running. WAL with synchronous=NORMAL: a killed process loses nothing that was
// committed; only a power cut could, and a sandbox need not survive that.
#include "host/sandbox/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#define STORE_APPLICATION_ID 0x74736273 // "tsbs", so that `file` and we know our own
#define STORE_VERSION 1
#define STORE_BUSY_MS 10000
#define STORE_RETRY_MS 5

static enum ts_err store_fail(
    struct ts_sandbox_store *store, const char *path, struct ts_error *err)
{
    int code = sqlite3_errcode(store->db) & 0xff;
    if (code == SQLITE_NOTADB) {
        return ts_error_set(err, TS_ERR_USAGE, "%s is not a sandbox database", path);
    }
    return ts_error_set(err, code == SQLITE_NOMEM ? TS_ERR_NOMEM : TS_ERR_SYSTEM,
        "sandbox database %s: %s", path, sqlite3_errmsg(store->db));
}

// SQLite would make the file with the umask's mode; its -wal and -shm files copy ours.
static enum ts_err store_touch(const char *path, struct ts_error *err)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600);
    if (fd < 0) {
        return ts_error_set_errno(err, errno, "sandbox database %s", path);
    }
    close(fd);
    return TS_OK;
}

static int64_t store_pragma(struct ts_sandbox_store *store, const char *text)
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

static bool store_exec(struct ts_sandbox_store *store, const char *text)
{
    return sqlite3_exec(store->db, text, NULL, NULL, NULL) == SQLITE_OK;
}

// Switching to WAL needs the file for a moment alone, and SQLite does not wait for that by itself.
static bool store_set_wal(struct ts_sandbox_store *store)
{
    for (int waited_ms = 0; waited_ms < STORE_BUSY_MS; waited_ms += STORE_RETRY_MS) {
        if (store_exec(store, "PRAGMA journal_mode = WAL")) {
            return true;
        }
        if ((sqlite3_errcode(store->db) & 0xff) != SQLITE_BUSY) {
            return false;
        }
        sqlite3_sleep(STORE_RETRY_MS);
    }
    return false;
}

// Two processes may open a new file at once: the second finds the schema made.
static enum ts_err store_prepare(
    struct ts_sandbox_store *store, const char *path, struct ts_error *err)
{
    if (!store_set_wal(store) ||
        !store_exec(store, "PRAGMA synchronous = NORMAL; PRAGMA temp_store = MEMORY;"
                           "PRAGMA trusted_schema = ON") ||
        !store_exec(store, "BEGIN IMMEDIATE")) {
        return store_fail(store, path, err);
    }
    int64_t tables = store_pragma(store, "SELECT count(*) FROM sqlite_schema");
    int64_t id = store_pragma(store, "PRAGMA application_id");
    int64_t version = store_pragma(store, "PRAGMA user_version");
    if (tables == 0 && id == 0 && version == 0) {
        char mark[96];
        sqlite3_snprintf((int)sizeof mark, mark,
            "PRAGMA application_id = %d; PRAGMA user_version = %d", STORE_APPLICATION_ID,
            STORE_VERSION);
        if (!store_exec(store, ts_sandbox_schema_text()) || !store_exec(store, mark)) {
            return store_fail(store, path, err);
        }
    } else if (id != STORE_APPLICATION_ID) {
        return ts_error_set(err, TS_ERR_USAGE, "%s is not a sandbox database", path);
    } else if (version != STORE_VERSION) {
        return ts_error_set(
            err, TS_ERR_USAGE, "%s was made by another version of the sandbox", path);
    }
    return store_exec(store, "COMMIT") ? TS_OK : store_fail(store, path, err);
}

enum ts_err ts_sandbox_store_open(
    struct ts_sandbox_store *store, const char *path, struct ts_error *err)
{
    *store = (struct ts_sandbox_store){0};
    if (path && !*path) {
        return ts_error_set(err, TS_ERR_USAGE, "the sandbox database has no name");
    }
    const char *name = path ? path : ":memory:";
    enum ts_err code = path ? store_touch(path, err) : TS_OK;
    if (code) {
        return code;
    }
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    if (sqlite3_open_v2(name, &store->db, flags, NULL) != SQLITE_OK) {
        code = store_fail(store, name, err);
        goto fail;
    }
    sqlite3_busy_timeout(store->db, STORE_BUSY_MS);
    sqlite3_db_config(store->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    code = store_prepare(store, name, err);
    if (code) {
        goto fail;
    }
    return TS_OK;
fail:
    ts_sandbox_store_close(store);
    return code;
}

void ts_sandbox_store_close(struct ts_sandbox_store *store)
{
    for (size_t i = 0; i < TS_SANDBOX_STATEMENT_COUNT; i++) {
        sqlite3_finalize(store->statements[i]);
    }
    for (size_t i = 0; i < TS_SANDBOX_LIST_STATEMENTS; i++) {
        sqlite3_finalize(store->lists[i]);
    }
    sqlite3_close(store->db);
    *store = (struct ts_sandbox_store){0};
}

static sqlite3_stmt *store_borrow(
    struct ts_sandbox_store *store, sqlite3_stmt **slot, const char *text)
{
    if (*slot) {
        sqlite3_reset(*slot);
        sqlite3_clear_bindings(*slot);
    } else {
        sqlite3_prepare_v3(store->db, text, -1, SQLITE_PREPARE_PERSISTENT, slot, NULL);
    }
    return *slot;
}

sqlite3_stmt *ts_sandbox_store_borrow(
    struct ts_sandbox_store *store, enum ts_sandbox_statement which)
{
    return store_borrow(store, &store->statements[which], ts_sandbox_statement_text(which));
}

sqlite3_stmt *ts_sandbox_store_borrow_list(
    struct ts_sandbox_store *store, int slot, const char *text)
{
    return store_borrow(store, &store->lists[slot], text);
}

bool ts_sandbox_store_run(sqlite3_stmt *stmt)
{
    if (!stmt) {
        return false;
    }
    int code = sqlite3_step(stmt);
    sqlite3_reset(stmt);
    return code == SQLITE_DONE || code == SQLITE_ROW;
}

bool ts_sandbox_store_begin(struct ts_sandbox_store *store)
{
    return ts_sandbox_store_run(ts_sandbox_store_borrow(store, TS_SANDBOX_STATEMENT_BEGIN));
}

bool ts_sandbox_store_end(struct ts_sandbox_store *store, bool commit)
{
    bool is_done =
        commit && ts_sandbox_store_run(ts_sandbox_store_borrow(store, TS_SANDBOX_STATEMENT_COMMIT));
    // A failed statement may have rolled back by itself already.
    if (!is_done && !sqlite3_get_autocommit(store->db)) {
        ts_sandbox_store_run(ts_sandbox_store_borrow(store, TS_SANDBOX_STATEMENT_ROLLBACK));
    }
    return is_done;
}

const char *ts_sandbox_store_text(sqlite3_stmt *stmt, int column)
{
    const unsigned char *text = sqlite3_column_text(stmt, column);
    return text ? (const char *)text : "";
}
