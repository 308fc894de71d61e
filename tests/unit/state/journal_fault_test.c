// SPDX-License-Identifier: MIT
// Processes that are killed, disks that are full, files that cannot be written or read: what was
// committed is there afterwards, and what goes wrong is said.
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "host/state/journal_private.h"
#include "tests/unit/state/journal_bed.h"

#define PROCESSES 6
#define OPERATIONS 60
#define MANY 10000
#define NOBODY 65534
#define CANNOT 77 // a child's exit: what the test needs is not to be had here

static void assert_says(const struct journal_bed *bed, const char *text)
{
    if (!strstr(bed->err.message, text)) {
        fail_msg("no \"%s\" in \"%s\"", text, bed->err.message);
    }
}

static bool findings_print(void *owner, const char *json, size_t len)
{
    (void)len;
    ++*(size_t *)owner;
    assert_null(strstr(json, "\\n")); // a finding is a line
    fprintf(stderr, "%s\n", json);
    return true;
}

static void assert_sound(struct journal_bed *bed)
{
    size_t count = 0;
    if (ts_journal_verify(bed->journal, findings_print, &count, &bed->err)) {
        fail_msg("%s", bed->err.message);
    }
    assert_int_equal(count, 0);
}

// Waits for a child that ends by itself; its status.
static int child_status(pid_t child)
{
    int status;
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static int child_add(struct journal_bed *bed)
{
    char id[TS_RUN_ID_MAX];
    int64_t last = 0;
    journal_bed_open(bed);
    journal_bed_add_run(bed, id);
    for (int i = 0; i < OPERATIONS; i++) {
        int64_t number = journal_bed_add(bed, id);
        if (number <= last) {
            return 1;
        }
        last = number;
        journal_bed_commit(bed);
        journal_bed_settle(bed, number, TS_OPERATION_DONE);
    }
    ts_journal_close(bed->journal); // the last outcome is not committed
    return 0;
}

static void processes_add_at_once(void **state)
{
    struct journal_bed *bed = *state;
    pid_t children[PROCESSES];
    for (int i = 0; i < PROCESSES; i++) {
        children[i] = fork();
        if (children[i] == 0) {
            _exit(child_add(bed));
        }
    }
    for (int i = 0; i < PROCESSES; i++) {
        assert_int_equal(child_status(children[i]), 0);
    }
    journal_bed_open(bed);
    assert_int_equal(
        journal_bed_ask(bed, "SELECT count(*) FROM operation"), PROCESSES * OPERATIONS);
    assert_int_equal(
        journal_bed_ask(bed, "SELECT count(*) FROM outcome"), PROCESSES * (OPERATIONS - 1));
    assert_int_equal(journal_bed_ask(bed, "SELECT count(DISTINCT run) FROM operation"), PROCESSES);
    assert_sound(bed);
}

// A child that adds a run and an operation, commits if it shall, says so and waits to be killed.
static pid_t child_begin(struct journal_bed *bed, bool commits)
{
    int ends[2];
    char byte;
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        char id[TS_RUN_ID_MAX];
        journal_bed_open(bed);
        journal_bed_add_run(bed, id);
        journal_bed_add(bed, id);
        if (commits) {
            journal_bed_commit(bed);
        }
        if (write(ends[1], "x", 1) == 1) {
            pause();
        }
        _exit(1);
    }
    assert_true(child > 0);
    close(ends[1]);
    assert_int_equal(read(ends[0], &byte, 1), 1);
    close(ends[0]);
    return child;
}

static void child_kill(pid_t child)
{
    int status;
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
}

static void killed_before_the_commit_it_is_gone(void **state)
{
    struct journal_bed *bed = *state;
    pid_t child = child_begin(bed, false);
    journal_bed_open(bed);
    // Meanwhile others wait, but not for ever.
    bed->journal->database.busy_us = 1000;
    struct ts_journal_run run = journal_bed_run("run");
    char id[TS_RUN_ID_MAX];
    assert_int_equal(ts_journal_add_run(bed->journal, &run, id, &bed->err), TS_ERR_TIMEOUT);
    assert_says(bed, "journal.db is busy");
    child_kill(child);
    journal_bed_add_run(bed, id);
    assert_int_equal(journal_bed_ask(bed, "SELECT count(*) FROM run"), 2);
    assert_int_equal(journal_bed_ask(bed, "SELECT count(*) FROM operation"), 0);
    assert_sound(bed);
}

