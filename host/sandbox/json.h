// SPDX-License-Identifier: MIT
// JSON that came from outside, before SQLite takes it apart.
// Everything else about JSON is SQL and stands in statement.c.
#ifndef TS_SANDBOX_JSON_H
#define TS_SANDBOX_JSON_H

#include "host/base/buf.h"
#include "host/sandbox/store.h"

// Whether a text, len bytes with a NUL behind them, is a JSON object in clean UTF-8. Returns NULL,
// or what is wrong with it.
const char *ts_sandbox_json_check(struct ts_sandbox_store *store, const char *text, size_t len);

// Borrows the statement that walks the members of such a body: key, type, value. NULL when SQLite
// fails. The caller resets it.
sqlite3_stmt *ts_sandbox_json_borrow_members(
    struct ts_sandbox_store *store, const struct ts_buf *body);

#endif
