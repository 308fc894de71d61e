// SPDX-License-Identifier: MIT
// A commit returns when the disk has it, and fails when the disk fails. SQLite's calls for that
// come here: this program's functions are found before the C library's.
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/state/journal_bed.h"

static ino_t above;    // the directory above that of the journal
static bool is_above;  // whether it was synced
static int syncs;      // so far
static bool is_broken; // whether they fail

static int sync_count(long call, int fd)
{
    struct stat status;
    syncs++;
    is_above = is_above || (fstat(fd, &status) == 0 && status.st_ino == above);
    if (is_broken) {
        errno = EIO;
        return -1;
    }
    return (int)syscall(call, fd);
}

int fsync(int fd)
{
    return sync_count(SYS_fsync, fd);
}

int fdatasync(int fildes)
{
    return sync_count(SYS_fdatasync, fildes);
}

static int make(void **state)
{
    is_broken = false;
    syncs = 0;
    return journal_bed_make(state);
}

static void a_commit_waits_for_the_disk(void **state)
{
    struct journal_bed *bed = *state;
    char id[TS_RUN_ID_MAX];
    journal_bed_open(bed);
    journal_bed_add_run(bed, id);
    for (int i = 0; i < 3; i++) {
        syncs = 0;
        int64_t number = journal_bed_add(bed, id);
        journal_bed_settle(bed, number, TS_OPERATION_DONE);
        journal_bed_add(bed, id);
        assert_int_equal(syncs, 0);
        journal_bed_commit(bed);
        assert_int_equal(syncs, 1); // for all of them
        journal_bed_commit(bed);
        assert_int_equal(syncs, 1); // there was nothing
    }
    syncs = 0;
    ts_journal_close(bed->journal);
    bed->journal = NULL;
    assert_int_equal(syncs, 0); // the end of a run waits for nothing
}

// The directory, those above it and the file: else a power cut could take the journal as a whole.
static void a_new_journal_is_on_the_disk_with_its_directory(void **state)
{
    struct journal_bed *bed = *state;
    struct stat status;
    assert_int_equal(stat("/tmp", &status), 0);
    above = status.st_ino;
    is_above = false;
    journal_bed_open(bed);
    assert_true(is_above);
    syncs = 0;
    journal_bed_open(bed);
    assert_int_equal(syncs, 0);
}

static void a_disk_that_fails_is_told(void **state)
{
    struct journal_bed *bed = *state;
    char id[TS_RUN_ID_MAX];
    journal_bed_open(bed);
    journal_bed_add_run(bed, id);
    journal_bed_add(bed, id);
    is_broken = true;
    assert_int_equal(ts_journal_commit(bed->journal, &bed->err), TS_ERR_SYSTEM);
    assert_non_null(strstr(bed->err.message, "journal.db: disk I/O error: Input/output error"));
    assert_false(ts_journal_is_pending(bed->journal));
    is_broken = false;
    assert_int_equal(journal_bed_ask(bed, "SELECT count(*) FROM operation"), 0);
    journal_bed_add(bed, id);
    journal_bed_commit(bed);
    assert_int_equal(journal_bed_ask(bed, "SELECT count(*) FROM operation"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_commit_waits_for_the_disk, make, journal_bed_drop),
        cmocka_unit_test_setup_teardown(
            a_new_journal_is_on_the_disk_with_its_directory, make, journal_bed_drop),
        cmocka_unit_test_setup_teardown(a_disk_that_fails_is_told, make, journal_bed_drop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
