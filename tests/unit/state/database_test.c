// SPDX-License-Identifier: MIT
// Files that are new, older, newer, foreign, damaged or in use.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "host/state/database.h"

#define PROCESSES 8

static const char *const steps[] = {
    "CREATE TABLE thing (name TEXT); INSERT INTO thing VALUES ('first')",
    "ALTER TABLE thing ADD COLUMN size INTEGER DEFAULT 7; INSERT INTO thing VALUES ('second', 8)",
    "UPDATE thing SET size = size + 1",
};

static const char *const broken_steps[] = {
    "",
    "ALTER TABLE thing ADD COLUMN size INTEGER; INSERT INTO thing VALUES (1, 2, 3, 4)",
};

struct bed {
    char directory[64];
    struct ts_database database;
    struct ts_database_kind kind;
    struct ts_error err;
};

static int bed_make(void **state)
{
    struct bed *bed = calloc(1, sizeof *bed);
    *state = bed;
    bed->kind = (struct ts_database_kind){
        .id = 4711,
        .version = 1,
        .steps = steps,
        .layout = "PRAGMA page_size = 1024",
        .log_pages = 100,
        .log_pages_left = 50,
        .pragmas = "PRAGMA synchronous = OFF",
        .busy_us = 1000,
        .if_damaged = "call for help",
        .if_foreign = "look elsewhere",
        .if_newer = "update yourself",
        .made_by = "SELECT 'thing ' || max(size) FROM thing",
    };
    snprintf(bed->directory, sizeof bed->directory, "/tmp/tshost-database-XXXXXX");
    return mkdtemp(bed->directory) ? 0 : -1;
}

static int bed_drop(void **state)
{
    struct bed *bed = *state;
    static const char *const names[] = {"a.db", "a.db-wal", "a.db-shm", "a.db-journal"};
    ts_database_close(&bed->database);
    for (size_t i = 0; i < 4; i++) {
        char path[128];
        snprintf(path, sizeof path, "%s/%s", bed->directory, names[i]);
        remove(path);
    }
    int left = rmdir(bed->directory);
    free(bed);
    return left;
}

static enum ts_err try_version(struct bed *bed, int version)
{
    ts_database_close(&bed->database);
    bed->kind.version = version;
    return ts_database_open(&bed->database, &bed->kind, bed->directory, "a.db", &bed->err);
}

static void open_version(struct bed *bed, int version)
{
    if (try_version(bed, version)) {
        fail_msg("%s", bed->err.message);
    }
}

static int64_t ask(struct bed *bed, const char *query)
{
    int64_t number = -1;
    ts_database_number(&bed->database, query, &number);
    return number;
}

static void assert_says(const struct bed *bed, const char *text)
{
    if (!strstr(bed->err.message, text)) {
        fail_msg("no \"%s\" in \"%s\"", text, bed->err.message);
    }
}

static void a_new_file_is_of_today(void **state)
{
    struct bed *bed = *state;
    open_version(bed, 3);
    assert_true(bed->database.is_made);
    assert_int_equal(ask(bed, "SELECT sum(size) FROM thing"), 17);
    assert_int_equal(ask(bed, "PRAGMA page_size"), 1024);
    assert_int_equal(ask(bed, "PRAGMA synchronous"), 0);
    open_version(bed, 3);
    assert_false(bed->database.is_made);
    assert_int_equal(ask(bed, "SELECT sum(size) FROM thing"), 17);
}

static void an_older_file_is_brought_up_to_date(void **state)
{
    struct bed *bed = *state;
    open_version(bed, 1);
    assert_true(ts_database_exec(&bed->database, "INSERT INTO thing VALUES ('mine')"));
    open_version(bed, 2);
    assert_false(bed->database.is_made);
    assert_int_equal(ask(bed, "PRAGMA user_version"), 2);
    open_version(bed, 3);
    assert_int_equal(ask(bed, "PRAGMA user_version"), 3);
    assert_int_equal(ask(bed, "SELECT sum(size) FROM thing"), 8 + 9 + 8);
    assert_int_equal(ask(bed, "SELECT size FROM thing WHERE name = 'mine'"), 8);
}

