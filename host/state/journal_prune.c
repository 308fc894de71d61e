// SPDX-License-Identifier: MIT
// Runs that resumed or undid one another stay or go together: what a resume may not do again is in
// all of them. They go in several commits, since other runs wait meanwhile.
#include <string.h>

#include "host/base/buf.h"
#include "host/state/journal_private.h"

#define ROWS_MAX 10000 // of a commit, about
#define IDS_MAX (64 * 1024 * 1024)

_Static_assert(TS_OPERATION_INTENT == 0 && TS_OPERATION_UNKNOWN == 3, "MUST_STAY");

// Of a run: it is young, goes on or is in doubt.
#define MUST_STAY                                                                                  \
    "(ifnull(run.ended, run.started) >= ?1"                                                        \
    " OR (run.ended IS NULL AND is_running(run.host, run.pid, run.process_start))"                 \
    " OR EXISTS (SELECT 1 FROM operation LEFT JOIN outcome USING (number)"                         \
    "  WHERE operation.run = run.number AND ifnull(outcome.state, 0) IN (0, 3)))"

static const char candidates[] = "SELECT id FROM run WHERE NOT " MUST_STAY " ORDER BY number";

static const char removal[] =
    "WITH RECURSIVE whole (id, of) AS (SELECT id, of FROM run WHERE id = ?2"
    " UNION SELECT run.id, run.of FROM whole JOIN run ON run.id = whole.of OR run.of = whole.id)"
    "DELETE FROM run WHERE id IN (SELECT id FROM whole) AND NOT EXISTS"
    " (SELECT 1 FROM whole JOIN run ON run.id = whole.id WHERE " MUST_STAY ")";

static sqlite3_stmt *pruning_prepare(
    struct ts_journal *journal, const char *text, int64_t before_us)
{
    sqlite3_stmt *stmt = NULL;
    if (sqlite3_prepare_v2(journal->database.db, text, -1, &stmt, NULL) == SQLITE_OK) {
        sqlite3_bind_int64(stmt, 1, before_us);
    }
    return stmt;
}

// Lists the runs that need not stay for their own sake, NUL-terminated one behind the other.
static enum ts_err candidates_list(
    struct ts_journal *journal, int64_t before_us, struct ts_buf *ids, struct ts_error *err)
{
    sqlite3_stmt *stmt = pruning_prepare(journal, candidates, before_us);
    int code = stmt ? sqlite3_step(stmt) : SQLITE_ERROR;
    enum ts_err added = TS_OK;
    while (code == SQLITE_ROW && !added) {
        const char *id = (const char *)sqlite3_column_text(stmt, 0);
        added = id ? ts_buf_add(ids, id, strlen(id) + 1) : TS_ERR_NOMEM;
        code = added ? code : sqlite3_step(stmt);
    }
    if (added) {
        ts_error_set(err, added, "out of memory");
    } else if (code != SQLITE_DONE) {
        added = ts_database_fail(&journal->database, err);
    }
    sqlite3_finalize(stmt);
    return added;
}

// Removes the run and those that belong to it, if none of them has to stay by now. Commits when
// enough has come together.
static enum ts_err run_remove(struct ts_journal *journal, sqlite3_stmt *stmt, const char *id,
    int64_t *rows, int64_t *pending, struct ts_error *err)
{
    sqlite3 *db = journal->database.db;
    enum ts_err code = ts_journal_begin(journal, err);
    if (code) {
        return code;
    }
    sqlite3_bind_text(stmt, 2, id, -1, SQLITE_STATIC);
    if (!ts_database_step(stmt)) {
        return ts_journal_fail(journal, err);
    }
    *pending += sqlite3_changes64(db);
    if (sqlite3_total_changes64(db) - *rows < ROWS_MAX) {
        return TS_OK;
    }
    *rows = sqlite3_total_changes64(db);
    return ts_journal_commit(journal, err);
}

static enum ts_err runs_remove(struct ts_journal *journal, sqlite3_stmt *stmt,
    const struct ts_buf *ids, int64_t *count, struct ts_error *err)
{
    int64_t rows = sqlite3_total_changes64(journal->database.db), pending = 0;
    enum ts_err code = TS_OK;
    for (size_t at = 0; at < ids->len && !code; at += strlen(ids->data + at) + 1) {
        code = run_remove(journal, stmt, ids->data + at, &rows, &pending, err);
        if (!code && !ts_journal_is_pending(journal)) {
            *count += pending;
            pending = 0;
        }
    }
    if (!code) {
        code = ts_journal_commit(journal, err);
    }
    *count += code ? 0 : pending;
    return code;
}

enum ts_err ts_journal_prune(
    struct ts_journal *journal, int64_t before_us, int64_t *count, struct ts_error *err)
{
    struct ts_buf ids;
    sqlite3_stmt *stmt = NULL;
    *count = 0;
    ts_buf_init(&ids, IDS_MAX);
    enum ts_err code = ts_journal_commit(journal, err);
    if (!code && !ts_journal_define(journal)) {
        code = ts_database_fail(&journal->database, err);
    }
    if (!code) {
        code = candidates_list(journal, before_us, &ids, err);
    }
    if (!code) {
        stmt = pruning_prepare(journal, removal, before_us);
        code = stmt ? runs_remove(journal, stmt, &ids, count, err)
                    : ts_database_fail(&journal->database, err);
    }
    sqlite3_finalize(stmt);
    ts_buf_fini(&ids);
    journal->run_id[0] = '\0'; // it may be gone
    return code;
}
