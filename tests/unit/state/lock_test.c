// SPDX-License-Identifier: MIT
// One process at a time, whoever races, is killed or leaves children behind; and who it is.
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "host/base/clock.h"
#include "host/state/lock.h"

#define RACERS 200
#define KILLS 100

struct bed {
    char directory[64];
    char path[96];
    struct ts_lock *lock;
};

static int bed_make(void **state)
{
    struct bed *bed = calloc(1, sizeof *bed);
    *state = bed;
    snprintf(bed->directory, sizeof bed->directory, "/tmp/tshost-lock-XXXXXX");
    bool is_made = mkdtemp(bed->directory) != NULL;
    snprintf(bed->path, sizeof bed->path, "%s/lock", bed->directory);
    return is_made ? 0 : -1;
}

static int bed_drop(void **state)
{
    struct bed *bed = *state;
    ts_lock_close(bed->lock);
    remove(bed->path);
    int left = rmdir(bed->directory);
    free(bed);
    return left;
}

static struct ts_lock *lock_open(const struct bed *bed)
{
    struct ts_lock *lock;
    struct ts_error err;
    if (ts_lock_open(bed->directory, "lock", &lock, &err)) {
        fail_msg("%s", err.message);
    }
    return lock;
}

static enum ts_err lock_take(struct ts_lock *lock)
{
    struct ts_lock_holder self;
    struct ts_error err;
    ts_lock_holder_self(&self, "onboard.lua", "");
    return ts_lock_take(lock, &self, &err);
}

static void one_has_it_until_it_lets_go(void **state)
{
    struct bed *bed = *state;
    struct ts_lock_holder holder;
    struct ts_lock *other = lock_open(bed);
    bed->lock = lock_open(bed);
    int64_t before_us = ts_clock_wall(ts_clock_system());
    assert_int_equal(lock_take(bed->lock), TS_OK);
    assert_int_equal(lock_take(other), TS_ERR_LOCKED);
    ts_lock_look(other, &holder);
    assert_true(holder.is_known);
    assert_false(holder.is_gone);
    assert_false(holder.is_far);
    assert_int_equal(holder.process.pid, getpid());
    assert_string_equal(holder.what, "onboard.lua");
    assert_string_equal(holder.run, "");
    assert_true(holder.since_us >= before_us);
    assert_true(holder.since_us <= ts_clock_wall(ts_clock_system()));
    ts_lock_close(bed->lock);
    bed->lock = NULL;
    assert_int_equal(lock_take(other), TS_OK);
    ts_lock_close(other);
}

static void closing_another_descriptor_does_not_end_it(void **state)
{
    struct bed *bed = *state;
    bed->lock = lock_open(bed);
    assert_int_equal(lock_take(bed->lock), TS_OK);
    ts_lock_close(lock_open(bed));
    int fd = open(bed->path, O_RDWR);
    assert_true(fd >= 0);
    close(fd);
    struct ts_lock *other = lock_open(bed);
    assert_int_equal(lock_take(other), TS_ERR_LOCKED);
    ts_lock_close(other);
}

// A child that ends with this process, also when a test has failed.
static pid_t child_fork(void)
{
    pid_t child = fork();
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
    }
    return child;
}

static void byte_wait(int fd)
{
    char byte;
    assert_int_equal(read(fd, &byte, 1), 1);
}

static void a_killed_process_never_keeps_it(void **state)
{
    struct bed *bed = *state;
    for (int i = 0; i < KILLS; i++) {
        int ends[2];
        assert_int_equal(pipe(ends), 0);
        pid_t child = child_fork();
        if (child == 0) {
            bool is_held = lock_take(lock_open(bed)) == TS_OK;
            while (is_held && write(ends[1], "h", 1) == 1) {
                pause();
            }
            _exit(1);
        }
        close(ends[1]);
        byte_wait(ends[0]);
        bed->lock = lock_open(bed);
        assert_int_equal(lock_take(bed->lock), TS_ERR_LOCKED);
        assert_int_equal(kill(child, SIGKILL), 0);
        assert_int_equal(waitpid(child, NULL, 0), child);
        assert_int_equal(lock_take(bed->lock), TS_OK);
        ts_lock_close(bed->lock);
        bed->lock = NULL;
        close(ends[0]);
    }
}

// What a racer has seen.
struct racer {
    pid_t self;
    pid_t holder; // whom it found
    bool has_won;
};