static void killed_after_the_commit_it_is_there(void **state)
{
    struct journal_bed *bed = *state;
    char id[TS_RUN_ID_MAX];
    child_kill(child_begin(bed, true));
    journal_bed_open(bed);
    assert_int_equal(journal_bed_ask(bed, "SELECT count(*) FROM operation"), 1);
    assert_int_equal(journal_bed_ask(bed, "SELECT count(*) FROM outcome"), 0);
    assert_int_equal(ts_journal_find(bed->journal, "last", id, &bed->err), TS_OK);
    assert_true(journal_bed_add(bed, id) > 1);
    assert_sound(bed);
}

// Adds until it fails, then tells how: 0 when what was committed is there, what was not is gone,
// and once there is room again all goes on. `make_room` ends what makes it fail.
static int fill(struct journal_bed *bed, enum ts_err wanted, const char *reason,
    void (*make_room)(struct journal_bed *bed))
{
    static char text[3000];
    char id[TS_RUN_ID_MAX], query[96];
    int len = snprintf(text, sizeof text, "{\"x\":\"%02990d\"}", 0);
    struct ts_journal_intent intent = {
        .op = "create", .body = text, .body_len = (size_t)len, .started_us = BED_STARTED};
    journal_bed_open(bed);
    journal_bed_add_run(bed, id);
    int64_t number, last = 0;
    enum ts_err code = TS_OK;
    for (int i = 0; !code && i < 5000; i++) {
        code = ts_journal_add(bed->journal, id, &intent, &number, &bed->err);
        if (!code) {
            code = ts_journal_commit(bed->journal, &bed->err);
        }
        last = code ? last : number;
    }
    fprintf(stderr, "after %lld: %s\n", (long long)last, bed->err.message);
    if (code != wanted || !strstr(bed->err.message, reason) ||
        !strstr(bed->err.message, "journal.db") || ts_journal_is_pending(bed->journal)) {
        return 1;
    }
    snprintf(query, sizeof query, "SELECT max(number) = %lld FROM operation", (long long)last);
    if (last < 10 || journal_bed_ask(bed, query) != 1) {
        return 2;
    }
    make_room(bed);
    if (ts_journal_add(bed->journal, id, &intent, &number, &bed->err) ||
        ts_journal_commit(bed->journal, &bed->err)) {
        fprintf(stderr, "%s\n", bed->err.message);
        return 3;
    }
    journal_bed_open(bed);
    assert_sound(bed);
    snprintf(query, sizeof query, "SELECT count(*) = %lld FROM operation", (long long)last + 1);
    int status = journal_bed_ask(bed, query) == 1 ? 0 : 4;
    ts_journal_close(bed->journal);
    return status;
}

static void lift_limit(struct journal_bed *bed)
{
    (void)bed;
    struct rlimit limit;
    getrlimit(RLIMIT_FSIZE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_FSIZE, &limit);
}

// The limit of a file's size stands for any error of a write.
static void a_write_that_fails_loses_only_what_was_not_committed(void **state)
{
    struct journal_bed *bed = *state;
    pid_t child = fork();
    if (child == 0) {
        struct rlimit limit;
        signal(SIGXFSZ, SIG_IGN);
        getrlimit(RLIMIT_FSIZE, &limit);
        limit.rlim_cur = 400000;
        setrlimit(RLIMIT_FSIZE, &limit);
        _exit(fill(bed, TS_ERR_SYSTEM, "File too large", lift_limit));
    }
    assert_int_equal(child_status(child), 0);
}

static void remove_ballast(struct journal_bed *bed)
{
    char path[128];
    snprintf(path, sizeof path, "%s/ballast", bed->directory);
    remove(path);
}

