// SPDX-License-Identifier: MIT
// Each function binds, steps and resets a statement that was prepared on its first use: what a
// write of the API costs here is two rows.
#include "host/state/journal.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "host/base/str.h"
#include "host/state/journal_private.h"
#include "host/state/journal_schema.h"

#define ID_TRIES 1000

static const char *const statements[TS_JOURNAL_STATEMENT_COUNT] = {
    [TS_JOURNAL_BEGIN] = "BEGIN IMMEDIATE",
    [TS_JOURNAL_COMMIT] = "COMMIT",
    [TS_JOURNAL_ROLLBACK] = "ROLLBACK",
    [TS_JOURNAL_RUN_NUMBER] = "SELECT number FROM run WHERE id = ?1",
    [TS_JOURNAL_PLAN] = "SELECT run FROM plan WHERE id = ?1",
    [TS_JOURNAL_ADD_PLAN] = "INSERT INTO plan VALUES (?1, ?2)",
    [TS_JOURNAL_ADD_RUN] =
        "INSERT INTO run (id, command, of, script, sha256, arguments, directory, options, account,"
        " base_url, host, user, version, plan_id, plan, pid, process_start, started)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)",
    [TS_JOURNAL_END_RUN] =
        "UPDATE run SET exit = ?2, status = ?3, summary = ?4, ended = ?5 WHERE number = ?1",
    [TS_JOURNAL_ADD] =
        "INSERT INTO operation (run, started, step, op, account, sitekey, name, place, before_mark,"
        " body, before) VALUES (?1, ?2, nullif(?3, 0), ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
    [TS_JOURNAL_SETTLE] =
        "INSERT INTO outcome (number, state, status, attempts, duration, sitekey, ray, error,"
        " after_mark, after) VALUES (?1, ?2, nullif(?3, 0), ?4, ?5, ?6, nullif(?7, ''), ?8, ?9, "
        "?10)"
        " ON CONFLICT (number) DO UPDATE SET state = excluded.state, error = excluded.error,"
        " status = iif(excluded.attempts, excluded.status, status),"
        " ray = iif(excluded.attempts, excluded.ray, ray),"
        " attempts = attempts + excluded.attempts, duration = duration + excluded.duration,"
        " sitekey = ifnull(excluded.sitekey, sitekey),"
        " after_mark = ifnull(excluded.after_mark, after_mark),"
        " after = ifnull(excluded.after, after)",
    [TS_JOURNAL_FORGIVE] =
        "INSERT INTO outcome (number, state, attempts, duration, forgiven) VALUES (?1, 0, 0, 0, ?2)"
        " ON CONFLICT (number) DO UPDATE SET forgiven = excluded.forgiven",
};

static sqlite3_stmt *journal_statement(struct ts_journal *journal, enum ts_journal_statement which)
{
    return ts_database_statement(
        &journal->database, &journal->statements[which], statements[which]);
}

// Runs a statement that is bound and answers nothing.
static bool journal_step(struct ts_journal *journal, enum ts_journal_statement which)
{
    return ts_database_step(journal_statement(journal, which));
}

// A new journal is durable only when the directories that lead to it are. Where that cannot be
// asked for it is left to the system.
static void directories_sync(const char *directory)
{
    char path[TS_STATE_PATH_MAX];
    ts_str_copy(path, sizeof path, directory);
    while (*path) {
        int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd >= 0) {
            fsync(fd);
            close(fd);
        }
        char *slash = strrchr(path, '/');
        *(slash ? slash : path) = '\0';
    }
}

enum ts_err ts_journal_open(const char *directory, struct ts_journal **out, struct ts_error *err)
{
    *out = NULL;
    struct ts_journal *journal = calloc(1, sizeof *journal);
    if (!journal) {
        return ts_error_set(err, TS_ERR_NOMEM, "out of memory");
    }
    enum ts_err code =
        ts_database_open(&journal->database, &ts_journal_kind, directory, "journal.db", err);
    if (code) {
        ts_journal_close(journal);
        return code;
    }
    if (directory && journal->database.is_made) {
        directories_sync(directory);
    }
    *out = journal;
    return TS_OK;
}

