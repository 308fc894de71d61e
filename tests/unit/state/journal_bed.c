// SPDX-License-Identifier: MIT
// See journal_bed.h.
#include "tests/unit/state/journal_bed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

int journal_bed_make(void **state)
{
    struct journal_bed *bed = calloc(1, sizeof *bed);
    *state = bed;
    snprintf(bed->directory, sizeof bed->directory, "/tmp/tshost-journal-XXXXXX");
    return mkdtemp(bed->directory) ? 0 : -1;
}

const char *journal_bed_path(const struct journal_bed *bed, const char *end, char path[128])
{
    snprintf(path, 128, "%s/journal.db%s", bed->directory, end);
    return path;
}

int journal_bed_drop(void **state)
{
    struct journal_bed *bed = *state;
    char path[128];
    ts_journal_close(bed->journal);
    remove(journal_bed_path(bed, "", path));
    remove(journal_bed_path(bed, "-wal", path));
    remove(journal_bed_path(bed, "-shm", path));
    int left = rmdir(bed->directory);
    free(bed);
    return left;
}

void journal_bed_open(struct journal_bed *bed)
{
    ts_journal_close(bed->journal);
    if (ts_journal_open(bed->directory, &bed->journal, &bed->err)) {
        fail_msg("%s", bed->err.message);
    }
}

struct ts_journal_run journal_bed_run(const char *command)
{
    return (struct ts_journal_run){
        .command = command,
        .pid = getpid(),
        .started_us = BED_STARTED,
    };
}

void journal_bed_commit(struct journal_bed *bed)
{
    if (ts_journal_commit(bed->journal, &bed->err)) {
        fail_msg("%s", bed->err.message);
    }
}

void journal_bed_add_run(struct journal_bed *bed, char id[TS_RUN_ID_MAX])
{
    struct ts_journal_run run = journal_bed_run("run");
    if (ts_journal_add_run(bed->journal, &run, id, &bed->err)) {
        fail_msg("%s", bed->err.message);
    }
    journal_bed_commit(bed);
}

int64_t journal_bed_add(struct journal_bed *bed, const char *run)
{
    static const char body[] = "{\"name\":\"new\"}", before[] = "{\"name\":\"old\"}";
    struct ts_journal_intent intent = {
        .op = "update",
        .sitekey = "0xAAA",
        .body = body,
        .body_len = sizeof body - 1,
        .before = before,
        .before_len = sizeof before - 1,
        .started_us = BED_STARTED + 1500,
    };
    int64_t number = 0;
    if (ts_journal_add(bed->journal, run, &intent, &number, &bed->err)) {
        fail_msg("%s", bed->err.message);
    }
    return number;
}

void journal_bed_settle(struct journal_bed *bed, int64_t number, enum ts_operation_state state)
{
    struct ts_journal_outcome outcome = {.state = state, .attempts = 1, .duration_us = 2500};
    if (ts_journal_settle(bed->journal, number, &outcome, &bed->err)) {
        fail_msg("%s", bed->err.message);
    }
}

int64_t journal_bed_ask(const struct journal_bed *bed, const char *query)
{
    char path[128];
    sqlite3 *db = NULL;
    sqlite3_stmt *stmt = NULL;
    int64_t answer = -1;
    assert_int_equal(sqlite3_open(journal_bed_path(bed, "", path), &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, query, -1, &stmt, NULL), SQLITE_OK);
    if (sqlite3_step(stmt) == SQLITE_ROW) {
        answer = sqlite3_column_int64(stmt, 0);
    }
    sqlite3_finalize(stmt);
    sqlite3_close(db);
    return answer;
}