// A small disk of the child's own, which ends with it; half of it is taken by something else.
static int child_fill_disk(struct journal_bed *bed)
{
    static char bytes[200000];
    char path[128];
    if (unshare(geteuid() ? CLONE_NEWUSER | CLONE_NEWNS : CLONE_NEWNS) ||
        mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
        mount("tmpfs", bed->directory, "tmpfs", 0, "size=600k,mode=0700")) {
        fprintf(stderr, "no small disk: %s\n", strerror(errno));
        return CANNOT;
    }
    snprintf(path, sizeof path, "%s/ballast", bed->directory);
    int fd = open(path, O_WRONLY | O_CREAT, 0600);
    if (fd < 0 || write(fd, bytes, sizeof bytes) != sizeof bytes || close(fd)) {
        return CANNOT;
    }
    return fill(bed, TS_ERR_SYSTEM, "disk is full", remove_ballast);
}

static void a_full_disk_loses_only_what_was_not_committed(void **state)
{
    struct journal_bed *bed = *state;
    pid_t child = fork();
    if (child == 0) {
        _exit(child_fill_disk(bed));
    }
    int status = child_status(child);
    if (status == CANNOT) {
        skip();
    }
    assert_int_equal(status, 0);
}

// Opens it as somebody to whom permissions apply; 0 when that fails and says so.
static int child_open_unprivileged(struct journal_bed *bed, const char *file, const char *reason)
{
    if (geteuid() == 0 && seteuid(NOBODY)) {
        return CANNOT;
    }
    enum ts_err code = ts_journal_open(bed->directory, &bed->journal, &bed->err);
    char id[TS_RUN_ID_MAX];
    if (!code) {
        struct ts_journal_run run = journal_bed_run("run");
        code = ts_journal_add_run(bed->journal, &run, id, &bed->err);
    }
    bool is_told = code == TS_ERR_SYSTEM && strstr(bed->err.message, bed->directory) &&
                   strstr(bed->err.message, file) && strstr(bed->err.message, reason);
    fprintf(stderr, "%s\n", bed->err.message);
    return is_told ? 0 : 1;
}

static void give_to_nobody(const char *path)
{
    if (geteuid() == 0) {
        assert_int_equal(chown(path, NOBODY, NOBODY), 0);
    }
}

static void assert_cannot_be_opened(struct journal_bed *bed, const char *file, const char *reason)
{
    pid_t child = fork();
    if (child == 0) {
        _exit(child_open_unprivileged(bed, file, reason));
    }
    int status = child_status(child);
    if (status == CANNOT) {
        skip();
    }
    assert_int_equal(status, 0);
}

static void a_directory_that_cannot_be_written_is_named(void **state)
{
    struct journal_bed *bed = *state;
    give_to_nobody(bed->directory);
    assert_int_equal(chmod(bed->directory, 0500), 0);
    assert_cannot_be_opened(bed, "journal.db", "Permission denied");
    assert_int_equal(chmod(bed->directory, 0700), 0);
}

// The file is there, and what SQLite has to put beside it cannot be.
static void a_directory_that_became_read_only_is_named(void **state)
{
    struct journal_bed *bed = *state;
    char path[128];
    journal_bed_open(bed);
    ts_journal_close(bed->journal);
    bed->journal = NULL;
    remove(journal_bed_path(bed, "-wal", path));
    remove(journal_bed_path(bed, "-shm", path));
    give_to_nobody(journal_bed_path(bed, "", path));
    give_to_nobody(bed->directory);
    assert_int_equal(chmod(bed->directory, 0500), 0);
    assert_cannot_be_opened(bed, "journal.db", "");
    assert_int_equal(chmod(bed->directory, 0700), 0);
}

static void a_file_that_cannot_be_written_is_named(void **state)
{
    struct journal_bed *bed = *state;
    char path[128];
    journal_bed_open(bed);
    ts_journal_close(bed->journal);
    bed->journal = NULL;
    give_to_nobody(bed->directory);
    give_to_nobody(journal_bed_path(bed, "", path));
    assert_int_equal(chmod(path, 0400), 0);
    assert_cannot_be_opened(bed, "journal.db", "Permission denied");
}

