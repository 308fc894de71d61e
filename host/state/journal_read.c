// SPDX-License-Identifier: MIT
// The queries. Which member is what is in two tables, one for runs and one for operations.
#include "host/state/journal_read.h"

#include <unistd.h>

#include "host/base/process.h"
#include "host/base/str.h"
#include "host/state/journal_object.h"
#include "host/state/journal_private.h"

#define HOST_MAX 256
#define QUERY_MAX 16384

_Static_assert(TS_OPERATION_INTENT == 0 && TS_OPERATION_DONE == 1 &&
                   TS_OPERATION_NOT_APPLIED == 2 && TS_OPERATION_UNKNOWN == 3 &&
                   TS_OPERATION_REFUSED == 4 && TS_OPERATION_STALE == 5,
    "SQL below has the numbers");

// An intent of a run that goes on is under way, not in doubt.
static const char counts[] =
    "(SELECT json_patch('{}', json_object('done', count(*) FILTER (WHERE state = 1),"
    " 'not_applied', count(*) FILTER (WHERE state = 2),"
    " 'in_doubt', count(*) FILTER (WHERE state = 3 OR (state = 0 AND now <> 'running')),"
    " 'under_way', nullif(count(*) FILTER (WHERE state = 0 AND now = 'running'), 0),"
    " 'refused', count(*) FILTER (WHERE state = 4), 'stale', count(*) FILTER (WHERE state = 5)))"
    " FROM (SELECT ifnull(state, 0) AS state FROM operation LEFT JOIN outcome USING (number)"
    "  WHERE operation.run = run.number))";

static const struct ts_journal_member run_members[] = {
    {TS_JOURNAL_TEXT, "run", "id"},
    {TS_JOURNAL_TEXT, "command", NULL},
    {TS_JOURNAL_TEXT, "of", NULL},
    {TS_JOURNAL_TEXT, "script", NULL},
    {TS_JOURNAL_TEXT, "sha256", NULL},
    {TS_JOURNAL_JSON, "arguments", NULL},
    {TS_JOURNAL_TEXT, "directory", NULL},
    {TS_JOURNAL_JSON, "options", NULL},
    {TS_JOURNAL_TEXT, "account", NULL},
    {TS_JOURNAL_TEXT, "base_url", NULL},
    {TS_JOURNAL_TEXT, "host", NULL},
    {TS_JOURNAL_TEXT, "user", NULL},
    {TS_JOURNAL_NUMBER, "pid", "nullif(pid, 0)"},
    {TS_JOURNAL_TEXT, "version", NULL},
    {TS_JOURNAL_TEXT, "plan_id", NULL},
    {TS_JOURNAL_TIME, "started", NULL},
    {TS_JOURNAL_TIME, "ended", NULL},
    {TS_JOURNAL_NUMBER, "exit", NULL},
    {TS_JOURNAL_TEXT, "status", "now"},
    {TS_JOURNAL_JSON, "summary", NULL},
    {TS_JOURNAL_MEMBERS, "the numbers of operations by state", counts},
};

static const struct ts_journal_member operation_members[] = {
    {TS_JOURNAL_NUMBER, "operation", "operation.number"},
    {TS_JOURNAL_TEXT, "op", NULL},
    {TS_JOURNAL_TEXT, "account", NULL},
    {TS_JOURNAL_TEXT, "sitekey", "ifnull(outcome.sitekey, operation.sitekey)"},
    {TS_JOURNAL_TEXT, "name", NULL},
    {TS_JOURNAL_TEXT, "place", NULL},
    {TS_JOURNAL_JSON, "body", NULL},
    {TS_JOURNAL_JSON, "before", NULL},
    {TS_JOURNAL_JSON, "after", NULL},
    {TS_JOURNAL_TEXT, "before_mark", NULL},
    {TS_JOURNAL_TEXT, "after_mark", NULL},
    {TS_JOURNAL_NUMBER, "step", NULL},
    {TS_JOURNAL_TEXT, "state",
        "CASE ifnull(state, 0) WHEN 0 THEN 'intent' WHEN 1 THEN 'done' WHEN 2 THEN 'not_applied'"
        " WHEN 3 THEN 'unknown' WHEN 4 THEN 'refused' WHEN 5 THEN 'stale' ELSE 'unknown' END"},
    {TS_JOURNAL_TEXT, "error", NULL},
    {TS_JOURNAL_TEXT, "ray", NULL},
    {TS_JOURNAL_NUMBER, "status", NULL},
    {TS_JOURNAL_NUMBER, "attempts", "nullif(attempts, 0)"},
    {TS_JOURNAL_TIME, "started", NULL},
    {TS_JOURNAL_NUMBER, "duration_ms", "nullif(duration, 0) / 1000.0"},
    {TS_JOURNAL_TEXT, "forgiven", NULL},
};

