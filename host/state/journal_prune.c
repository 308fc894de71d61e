// SPDX-License-Identifier: MIT
// Runs that resumed or undid one another stay or go together: what a resume may not do again is in
// all of them.
#include "host/state/journal_private.h"

#define IN_DOUBT "(0, 3)" // TS_OPERATION_INTENT, TS_OPERATION_UNKNOWN
_Static_assert(TS_OPERATION_INTENT == 0 && TS_OPERATION_UNKNOWN == 3, "IN_DOUBT");

static const char prune[] =
    "WITH RECURSIVE kept (id, of) AS ("
    " SELECT id, of FROM run WHERE ifnull(ended, started) >= ?1"
    "  OR (ended IS NULL AND is_running(host, pid, process_start)) OR EXISTS ("
    "  SELECT 1 FROM operation LEFT JOIN outcome USING (number)"
    "  WHERE operation.run = run.number AND ifnull(state, 0) IN " IN_DOUBT ")"
    " UNION"
    " SELECT run.id, run.of FROM kept JOIN run ON run.id = kept.of OR run.of = kept.id)"
    "DELETE FROM run WHERE id NOT IN (SELECT id FROM kept)";

enum ts_err ts_journal_prune(
    struct ts_journal *journal, int64_t before_us, int64_t *count, struct ts_error *err)
{
    *count = 0;
    enum ts_err code = ts_journal_begin(journal, err);
    if (code) {
        return code;
    }
    sqlite3_stmt *stmt = NULL;
    sqlite3 *db = journal->database.db;
    bool is_done =
        ts_journal_define(journal) && sqlite3_prepare_v2(db, prune, -1, &stmt, NULL) == SQLITE_OK &&
        sqlite3_bind_int64(stmt, 1, before_us) == SQLITE_OK && sqlite3_step(stmt) == SQLITE_DONE;
    code = is_done ? TS_OK : ts_journal_fail(journal, err);
    int64_t removed = is_done ? sqlite3_changes64(db) : 0;
    sqlite3_finalize(stmt);
    if (!code) {
        code = ts_journal_commit(journal, err);
    }
    *count = code ? 0 : removed;
    return code;
}
