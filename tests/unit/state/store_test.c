// SPDX-License-Identifier: MIT
// Records that processes share: nobody's update is lost, whoever opens, waits or is killed.
#include <setjmp.h>
#include <signal.h>
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

#include "host/state/store.h"

#define PROCESSES 8
#define UPDATES 200

struct record {
    int64_t count;
    char padding[6000];
};

struct bed {
    char directory[64];
    struct ts_store *store;
};

static int bed_make(void **state)
{
    struct bed *bed = calloc(1, sizeof *bed);
    *state = bed;
    snprintf(bed->directory, sizeof bed->directory, "/tmp/tshost-store-XXXXXX");
    return mkdtemp(bed->directory) ? 0 : -1;
}

static int bed_drop(void **state)
{
    struct bed *bed = *state;
    static const char *const names[] = {"rate.db", "rate.db-wal", "rate.db-shm"};
    ts_store_close(bed->store);
    for (size_t i = 0; i < 3; i++) {
        char path[128];
        snprintf(path, sizeof path, "%s/%s", bed->directory, names[i]);
        remove(path);
    }
    int left = rmdir(bed->directory);
    free(bed);
    return left;
}

static void open_store(struct bed *bed)
{
    struct ts_error err;
    if (ts_store_open(bed->directory, "rate.db", &bed->store, &err)) {
        fail_msg("%s", err.message);
    }
}

static bool count_up(void *owner, void *memory, size_t size, bool is_found)
{
    struct record *record = memory;
    int64_t *seen = owner;
    if (size != sizeof *record || is_found != (record->count > 0)) {
        return false;
    }
    record->count++;
    if (seen) {
        *seen = record->count;
    }
    return true;
}

static bool look(void *owner, void *memory, size_t size, bool is_found)
{
    (void)size;
    *(int64_t *)owner = is_found ? ((struct record *)memory)->count : -1;
    ((struct record *)memory)->count = 999; // is not kept
    return false;
}

static int64_t count_of(struct bed *bed, const char *key)
{
    struct record record;
    struct ts_error err;
    int64_t count = -2;
    assert_int_equal(
        ts_store_update(bed->store, key, &record, sizeof record, look, &count, &err), TS_OK);
    return count;
}

static void records_are_kept_by_name(void **state)
{
    struct bed *bed = *state;
    struct record record;
    struct ts_error err;
    open_store(bed);
    assert_int_equal(count_of(bed, "a"), -1);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(
            ts_store_update(bed->store, "a", &record, sizeof record, count_up, NULL, &err), TS_OK);
    }
    ts_store_close(bed->store);
    open_store(bed);
    assert_int_equal(count_of(bed, "a"), 3);
    assert_int_equal(count_of(bed, "a"), 3);
    assert_int_equal(count_of(bed, "b"), -1);
}

// Opens a file that is new to all, and updates; 0 when all went well.
static int child_run(struct bed *bed, int updates)
{
    struct record record;
    struct ts_error err;
    if (ts_store_open(bed->directory, "rate.db", &bed->store, &err)) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    for (int i = 0; i < updates;) {
        enum ts_err code =
            ts_store_update(bed->store, "a", &record, sizeof record, count_up, NULL, &err);
        if (code && code != TS_ERR_TIMEOUT) { // busy for long: a slow machine
            fprintf(stderr, "%s\n", err.message);
            return 2;
        }
        i += !code;
    }
    ts_store_close(bed->store);
    return 0;
}

static void no_update_is_lost_among_processes(void **state)
{
    struct bed *bed = *state;
    pid_t children[PROCESSES];
    for (int i = 0; i < PROCESSES; i++) {
        children[i] = fork();
        if (children[i] == 0) {
            _exit(child_run(bed, UPDATES));
        }
        assert_true(children[i] > 0);
    }
    for (int i = 0; i < PROCESSES; i++) {
        int status;
        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_int_equal(status, 0);
    }
    open_store(bed);
    assert_int_equal(count_of(bed, "a"), PROCESSES * UPDATES);
}

static bool tell_and_hang(void *owner, void *memory, size_t size, bool is_found)
{
    count_up(NULL, memory, size, is_found);
    if (write(*(int *)owner, "x", 1) == 1) {
        pause();
    }
    return true;
}