// Every run with what it is now.
static const char runs[] =
    " FROM (SELECT *, CASE WHEN ended IS NOT NULL THEN status"
    "  WHEN is_running(host, pid, process_start) THEN 'running' ELSE 'killed' END AS now"
    " FROM run) AS run";

static const char newest_first[] = " ORDER BY number DESC";
static const char chosen[] = " WHERE id = ?1";

// Up to the first that was no resume, and from there to all that are resumes of one another.
static const char chained[] =
    " WHERE id IN ("
    " WITH RECURSIVE up (id, command, of) AS ("
    "  SELECT id, command, of FROM run WHERE id = ?1"
    "  UNION SELECT run.id, run.command, run.of FROM up JOIN run ON run.id = up.of"
    "   WHERE up.command = 'resume'),"
    " whole (id) AS ("
    "  SELECT id FROM up"
    "  UNION SELECT run.id FROM whole JOIN run ON run.of = whole.id WHERE run.command = 'resume')"
    " SELECT id FROM whole) ORDER BY number";

static const char plan[] =
    "SELECT CASE step.type WHEN 'object' THEN step.value ELSE json_quote(step.value) END"
    " FROM run, json_each(run.plan) AS step WHERE run.id = ?1 ORDER BY step.key";

static const char operations[] =
    " FROM operation LEFT JOIN outcome USING (number)"
    " WHERE operation.run = (SELECT number FROM run WHERE id = ?1) ORDER BY operation.number";

static bool is_here(sqlite3_value *host)
{
    char here[HOST_MAX] = "";
    gethostname(here, sizeof here - 1);
    const char *name = (const char *)sqlite3_value_text(host);
    return !name || !*name || ts_str_is(name, here);
}

// Whether a run of that host is one of this machine, whose processes can be seen.
static void on_is_here(sqlite3_context *context, int count, sqlite3_value **values)
{
    (void)count;
    sqlite3_result_int(context, is_here(values[0]));
}

// Whether the process of a run is there. Of another machine's that cannot be told: it may be.
static void on_is_running(sqlite3_context *context, int count, sqlite3_value **values)
{
    (void)count;
    int64_t pid = sqlite3_value_int64(values[1]), start = sqlite3_value_int64(values[2]);
    sqlite3_result_int(context, !is_here(values[0]) || ts_process_is_running(pid, start));
}

static bool function_define(struct ts_journal *journal, const char *name, int count,
    void (*function)(sqlite3_context *context, int count, sqlite3_value **values))
{
    return sqlite3_create_function_v2(journal->database.db, name, count,
               SQLITE_UTF8 | SQLITE_DIRECTONLY, NULL, function, NULL, NULL, NULL) == SQLITE_OK;
}

bool ts_journal_define(struct ts_journal *journal)
{
    return function_define(journal, "is_running", 3, on_is_running) &&
           function_define(journal, "is_here", 1, on_is_here);
}