static void overwrite(struct journal_bed *bed, long from, size_t len)
{
    char path[128];
    FILE *file = fopen(journal_bed_path(bed, "", path), "r+");
    assert_non_null(file);
    fseek(file, from, SEEK_SET);
    for (size_t i = 0; i < len; i++) {
        fputc(0x5a, file);
    }
    assert_int_equal(fclose(file), 0);
}

// Nobody is told to throw away the record of what was done.
static void assert_called_damaged(struct journal_bed *bed)
{
    assert_says(bed, "journal.db is damaged");
    assert_says(bed, "move it away and keep it");
    assert_null(strstr(bed->err.message, "remove"));
}

static void a_damaged_file_is_called_that(void **state)
{
    struct journal_bed *bed = *state;
    char id[TS_RUN_ID_MAX];
    journal_bed_open(bed);
    journal_bed_add_run(bed, id);
    for (int i = 0; i < 2000; i++) {
        journal_bed_add(bed, id);
    }
    journal_bed_commit(bed);
    ts_journal_close(bed->journal);
    bed->journal = NULL;
    assert_int_equal(journal_bed_ask(bed, "PRAGMA wal_checkpoint(TRUNCATE)"), 0);
    overwrite(bed, 16384, 100000);
    journal_bed_open(bed);
    size_t count = 0;
    enum ts_err code = ts_journal_verify(bed->journal, findings_print, &count, &bed->err);
    assert_true(count > 0);
    if (code) {
        assert_called_damaged(bed);
    }
    ts_journal_close(bed->journal);
    overwrite(bed, 0, 100);
    assert_int_equal(ts_journal_open(bed->directory, &bed->journal, &bed->err), TS_ERR_SYSTEM);
    assert_null(bed->journal);
    assert_called_damaged(bed);
}

static void ten_thousand_operations_are_kept(void **state)
{
    struct journal_bed *bed = *state;
    char id[TS_RUN_ID_MAX];
    journal_bed_open(bed);
    journal_bed_add_run(bed, id);
    int64_t last = 0;
    for (int i = 0; i < MANY; i += 100) {
        for (int k = 0; k < 100; k++) {
            int64_t number = journal_bed_add(bed, id);
            assert_true(number > last);
            if (last) {
                journal_bed_settle(bed, last, TS_OPERATION_DONE);
            }
            last = number;
        }
        journal_bed_commit(bed);
    }
    assert_int_equal(journal_bed_ask(bed, "SELECT count(*) FROM operation"), MANY);
    assert_int_equal(journal_bed_ask(bed, "SELECT count(*) FROM outcome"), MANY - 1);
    assert_sound(bed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(processes_add_at_once, journal_bed_make, journal_bed_drop),
        cmocka_unit_test_setup_teardown(
            killed_before_the_commit_it_is_gone, journal_bed_make, journal_bed_drop),
        cmocka_unit_test_setup_teardown(
            killed_after_the_commit_it_is_there, journal_bed_make, journal_bed_drop),
        cmocka_unit_test_setup_teardown(a_write_that_fails_loses_only_what_was_not_committed,
            journal_bed_make, journal_bed_drop),
        cmocka_unit_test_setup_teardown(
            a_full_disk_loses_only_what_was_not_committed, journal_bed_make, journal_bed_drop),
        cmocka_unit_test_setup_teardown(
            a_directory_that_cannot_be_written_is_named, journal_bed_make, journal_bed_drop),
        cmocka_unit_test_setup_teardown(
            a_directory_that_became_read_only_is_named, journal_bed_make, journal_bed_drop),
        cmocka_unit_test_setup_teardown(
            a_file_that_cannot_be_written_is_named, journal_bed_make, journal_bed_drop),
        cmocka_unit_test_setup_teardown(
            a_damaged_file_is_called_that, journal_bed_make, journal_bed_drop),
        cmocka_unit_test_setup_teardown(
            ten_thousand_operations_are_kept, journal_bed_make, journal_bed_drop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