void ts_journal_close(struct ts_journal *journal)
{
    if (!journal) {
        return;
    }
    for (int i = 0; i < TS_JOURNAL_STATEMENT_COUNT; i++) {
        sqlite3_finalize(journal->statements[i]);
    }
    ts_database_close(&journal->database);
    free(journal);
}

const char *ts_journal_path(const struct ts_journal *journal)
{
    return journal->database.path;
}

bool ts_journal_is_pending(const struct ts_journal *journal)
{
    return !sqlite3_get_autocommit(journal->database.db);
}

// What was looked up may have been in the transaction.
void ts_journal_drop(struct ts_journal *journal)
{
    journal->run_id[0] = '\0';
    if (ts_journal_is_pending(journal)) {
        journal_step(journal, TS_JOURNAL_ROLLBACK);
    }
}

enum ts_err ts_journal_fail(struct ts_journal *journal, struct ts_error *err)
{
    enum ts_err code = ts_database_fail(&journal->database, err);
    ts_journal_drop(journal);
    return code;
}

enum ts_err ts_journal_begin(struct ts_journal *journal, struct ts_error *err)
{
    bool is_open = ts_journal_is_pending(journal) || journal_step(journal, TS_JOURNAL_BEGIN);
    return is_open ? TS_OK : ts_journal_fail(journal, err);
}

enum ts_err ts_journal_commit(struct ts_journal *journal, struct ts_error *err)
{
    bool is_done = !ts_journal_is_pending(journal) || journal_step(journal, TS_JOURNAL_COMMIT);
    return is_done ? TS_OK : ts_journal_fail(journal, err);
}

static void bind_text(sqlite3_stmt *stmt, int index, const char *text)
{
    sqlite3_bind_text(stmt, index, text, -1, SQLITE_STATIC);
}

static void bind_json(sqlite3_stmt *stmt, int index, const char *text, size_t len)
{
    sqlite3_bind_text64(stmt, index, text, len, SQLITE_STATIC, SQLITE_UTF8);
}

static enum ts_err run_find(
    struct ts_journal *journal, const char *id, int64_t *number, struct ts_error *err)
{
    if (!ts_str_is(id, journal->run_id)) {
        sqlite3_stmt *stmt = journal_statement(journal, TS_JOURNAL_RUN_NUMBER);
        if (!stmt) {
            return ts_journal_fail(journal, err);
        }
        bind_text(stmt, 1, id);
        int code = sqlite3_step(stmt);
        journal->run = code == SQLITE_ROW ? sqlite3_column_int64(stmt, 0) : 0;
        sqlite3_reset(stmt);
        if (code == SQLITE_DONE) {
            ts_error_set(err, TS_ERR_SYSTEM, "%s has no run %s", journal->database.path, id);
            ts_journal_drop(journal);
            return TS_ERR_SYSTEM;
        }
        if (code != SQLITE_ROW) {
            return ts_journal_fail(journal, err);
        }
        ts_str_copy(journal->run_id, sizeof journal->run_id, id);
    }
    *number = journal->run;
    return TS_OK;
}

// A plan is applied once. The transaction is open, so no other process can be about to.
static enum ts_err plan_check(struct ts_journal *journal, const char *plan_id, struct ts_error *err)
{
    sqlite3_stmt *stmt = journal_statement(journal, TS_JOURNAL_PLAN);
    if (!stmt) {
        return ts_journal_fail(journal, err);
    }
    bind_text(stmt, 1, plan_id);
    int found = sqlite3_step(stmt);
    if (found == SQLITE_ROW) {
        ts_error_set(err, TS_ERR_EXISTS, "the plan was applied by run %s",
            (const char *)sqlite3_column_text(stmt, 0));
    }
    sqlite3_reset(stmt);
    if (found == SQLITE_ROW) {
        return TS_ERR_EXISTS;
    }
    return found == SQLITE_DONE ? TS_OK : ts_journal_fail(journal, err);
}