// Tries when `start` is closed at its other end, says what came of it, holds until `end` is.
static void race_run(const struct bed *bed, int start, int result, int end)
{
    char byte;
    struct ts_lock_holder holder;
    struct ts_lock *lock = lock_open(bed);
    struct racer racer = {.self = getpid()};
    bool is_started = read(start, &byte, 1) == 0;
    racer.has_won = is_started && lock_take(lock) == TS_OK;
    ts_lock_look(lock, &holder);
    racer.holder = (pid_t)holder.process.pid;
    bool is_told = write(result, &racer, sizeof racer) == (ssize_t)sizeof racer;
    bool is_ended = read(end, &byte, 1) == 0;
    _exit(is_told && is_ended ? 0 : 1);
}

static void of_many_that_race_one_wins(void **state)
{
    struct bed *bed = *state;
    int start[2], result[2], end[2], wins = 0;
    struct racer racers[RACERS];
    pid_t winner = 0, children[RACERS];
    assert_int_equal(pipe(start) | pipe(result) | pipe(end), 0);
    for (int i = 0; i < RACERS; i++) {
        children[i] = child_fork();
        if (children[i] == 0) {
            close(start[1]);
            close(end[1]);
            race_run(bed, start[0], result[1], end[0]);
        }
        assert_true(children[i] > 0);
    }
    close(start[1]);
    for (int i = 0; i < RACERS; i++) {
        ssize_t got = read(result[0], &racers[i], sizeof racers[i]);
        assert_int_equal(got, sizeof racers[i]);
        wins += racers[i].has_won;
        winner = racers[i].has_won ? racers[i].self : winner;
    }
    assert_int_equal(wins, 1);
    for (int i = 0; i < RACERS; i++) {
        assert_int_equal(racers[i].holder, winner);
    }
    close(end[1]);
    for (int i = 0; i < RACERS; i++) {
        int status;
        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_int_equal(status, 0);
    }
    close(start[0]);
    close(result[0]);
    close(result[1]);
    close(end[0]);
}

// A child takes it and starts a command that outlives the child; the command reads from `input`.
static pid_t child_start(const struct bed *bed, bool is_exec, int input[2], int ready)
{
    pid_t child = child_fork();
    if (child != 0) {
        return child;
    }
    bool is_held = lock_take(lock_open(bed)) == TS_OK;
    close(input[1]);
    pid_t left = is_exec || !is_held ? 0 : fork();
    if (is_held && is_exec) {
        extern char **environ;
        char name[] = "cat";
        char *const argv[] = {name, NULL};
        posix_spawn_file_actions_t actions;
        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_adddup2(&actions, input[0], STDIN_FILENO);
        is_held = posix_spawnp(&left, "cat", &actions, NULL, argv, environ) == 0;
        posix_spawn_file_actions_destroy(&actions);
    }
    if (!is_exec && left == 0) {
        char byte;
        _exit((int)read(input[0], &byte, 1));
    }
    while (is_held && write(ready, "r", 1) == 1) {
        pause();
    }
    _exit(1);
}

static void what_is_left_behind(struct bed *bed, bool is_exec, enum ts_err expected)
{
    int input[2], ready[2];
    struct ts_lock_holder holder;
    assert_int_equal(pipe(input) | pipe(ready), 0);
    pid_t child = child_start(bed, is_exec, input, ready[1]);
    assert_true(child > 0);
    close(input[0]);
    byte_wait(ready[0]);
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    bed->lock = lock_open(bed);
    assert_int_equal(lock_take(bed->lock), expected);
    ts_lock_look(bed->lock, &holder);
    assert_true(holder.is_known);
    assert_int_equal(holder.is_gone, expected != TS_OK);
    assert_int_equal(holder.process.pid, expected ? child : getpid());
    close(input[1]); // ends what was left
    close(ready[0]);
    close(ready[1]);
}

static void a_command_left_behind_does_not_keep_it(void **state)
{
    what_is_left_behind(*state, true, TS_OK);
}

// A copy of the process could go on writing: so it keeps the lock, and that is said.
static void a_copy_of_the_process_left_behind_keeps_it(void **state)
{
    what_is_left_behind(*state, false, TS_ERR_LOCKED);
}

static size_t file_read(const struct bed *bed, char *text, size_t size)
{
    FILE *file = fopen(bed->path, "r");
    assert_non_null(file);
    size_t len = fread(text, 1, size - 1, file);
    text[len] = '\0';
    fclose(file);
    return len;
}