static void a_newer_file_is_refused_and_left_alone(void **state)
{
    struct bed *bed = *state;
    open_version(bed, 3);
    assert_int_equal(try_version(bed, 2), TS_ERR_USAGE);
    assert_says(bed, "a.db was made by thing 9; update yourself");
    bed->kind.made_by = "SELECT version FROM nowhere";
    assert_int_equal(try_version(bed, 2), TS_ERR_USAGE);
    assert_says(bed, "a.db was made by another version of tshost; update yourself");
    bed->kind.made_by = NULL;
    assert_int_equal(try_version(bed, 1), TS_ERR_USAGE);
    open_version(bed, 3);
    assert_int_equal(ask(bed, "SELECT sum(size) FROM thing"), 17);
}

static void a_step_that_fails_changes_nothing(void **state)
{
    struct bed *bed = *state;
    open_version(bed, 1);
    bed->kind.steps = broken_steps;
    assert_int_equal(try_version(bed, 2), TS_ERR_SYSTEM);
    assert_says(bed, "a.db");
    bed->kind.steps = steps;
    open_version(bed, 1);
    assert_int_equal(ask(bed, "SELECT count(*) FROM pragma_table_info('thing')"), 1);
    open_version(bed, 2);
}

static int child_open(struct bed *bed)
{
    int status = try_version(bed, 3) ? 1 : ask(bed, "SELECT sum(size) FROM thing") != 8 + 8 + 9;
    if (status) {
        fprintf(stderr, "%s\n", bed->err.message);
    }
    ts_database_close(&bed->database);
    return status;
}

static void of_many_processes_one_brings_it_up_to_date(void **state)
{
    struct bed *bed = *state;
    open_version(bed, 1);
    assert_true(ts_database_exec(&bed->database, "INSERT INTO thing VALUES ('mine')"));
    ts_database_close(&bed->database);
    for (int i = 0; i < PROCESSES; i++) {
        pid_t child = fork();
        if (child == 0) {
            _exit(child_open(bed));
        }
        assert_true(child > 0);
    }
    for (int i = 0; i < PROCESSES; i++) {
        int status;
        assert_true(wait(&status) > 0);
        assert_int_equal(status, 0);
    }
}

static void what_is_of_another_kind_is_refused_and_left_alone(void **state)
{
    struct bed *bed = *state;
    char path[128];
    sqlite3 *db = NULL;
    snprintf(path, sizeof path, "%s/a.db", bed->directory);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "CREATE TABLE t (x)", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(try_version(bed, 1), TS_ERR_USAGE);
    assert_says(bed, "a.db is no state file of tshost; look elsewhere");
    assert_int_equal(
        sqlite3_exec(db, "PRAGMA user_version = 1; PRAGMA application_id = 5", NULL, NULL, NULL),
        SQLITE_OK);
    assert_int_equal(try_version(bed, 1), TS_ERR_USAGE);
    assert_says(bed, "a.db is no state file of tshost; look elsewhere");
    sqlite3_close(db);
    snprintf(path, sizeof path, "%s/a.db-wal", bed->directory);
    struct stat status;
    assert_int_equal(stat(path, &status), -1); // it was not switched to another mode
}

static void what_is_no_database_is_damaged(void **state)
{
    struct bed *bed = *state;
    char path[128];
    snprintf(path, sizeof path, "%s/a.db", bed->directory);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    for (int i = 0; i < 1000; i++) {
        fputs("this is a letter to my aunt\n", file);
    }
    assert_int_equal(fclose(file), 0);
    assert_int_equal(try_version(bed, 1), TS_ERR_SYSTEM);
    assert_says(bed, "a.db is damaged; call for help");
}

static void others_are_waited_for_and_then_not(void **state)
{
    struct bed *bed = *state;
    struct ts_database other;
    open_version(bed, 1);
    assert_int_equal(
        ts_database_open(&other, &bed->kind, bed->directory, "a.db", &bed->err), TS_OK);
    assert_true(ts_database_exec(&other, "BEGIN IMMEDIATE"));
    assert_false(ts_database_exec(&bed->database, "BEGIN IMMEDIATE"));
    assert_int_equal(ts_database_fail(&bed->database, &bed->err), TS_ERR_TIMEOUT);
    assert_says(bed, "a.db is busy");
    ts_database_close(&other);
    assert_true(ts_database_exec(&bed->database, "BEGIN IMMEDIATE"));
}