// Killed inside an update: what it began is undone, and nobody has to wait for it.
static void a_killed_process_leaves_no_lock(void **state)
{
    struct bed *bed = *state;
    int64_t seen = 0;
    struct record record;
    struct ts_error err;
    open_store(bed);
    assert_int_equal(
        ts_store_update(bed->store, "a", &record, sizeof record, count_up, &seen, &err), TS_OK);
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        struct ts_store *own;
        if (!ts_store_open(bed->directory, "rate.db", &own, &err)) {
            ts_store_update(own, "a", &record, sizeof record, tell_and_hang, &ends[1], &err);
        }
        _exit(1);
    }
    char byte;
    assert_int_equal(read(ends[0], &byte, 1), 1);
    enum ts_err code =
        ts_store_update(bed->store, "a", &record, sizeof record, count_up, &seen, &err);
    assert_int_equal(code, TS_ERR_TIMEOUT);
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, NULL, 0), child);
    code = ts_store_update(bed->store, "a", &record, sizeof record, count_up, &seen, &err);
    assert_int_equal(code, TS_OK);
    assert_int_equal(seen, 2);
    close(ends[0]);
    close(ends[1]);
}

static void its_files_are_the_users_alone(void **state)
{
    struct bed *bed = *state;
    struct record record;
    struct ts_error err;
    mode_t old = umask(0);
    open_store(bed);
    ts_store_update(bed->store, "a", &record, sizeof record, count_up, NULL, &err);
    umask(old);
    static const char *const names[] = {"rate.db", "rate.db-wal", "rate.db-shm"};
    for (size_t i = 0; i < 3; i++) {
        char path[128];
        struct stat status;
        snprintf(path, sizeof path, "%s/%s", bed->directory, names[i]);
        assert_int_equal(stat(path, &status), 0);
        assert_int_equal(status.st_mode & 07777, 0600);
    }
}

static void write_file(struct bed *bed, const char *text, size_t times)
{
    char path[128];
    snprintf(path, sizeof path, "%s/rate.db", bed->directory);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    for (size_t i = 0; i < times; i++) {
        fputs(text, file);
    }
    assert_int_equal(fclose(file), 0);
}

static void what_is_no_store_is_refused(void **state)
{
    struct bed *bed = *state;
    struct ts_error err;
    write_file(bed, "this is a letter to my aunt\n", 1000);
    assert_int_not_equal(ts_store_open(bed->directory, "rate.db", &bed->store, &err), TS_OK);
    assert_non_null(strstr(err.message, "damaged"));
    assert_null(bed->store);
    write_file(bed, "", 0); // an empty one is a new one
    open_store(bed);
}

// After so many updates the log has been written back; what is in it since goes.
static void a_file_damaged_later_is_an_error(void **state)
{
    struct bed *bed = *state;
    struct record record;
    struct ts_error err;
    open_store(bed);
    for (int i = 0; i < 300; i++) {
        ts_store_update(bed->store, "a", &record, sizeof record, count_up, NULL, &err);
    }
    ts_store_close(bed->store);
    bed->store = NULL;
    char path[128];
    snprintf(path, sizeof path, "%s/rate.db-wal", bed->directory);
    assert_int_equal(remove(path), 0);
    snprintf(path, sizeof path, "%s/rate.db", bed->directory);
    FILE *file = fopen(path, "r+");
    assert_non_null(file);
    fseek(file, 8192, SEEK_SET);
    for (int i = 0; i < 20000; i++) {
        fputc(0x5a, file);
    }
    assert_int_equal(fclose(file), 0);
    enum ts_err code = ts_store_open(bed->directory, "rate.db", &bed->store, &err);
    if (!code) {
        code = ts_store_update(bed->store, "a", &record, sizeof record, count_up, NULL, &err);
    }
    assert_int_not_equal(code, TS_OK);
    assert_non_null(strstr(err.message, "rate.db"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(records_are_kept_by_name, bed_make, bed_drop),
        cmocka_unit_test_setup_teardown(no_update_is_lost_among_processes, bed_make, bed_drop),
        cmocka_unit_test_setup_teardown(a_killed_process_leaves_no_lock, bed_make, bed_drop),
        cmocka_unit_test_setup_teardown(its_files_are_the_users_alone, bed_make, bed_drop),
        cmocka_unit_test_setup_teardown(what_is_no_store_is_refused, bed_make, bed_drop),
        cmocka_unit_test_setup_teardown(a_file_damaged_later_is_an_error, bed_make, bed_drop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
