// SPDX-License-Identifier: MIT
// What is known of an operation beforehand and what came of it are rows of two tables: both are
// then only ever appended to, and the page of an old row is not written again.
#include "host/state/journal_schema.h"

// Times are microseconds since the epoch. operation.number is never given twice while a row of it
// is there. outcome.state is enum ts_operation_state; an operation without an outcome is an intent.
// plan remembers which plans were applied when their runs have long been removed.
// format tells who made which version, for the message of an older program.
static const char version_1[] =
    "CREATE TABLE format (version INTEGER PRIMARY KEY, made_by TEXT NOT NULL) STRICT;"
    "CREATE TABLE run ("
    " number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, command TEXT NOT NULL, of TEXT,"
    " script TEXT, sha256 TEXT, arguments TEXT, directory TEXT, options TEXT, account TEXT,"
    " base_url TEXT, host TEXT, user TEXT, version TEXT, plan_id TEXT, pid INTEGER NOT NULL,"
    " process_start INTEGER NOT NULL, started INTEGER NOT NULL, ended INTEGER, exit INTEGER,"
    " status TEXT, summary TEXT, plan TEXT) STRICT;"
    "CREATE TABLE plan (id TEXT PRIMARY KEY, run TEXT NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE INDEX run_of ON run (of) WHERE of IS NOT NULL;"
    "CREATE TABLE operation ("
    " number INTEGER PRIMARY KEY, run INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,"
    " started INTEGER NOT NULL, step INTEGER, op TEXT NOT NULL, account TEXT, sitekey TEXT,"
    " name TEXT, place TEXT, before_mark TEXT, body TEXT, before TEXT) STRICT;"
    "CREATE INDEX operation_run ON operation (run);"
    "CREATE TABLE outcome ("
    " number INTEGER PRIMARY KEY REFERENCES operation ON DELETE CASCADE, state INTEGER NOT NULL,"
    " status INTEGER, attempts INTEGER NOT NULL, duration INTEGER NOT NULL, sitekey TEXT,"
    " ray TEXT, error TEXT, forgiven TEXT, after_mark TEXT, after TEXT) STRICT;"
    "INSERT INTO format VALUES (1, 'tshost " TSHOST_VERSION "')";

static const char *const steps[] = {version_1};

const struct ts_database_kind ts_journal_kind = {
    .id = 0x7473686a, // "tshj"
    .version = sizeof steps / sizeof *steps,
    .steps = steps,
    .layout = "PRAGMA page_size = 4096", // a commit of one operation writes whole pages
    .log_pages = 4096,                   // 16 MiB: the run waits while it is written back
    .log_pages_left = 1024,              // reading 4 MiB takes a few milliseconds
    .pragmas = "PRAGMA synchronous = FULL",
    .busy_us = 10000000, // a commit waits for the disk, and so do those behind it
    .if_damaged = "it is the record of what was done, so move it away and keep it",
    .if_foreign = "move it away",
    .if_newer = "use that version or a later one",
    .made_by = "SELECT made_by FROM format ORDER BY version DESC LIMIT 1",
};