static void file_write(const struct bed *bed, const char *text, size_t len)
{
    FILE *file = fopen(bed->path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
}

static void text_that_is_not_whole_names_nobody(void **state)
{
    struct bed *bed = *state;
    char text[2048];
    struct ts_lock_holder holder;
    bed->lock = lock_open(bed);
    assert_int_equal(lock_take(bed->lock), TS_OK);
    size_t len = file_read(bed, text, sizeof text);
    for (size_t cut = 0; cut < len; cut += 1 + cut % 7) {
        file_write(bed, text, cut);
        ts_lock_look(bed->lock, &holder);
        assert_false(holder.is_known);
    }
    static const char *const others[] = {
        "\n\n\n\n\n\n\n\n\n\n", "tshost-lock 2\n", "pid 1\nend .\n", "end .\n", "\377\376\n"};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        file_write(bed, others[i], strlen(others[i]));
        ts_lock_look(bed->lock, &holder);
        assert_false(holder.is_known);
    }
    file_write(bed, text, len);
    ts_lock_look(bed->lock, &holder);
    assert_true(holder.is_known);
}

static void names_are_one_harmless_line(void **state)
{
    struct bed *bed = *state;
    char name[1000];
    struct ts_lock_holder self, holder;
    struct ts_error err;
    bed->lock = lock_open(bed);
    ts_lock_holder_self(&self, "a\nend .\npid 1\n\033[2Jb\xff.lua", "run-1");
    assert_int_equal(ts_lock_take(bed->lock, &self, &err), TS_OK);
    ts_lock_look(bed->lock, &holder);
    assert_true(holder.is_known);
    assert_string_equal(holder.what, "a?end .?pid 1??[2Jb?.lua");
    assert_string_equal(holder.run, "run-1");
    memset(name, 'x', sizeof name);
    name[sizeof name - 1] = '\0';
    ts_lock_holder_self(&self, name, name);
    ts_lock_tell(bed->lock, &self);
    ts_lock_look(bed->lock, &holder);
    assert_true(holder.is_known);
    assert_int_equal(strlen(holder.what), TS_LOCK_WHAT_MAX - 1);
}

static void what_is_told_later_is_seen(void **state)
{
    struct bed *bed = *state;
    struct ts_lock_holder self, holder;
    struct ts_lock *other = lock_open(bed);
    bed->lock = lock_open(bed);
    assert_int_equal(lock_take(bed->lock), TS_OK);
    ts_lock_look(bed->lock, &self);
    snprintf(self.run, sizeof self.run, "20261122-103011-7f3a");
    ts_lock_tell(bed->lock, &self);
    ts_lock_look(other, &holder);
    assert_string_equal(holder.run, "20261122-103011-7f3a");
    assert_int_equal(holder.since_us, self.since_us);
    assert_int_equal(lock_take(other), TS_ERR_LOCKED);
    ts_lock_close(other);
}

static void its_file_is_the_users_alone(void **state)
{
    struct bed *bed = *state;
    struct stat status;
    struct ts_error err;
    mode_t old = umask(0);
    bed->lock = lock_open(bed);
    umask(old);
    assert_int_equal(stat(bed->path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
    ts_lock_close(bed->lock);
    assert_int_equal(remove(bed->path), 0);
    assert_int_equal(symlink("/dev/null", bed->path), 0);
    assert_int_equal(ts_lock_open(bed->directory, "lock", &bed->lock, &err), TS_ERR_SYSTEM);
    assert_null(bed->lock);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(one_has_it_until_it_lets_go, bed_make, bed_drop),
        cmocka_unit_test_setup_teardown(
            closing_another_descriptor_does_not_end_it, bed_make, bed_drop),
        cmocka_unit_test_setup_teardown(a_killed_process_never_keeps_it, bed_make, bed_drop),
        cmocka_unit_test_setup_teardown(of_many_that_race_one_wins, bed_make, bed_drop),
        cmocka_unit_test_setup_teardown(a_command_left_behind_does_not_keep_it, bed_make, bed_drop),
        cmocka_unit_test_setup_teardown(
            a_copy_of_the_process_left_behind_keeps_it, bed_make, bed_drop),
        cmocka_unit_test_setup_teardown(text_that_is_not_whole_names_nobody, bed_make, bed_drop),
        cmocka_unit_test_setup_teardown(names_are_one_harmless_line, bed_make, bed_drop),
        cmocka_unit_test_setup_teardown(what_is_told_later_is_seen, bed_make, bed_drop),
        cmocka_unit_test_setup_teardown(its_file_is_the_users_alone, bed_make, bed_drop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