static bool id_write(int64_t wall_us, char id[TS_RUN_ID_MAX])
{
    time_t seconds = (time_t)(wall_us / 1000000);
    struct tm tm;
    uint16_t random;
    if (!gmtime_r(&seconds, &tm) || getrandom(&random, sizeof random, 0) != sizeof random) {
        return false;
    }
    size_t len = strftime(id, TS_RUN_ID_MAX, "%Y%m%d-%H%M%S", &tm);
    snprintf(id + len, TS_RUN_ID_MAX - len, "-%04x", random);
    return len > 0;
}

static void run_bind(sqlite3_stmt *stmt, const struct ts_journal_run *run, const char *id)
{
    const char *const texts[] = {id, run->command, run->of, run->script, run->sha256,
        run->arguments, run->directory, run->options, run->account, run->base_url, run->host,
        run->user, run->version, run->plan_id, run->plan};
    int count = sizeof texts / sizeof *texts;
    for (int i = 0; i < count; i++) {
        bind_text(stmt, i + 1, texts[i]);
    }
    sqlite3_bind_int64(stmt, count + 1, run->pid);
    sqlite3_bind_int64(stmt, count + 2, run->process_start);
    sqlite3_bind_int64(stmt, count + 3, run->started_us);
}

// Ids of runs that began in the same second differ by chance, so a taken one is drawn again.
static enum ts_err run_insert(struct ts_journal *journal, const struct ts_journal_run *run,
    char id[TS_RUN_ID_MAX], struct ts_error *err)
{
    sqlite3_stmt *stmt = journal_statement(journal, TS_JOURNAL_ADD_RUN);
    if (!stmt) {
        return ts_journal_fail(journal, err);
    }
    int code = SQLITE_OK;
    bool is_taken = true;
    for (int i = 0; i < ID_TRIES && is_taken; i++) {
        if (!id_write(run->started_us, id)) {
            ts_journal_drop(journal);
            return ts_error_set(err, TS_ERR_SYSTEM, "cannot make the id of a run");
        }
        run_bind(stmt, run, id);
        code = sqlite3_step(stmt);
        is_taken = code != SQLITE_DONE &&
                   sqlite3_extended_errcode(journal->database.db) == SQLITE_CONSTRAINT_UNIQUE;
        sqlite3_reset(stmt);
    }
    return code == SQLITE_DONE ? TS_OK : ts_journal_fail(journal, err);
}

static enum ts_err plan_insert(
    struct ts_journal *journal, const char *plan_id, const char *id, struct ts_error *err)
{
    sqlite3_stmt *stmt = journal_statement(journal, TS_JOURNAL_ADD_PLAN);
    if (!stmt) {
        return ts_journal_fail(journal, err);
    }
    bind_text(stmt, 1, plan_id);
    bind_text(stmt, 2, id);
    return journal_step(journal, TS_JOURNAL_ADD_PLAN) ? TS_OK : ts_journal_fail(journal, err);
}

enum ts_err ts_journal_add_run(struct ts_journal *journal, const struct ts_journal_run *run,
    char id[TS_RUN_ID_MAX], struct ts_error *err)
{
    bool was_pending = ts_journal_is_pending(journal);
    enum ts_err code = ts_journal_begin(journal, err);
    if (!code && run->plan_id) {
        code = plan_check(journal, run->plan_id, err);
        if (code == TS_ERR_EXISTS && !was_pending) {
            ts_journal_drop(journal);
        }
    }
    if (!code) {
        code = run_insert(journal, run, id, err);
    }
    return !code && run->plan_id ? plan_insert(journal, run->plan_id, id, err) : code;
}

enum ts_err ts_journal_end_run(struct ts_journal *journal, const char *id, int exit,
    const char *status, const char *summary, int64_t ended_us, struct ts_error *err)
{
    int64_t run = 0;
    if (!ts_journal_is_pending(journal)) {
        ts_database_tidy(&journal->database); // what is written now begins the log anew
    }
    enum ts_err code = ts_journal_begin(journal, err);
    if (!code) {
        code = run_find(journal, id, &run, err);
    }
    if (code) {
        return code;
    }
    sqlite3_stmt *stmt = journal_statement(journal, TS_JOURNAL_END_RUN);
    if (!stmt) {
        return ts_journal_fail(journal, err);
    }
    sqlite3_bind_int64(stmt, 1, run);
    sqlite3_bind_int(stmt, 2, exit);
    bind_text(stmt, 3, status);
    bind_text(stmt, 4, summary);
    sqlite3_bind_int64(stmt, 5, ended_us);
    return journal_step(journal, TS_JOURNAL_END_RUN) ? TS_OK : ts_journal_fail(journal, err);
}

