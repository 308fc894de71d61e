// SPDX-License-Identifier: MIT
// A journal in a directory of its own, for the tests of it.
#ifndef TS_TESTS_UNIT_STATE_JOURNAL_BED_H
#define TS_TESTS_UNIT_STATE_JOURNAL_BED_H

#include <stdint.h>

#include "host/state/journal.h"

#define BED_STARTED 1795343411000000 // 2026-11-22T10:30:11Z

struct journal_bed {
    char directory[64];
    struct ts_journal *journal; // NULL until it is opened
    struct ts_error err;
};

// Setup and teardown of cmocka. Nothing but the journal's own files may be left.
int journal_bed_make(void **state);
int journal_bed_drop(void **state);

// Opens it, once more if it is open; the test fails when that does.
void journal_bed_open(struct journal_bed *bed);

// The path of one of its files ("" "-wal" "-shm"), in memory of the caller's.
const char *journal_bed_path(const struct journal_bed *bed, const char *end, char path[128]);

// A run of this process, with the least that a run has.
struct ts_journal_run journal_bed_run(const char *command);

// Adds one and commits. Fails the test when that fails.
void journal_bed_add_run(struct journal_bed *bed, char id[TS_RUN_ID_MAX]);

// Adds an update of "0xAAA" and does not commit.
int64_t journal_bed_add(struct journal_bed *bed, const char *run);

// Settles an operation in the state and does not commit.
void journal_bed_settle(struct journal_bed *bed, int64_t number, enum ts_operation_state state);

void journal_bed_commit(struct journal_bed *bed);

// The number that a query answers, asked with SQLite itself; -1: none.
int64_t journal_bed_ask(const struct journal_bed *bed, const char *query);

#endif
