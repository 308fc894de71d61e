// SPDX-License-Identifier: MIT
// What the files of the journal share.
#ifndef TS_STATE_JOURNAL_PRIVATE_H
#define TS_STATE_JOURNAL_PRIVATE_H

#include "host/state/database.h"
#include "host/state/journal_read.h"

enum ts_journal_statement {
    TS_JOURNAL_BEGIN,
    TS_JOURNAL_COMMIT,
    TS_JOURNAL_ROLLBACK,
    TS_JOURNAL_RUN_NUMBER,
    TS_JOURNAL_PLAN,
    TS_JOURNAL_ADD_PLAN,
    TS_JOURNAL_ADD_RUN,
    TS_JOURNAL_END_RUN,
    TS_JOURNAL_ADD,
    TS_JOURNAL_SETTLE,
    TS_JOURNAL_FORGIVE,
    TS_JOURNAL_STATEMENT_COUNT,
};

struct ts_journal {
    struct ts_database database;
    sqlite3_stmt *statements[TS_JOURNAL_STATEMENT_COUNT]; // each from its first use on
    char run_id[TS_RUN_ID_MAX];                           // the run that was last looked up, or ""
    int64_t run;                                          // its number
};

// Gives SQL the functions is_running(host, pid, process_start) and is_here(host).
bool ts_journal_define(struct ts_journal *journal);

// Hands over the text that each row of a query answers; ?1 is id.
enum ts_err ts_journal_read(struct ts_journal *journal, const char *query, const char *id,
    ts_journal_row_fn on_row, void *owner, struct ts_error *err);

// Opens a transaction unless there is one.
enum ts_err ts_journal_begin(struct ts_journal *journal, struct ts_error *err);

// Drops what was not committed.
void ts_journal_drop(struct ts_journal *journal);

// Says why SQLite failed, and drops what was not committed.
enum ts_err ts_journal_fail(struct ts_journal *journal, struct ts_error *err);

#endif