enum ts_err ts_journal_add(struct ts_journal *journal, const char *run,
    const struct ts_journal_intent *intent, int64_t *number, struct ts_error *err)
{
    int64_t run_number = 0;
    enum ts_err code = ts_journal_begin(journal, err);
    if (!code) {
        code = run_find(journal, run, &run_number, err);
    }
    if (code) {
        return code;
    }
    sqlite3_stmt *stmt = journal_statement(journal, TS_JOURNAL_ADD);
    if (!stmt) {
        return ts_journal_fail(journal, err);
    }
    sqlite3_bind_int64(stmt, 1, run_number);
    sqlite3_bind_int64(stmt, 2, intent->started_us);
    sqlite3_bind_int64(stmt, 3, intent->step);
    bind_text(stmt, 4, intent->op);
    bind_text(stmt, 5, intent->account);
    bind_text(stmt, 6, intent->sitekey);
    bind_text(stmt, 7, intent->name);
    bind_text(stmt, 8, intent->place);
    bind_text(stmt, 9, intent->before_mark);
    bind_json(stmt, 10, intent->body, intent->body_len);
    bind_json(stmt, 11, intent->before, intent->before_len);
    if (!journal_step(journal, TS_JOURNAL_ADD)) {
        return ts_journal_fail(journal, err);
    }
    *number = sqlite3_last_insert_rowid(journal->database.db);
    return TS_OK;
}

// An outcome belongs to an operation, which SQLite checks.
static enum ts_err outcome_step(struct ts_journal *journal, enum ts_journal_statement which,
    int64_t number, struct ts_error *err)
{
    if (journal_step(journal, which)) {
        return TS_OK;
    }
    if (sqlite3_extended_errcode(journal->database.db) == SQLITE_CONSTRAINT_FOREIGNKEY) {
        ts_journal_drop(journal);
        return ts_error_set(err, TS_ERR_SYSTEM, "%s has no operation %lld", journal->database.path,
            (long long)number);
    }
    return ts_journal_fail(journal, err);
}

enum ts_err ts_journal_settle(struct ts_journal *journal, int64_t number,
    const struct ts_journal_outcome *outcome, struct ts_error *err)
{
    enum ts_err code = ts_journal_begin(journal, err);
    if (code) {
        return code;
    }
    sqlite3_stmt *stmt = journal_statement(journal, TS_JOURNAL_SETTLE);
    if (!stmt) {
        return ts_journal_fail(journal, err);
    }
    sqlite3_bind_int64(stmt, 1, number);
    sqlite3_bind_int(stmt, 2, (int)outcome->state);
    sqlite3_bind_int64(stmt, 3, outcome->status);
    sqlite3_bind_int(stmt, 4, outcome->attempts);
    sqlite3_bind_int64(stmt, 5, outcome->duration_us);
    bind_text(stmt, 6, outcome->sitekey);
    bind_text(stmt, 7, outcome->ray);
    bind_text(stmt, 8, outcome->error);
    bind_text(stmt, 9, outcome->after_mark);
    bind_json(stmt, 10, outcome->after, outcome->after_len);
    return outcome_step(journal, TS_JOURNAL_SETTLE, number, err);
}

enum ts_err ts_journal_forgive(
    struct ts_journal *journal, int64_t number, const char *why, struct ts_error *err)
{
    enum ts_err code = ts_journal_begin(journal, err);
    if (code) {
        return code;
    }
    sqlite3_stmt *stmt = journal_statement(journal, TS_JOURNAL_FORGIVE);
    if (!stmt) {
        return ts_journal_fail(journal, err);
    }
    sqlite3_bind_int64(stmt, 1, number);
    bind_text(stmt, 2, why ? why : "");
    return outcome_step(journal, TS_JOURNAL_FORGIVE, number, err);
}
