// SPDX-License-Identifier: MIT
// The SQLite database behind the sandbox: opening, schema, prepared statements, transactions.
// Used by one thread at a time; a write is durable against SIGKILL once committed.
#ifndef TS_SANDBOX_STORE_H
#define TS_SANDBOX_STORE_H

#include <sqlite3.h>
#include <stdbool.h>

#include "host/base/error.h"

// Every fixed statement; its text is in statement.c.
enum ts_sandbox_statement {
    TS_SANDBOX_STATEMENT_BEGIN,
    TS_SANDBOX_STATEMENT_COMMIT,
    TS_SANDBOX_STATEMENT_ROLLBACK,
    TS_SANDBOX_STATEMENT_DATA_VERSION,
    TS_SANDBOX_STATEMENT_JSON_VALID,
    TS_SANDBOX_STATEMENT_JSON_FIELDS,
    TS_SANDBOX_STATEMENT_JSON_ITEMS,
    TS_SANDBOX_STATEMENT_JSON_ERROR,
    TS_SANDBOX_STATEMENT_JSON_TOKEN,
    TS_SANDBOX_STATEMENT_JSON_REQUEST,
    TS_SANDBOX_STATEMENT_JSON_FAULT,
    TS_SANDBOX_STATEMENT_JSON_VERDICT,
    TS_SANDBOX_STATEMENT_WIDGET_COUNT,
    TS_SANDBOX_STATEMENT_WIDGET_GET,
    TS_SANDBOX_STATEMENT_WIDGET_STATE,
    TS_SANDBOX_STATEMENT_WIDGET_INSERT,
    TS_SANDBOX_STATEMENT_WIDGET_UPDATE,
    TS_SANDBOX_STATEMENT_WIDGET_ROTATE,
    TS_SANDBOX_STATEMENT_WIDGET_DELETE,
    TS_SANDBOX_STATEMENT_WIDGET_DOMAINS,
    TS_SANDBOX_STATEMENT_WIDGET_BY_SECRET,
    TS_SANDBOX_STATEMENT_IMPORT_CHECK,
    TS_SANDBOX_STATEMENT_IMPORT_REPLACE,
    TS_SANDBOX_STATEMENT_IMPORT_INSERT,
    TS_SANDBOX_STATEMENT_IMPORT_NEWEST,
    TS_SANDBOX_STATEMENT_TOKEN_INSERT,
    TS_SANDBOX_STATEMENT_TOKEN_GET,
    TS_SANDBOX_STATEMENT_TOKEN_REDEEM,
    TS_SANDBOX_STATEMENT_TOKEN_PURGE,
    TS_SANDBOX_STATEMENT_COUNT,
};

// Statements of the list operation, composed on first use: order, direction, filter, page or count.
#define TS_SANDBOX_LIST_STATEMENTS 40

struct ts_sandbox_store {
    sqlite3 *db;
    sqlite3_stmt *statements[TS_SANDBOX_STATEMENT_COUNT];
    sqlite3_stmt *lists[TS_SANDBOX_LIST_STATEMENTS];
};

// Opens the file (made with mode 0600 when it is new), or a database in memory when path is NULL.
// USAGE when the file is something else, SYSTEM when it cannot be opened.
enum ts_err ts_sandbox_store_open(
    struct ts_sandbox_store *store, const char *path, struct ts_error *err);

// Closes. Accepts a zeroed struct and may run twice.
void ts_sandbox_store_close(struct ts_sandbox_store *store);

// The text of a fixed statement, and of the schema.
const char *ts_sandbox_statement_text(enum ts_sandbox_statement which);
const char *ts_sandbox_schema_text(void);

// A fixed statement, reset and without bindings, owned by the store; NULL when SQLite fails.
sqlite3_stmt *ts_sandbox_store_borrow(
    struct ts_sandbox_store *store, enum ts_sandbox_statement which);

// The same for text that the caller composes, kept in the slot after the first time.
sqlite3_stmt *ts_sandbox_store_borrow_list(
    struct ts_sandbox_store *store, int slot, const char *text);

// Runs a statement that returns no rows and resets it. False when SQLite fails or stmt is NULL.
bool ts_sandbox_store_run(sqlite3_stmt *stmt);

// A write transaction. False when SQLite fails; end with commit false rolls back.
bool ts_sandbox_store_begin(struct ts_sandbox_store *store);
bool ts_sandbox_store_end(struct ts_sandbox_store *store, bool commit);

// Column text that is never NULL.
const char *ts_sandbox_store_text(sqlite3_stmt *stmt, int column);

#endif