static void one_in_memory_has_no_path(void **state)
{
    struct bed *bed = *state;
    assert_int_equal(ts_database_open(&bed->database, &bed->kind, NULL, "a.db", &bed->err), TS_OK);
    assert_string_equal(bed->database.path, "");
    assert_int_equal(ask(bed, "SELECT count(*) FROM thing"), 1);
    assert_false(ts_database_exec(&bed->database, "INSERT INTO nowhere VALUES (1)"));
    assert_int_equal(ts_database_fail(&bed->database, &bed->err), TS_ERR_SYSTEM);
    assert_says(bed, "no such table");
}

static void rows_add(struct bed *bed, int count)
{
    for (int i = 0; i < count; i++) {
        assert_true(
            ts_database_exec(&bed->database, "INSERT INTO thing VALUES (randomblob(2000))"));
    }
}

// Whoever opens a database that others have left reads all of its log.
static void a_long_log_is_begun_anew_when_it_is_asked_for(void **state)
{
    struct bed *bed = *state;
    assert_int_equal(
        ts_database_open(&bed->database, &bed->kind, bed->directory, "a.db", &bed->err), TS_OK);
    rows_add(bed, 5);
    assert_in_range(bed->database.logged, 5, 50);
    ts_database_tidy(&bed->database); // short: nothing is to be gained
    int short_log = bed->database.logged;
    rows_add(bed, 1);
    assert_in_range(bed->database.logged, short_log + 1, 50);
    rows_add(bed, 12);
    assert_in_range(bed->database.logged, 51, 100);
    ts_database_tidy(&bed->database);
    rows_add(bed, 1);
    assert_in_range(bed->database.logged, 1, 10);
}

// Nor is it waited for who reads it.
static void a_log_that_others_use_is_left_alone(void **state)
{
    struct bed *bed = *state;
    struct ts_database other = {0};
    int64_t count = 0;
    assert_int_equal(
        ts_database_open(&bed->database, &bed->kind, bed->directory, "a.db", &bed->err), TS_OK);
    rows_add(bed, 5);
    assert_int_equal(
        ts_database_open(&other, &bed->kind, bed->directory, "a.db", &bed->err), TS_OK);
    assert_true(ts_database_exec(&other, "BEGIN"));
    assert_true(ts_database_number(&other, "SELECT count(*) FROM thing", &count));
    rows_add(bed, 21);
    bed->database.busy_us = INT64_MAX; // it would hang
    ts_database_tidy(&bed->database);
    rows_add(bed, 1);
    assert_in_range(bed->database.logged, 51, 200);
    int64_t again = 0;
    assert_true(ts_database_number(&other, "SELECT count(*) FROM thing", &again));
    assert_int_equal(again, count);
    ts_database_close(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_new_file_is_of_today, bed_make, bed_drop),
        cmocka_unit_test_setup_teardown(an_older_file_is_brought_up_to_date, bed_make, bed_drop),
        cmocka_unit_test_setup_teardown(a_newer_file_is_refused_and_left_alone, bed_make, bed_drop),
        cmocka_unit_test_setup_teardown(a_step_that_fails_changes_nothing, bed_make, bed_drop),
        cmocka_unit_test_setup_teardown(
            of_many_processes_one_brings_it_up_to_date, bed_make, bed_drop),
        cmocka_unit_test_setup_teardown(
            what_is_of_another_kind_is_refused_and_left_alone, bed_make, bed_drop),
        cmocka_unit_test_setup_teardown(what_is_no_database_is_damaged, bed_make, bed_drop),
        cmocka_unit_test_setup_teardown(others_are_waited_for_and_then_not, bed_make, bed_drop),
        cmocka_unit_test_setup_teardown(one_in_memory_has_no_path, bed_make, bed_drop),
        cmocka_unit_test_setup_teardown(
            a_long_log_is_begun_anew_when_it_is_asked_for, bed_make, bed_drop),
        cmocka_unit_test_setup_teardown(a_log_that_others_use_is_left_alone, bed_make, bed_drop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