static int reading_run(
    struct ts_journal *journal, sqlite3_stmt *stmt, ts_journal_row_fn on_row, void *owner)
{
    int code;
    bool wants_more = true;
    while (wants_more && (code = sqlite3_step(stmt)) == SQLITE_ROW) {
        const char *json = (const char *)sqlite3_column_text(stmt, 0);
        if (!json) {
            return sqlite3_errcode(journal->database.db);
        }
        wants_more = on_row(owner, json, (size_t)sqlite3_column_bytes(stmt, 0));
    }
    return wants_more ? code : SQLITE_DONE;
}

static enum ts_err reading_fail(struct ts_journal *journal, struct ts_error *err)
{
    // SQLite's JSON functions have no code of their own.
    if (ts_str_is(sqlite3_errmsg(journal->database.db), "malformed JSON")) {
        return ts_error_set(err, TS_ERR_SYSTEM, "%s is damaged (a text in it is no JSON); %s",
            journal->database.path, journal->database.kind->if_damaged);
    }
    return ts_database_fail(&journal->database, err);
}

enum ts_err ts_journal_read(struct ts_journal *journal, const char *query, const char *id,
    ts_journal_row_fn on_row, void *owner, struct ts_error *err)
{
    sqlite3_stmt *stmt = NULL;
    int code = sqlite3_prepare_v2(journal->database.db, query, -1, &stmt, NULL);
    if (code == SQLITE_OK) {
        sqlite3_bind_text(stmt, 1, id, -1, SQLITE_STATIC);
        code = reading_run(journal, stmt, on_row, owner);
    }
    enum ts_err result = code == SQLITE_DONE ? TS_OK : reading_fail(journal, err);
    sqlite3_finalize(stmt);
    return result;
}

struct query {
    const struct ts_journal_member *members;
    size_t count;
    const char *from;
    const char *where;
};

static enum ts_err objects_read(struct ts_journal *journal, const struct query *query,
    const char *id, ts_journal_row_fn on_row, void *owner, struct ts_error *err)
{
    struct ts_buf sql;
    ts_buf_init(&sql, QUERY_MAX);
    enum ts_err code = ts_buf_add_str(&sql, "SELECT ");
    if (!code) {
        code = ts_journal_object_add(&sql, query->members, query->count);
    }
    if (!code) {
        code = ts_buf_add_format(&sql, "%s%s", query->from, query->where);
    }
    code = code ? ts_error_set(err, code, "out of memory")
                : ts_journal_read(journal, ts_buf_text(&sql), id, on_row, owner, err);
    ts_buf_fini(&sql);
    return code;
}

static enum ts_err runs_read(struct ts_journal *journal, const char *where, const char *id,
    ts_journal_row_fn on_row, void *owner, struct ts_error *err)
{
    const struct query query = {run_members, sizeof run_members / sizeof *run_members, runs, where};
    return ts_journal_define(journal) ? objects_read(journal, &query, id, on_row, owner, err)
                                      : ts_database_fail(&journal->database, err);
}

enum ts_err ts_journal_read_runs(struct ts_journal *journal, const char *id,
    ts_journal_row_fn on_row, void *owner, struct ts_error *err)
{
    return runs_read(journal, id ? chosen : newest_first, id, on_row, owner, err);
}

enum ts_err ts_journal_read_chain(struct ts_journal *journal, const char *id,
    ts_journal_row_fn on_row, void *owner, struct ts_error *err)
{
    return runs_read(journal, chained, id, on_row, owner, err);
}

enum ts_err ts_journal_read_plan(struct ts_journal *journal, const char *id,
    ts_journal_row_fn on_row, void *owner, struct ts_error *err)
{
    return ts_journal_read(journal, plan, id, on_row, owner, err);
}

enum ts_err ts_journal_read_operations(struct ts_journal *journal, const char *id,
    ts_journal_row_fn on_row, void *owner, struct ts_error *err)
{
    const struct query query = {
        operation_members, sizeof operation_members / sizeof *operation_members, operations, ""};
    return objects_read(journal, &query, id, on_row, owner, err);
}
