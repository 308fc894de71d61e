// SPDX-License-Identifier: MIT
// Secrets to commands: what arrives, what counts as failed, what the command inherits, that none
// is left behind. Each test runs a real loop and ends by what the command does, never by waiting.
#include "host/ops/deliver.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "host/net/loop.h"

#define SECRET "sandbox-secret-not-a-secret"
#define S 1000000
#define PATIENCE (60 * S)

struct fixture {
    struct ts_secret_pool *pool;
    struct ts_secret *secret;
    struct ts_loop *loop;
    size_t files;
    int ends; // calls of on_done
    char path[64];
};

// When set, the pipe holds this many bytes, so that a secret does not fit at once.
static int pipe_size;

int __real_pipe2(int fds[2], int flags);
int __wrap_pipe2(int fds[2], int flags);

int __wrap_pipe2(int fds[2], int flags)
{
    int rc = __real_pipe2(fds, flags);
    if (rc == 0 && pipe_size > 0) {
        assert_true(fcntl(fds[1], F_SETPIPE_SZ, pipe_size) >= 0);
    }
    return rc;
}

static size_t count_files(void)
{
    size_t count = 0;
    DIR *dir = opendir("/proc/self/fd");
    assert_non_null(dir);
    while (readdir(dir)) {
        count++;
    }
    closedir(dir);
    return count;
}

static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    pipe_size = 0;
    struct ts_loop_config config = {.max_connections = 1, .user_agent = "test"};
    if (!fixture || ts_secret_pool_create(&fixture->pool, NULL) ||
        ts_secret_create(fixture->pool, SECRET, strlen(SECRET), &fixture->secret, NULL) ||
        ts_loop_create(&config, &fixture->loop, NULL)) {
        return -1;
    }
    snprintf(fixture->path, sizeof fixture->path, "/tmp/deliver-command-XXXXXX");
    int fd = mkstemp(fixture->path);
    close(fd);
    fixture->files = count_files();
    *state = fixture;
    return fd < 0;
}

// Whatever a test did, no descriptor and no child is left.
static int teardown(void **state)
{
    struct fixture *fixture = *state;
    size_t files = count_files();
    bool is_childless = waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD;
    bool is_clean = files == fixture->files && is_childless && !ts_loop_is_busy(fixture->loop);
    unlink(fixture->path);
    ts_loop_destroy(fixture->loop);
    ts_secret_destroy(fixture->secret);
    ts_secret_pool_destroy(fixture->pool);
    free(fixture);
    return is_clean ? 0 : -1;
}

static void on_done(void *owner, struct ts_delivery *delivery)
{
    (void)delivery;
    struct fixture *fixture = owner;
    fixture->ends++;
}

static struct ts_delivery *start(struct fixture *fixture, const char *script, int64_t deadline_us)
{
    const char *const argv[] = {"sh", "-c", script, "sh", fixture->path, NULL};
    struct ts_delivery *delivery = NULL;
    struct ts_error err = {0};
    if (ts_deliver_command(
            fixture->loop, fixture->secret, argv, deadline_us, on_done, fixture, &delivery, &err)) {
        fail_msg("%s", err.message);
    }
    return delivery;
}

// Runs the script to its end and gives the result.
static enum ts_err run(
    struct fixture *fixture, const char *script, int64_t patience_us, struct ts_error *err)
{
    struct ts_delivery *delivery = start(fixture, script, ts_loop_now(fixture->loop) + patience_us);
    fixture->ends = 0;
    while (fixture->ends == 0) {
        assert_int_equal(ts_loop_turn(fixture->loop, TS_NEVER, err), TS_OK);
    }
    enum ts_err code = ts_delivery_result(delivery, err);
    ts_delivery_cancel(delivery);
    assert_int_equal(fixture->ends, 1);
    return code;
}

static void check_fails(struct fixture *fixture, const char *script, int64_t patience_us,
    enum ts_err code, const char *part)
{
    struct ts_error err = {0};
    assert_int_equal(run(fixture, script, patience_us, &err), code);
    if (!strstr(err.message, part)) {
        fail_msg("\"%s\" does not say \"%s\"", err.message, part);
    }
    assert_null(strstr(err.message, SECRET));
}

static void test_arrives(void **state)
{
    struct fixture *fixture = *state;
    struct ts_error err;
    assert_int_equal(run(fixture, "cat > \"$1\"", PATIENCE, &err), TS_OK);
    char text[128] = "";
    FILE *file = fopen(fixture->path, "r");
    size_t len = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    assert_int_equal(len, strlen(SECRET));
    assert_string_equal(text, SECRET);
}

static void test_longest_through_a_short_pipe(void **state)
{
    struct fixture *fixture = *state;
    char *bytes = malloc(TS_SECRET_MAX);
    memset(bytes, 'x', TS_SECRET_MAX);
    ts_secret_destroy(fixture->secret);
    assert_int_equal(
        ts_secret_create(fixture->pool, bytes, TS_SECRET_MAX, &fixture->secret, NULL), TS_OK);
    free(bytes);
    pipe_size = 4096;
    struct ts_error err;
    assert_int_equal(run(fixture, "test $(wc -c) = 65536", PATIENCE, &err), TS_OK);
    // The rest is never written: nobody takes it.
    check_fails(fixture, "head -c 10 > /dev/null", PATIENCE, TS_ERR_SYSTEM, "whole secret");
}

static void test_failures(void **state)
{
    struct fixture *fixture = *state;
    check_fails(
        fixture, "cat > /dev/null; exit 3", PATIENCE, TS_ERR_SYSTEM, "sh: exited with status 3");
    check_fails(fixture, "cat > /dev/null; kill -TERM $$", PATIENCE, TS_ERR_SYSTEM, "signal 15");
    check_fails(fixture, "exit 0", PATIENCE, TS_ERR_SYSTEM, "without reading the whole secret");
    check_fails(
        fixture, "head -c 3 > /dev/null < /dev/null", PATIENCE, TS_ERR_SYSTEM, "without reading");
    check_fails(fixture, "exec 0< /dev/null; exit 4", PATIENCE, TS_ERR_SYSTEM, "status 4");
}

static void test_not_found(void **state)
{
    struct fixture *fixture = *state;
    static const struct {
        const char *command;
        const char *message;
    } rows[] = {
        {"no-such-command", "no-such-command: command not found"},
        {"/no/such/command", "/no/such/command: command not found"},
        {"/tmp", "/tmp: cannot be run: Permission denied"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *const argv[] = {rows[i].command, NULL};
        struct ts_delivery *delivery = NULL;
        struct ts_error err = {0};
        assert_int_equal(ts_deliver_command(fixture->loop, fixture->secret, argv, TS_NEVER, on_done,
                             fixture, &delivery, &err),
            TS_ERR_SYSTEM);
        assert_string_equal(err.message, rows[i].message);
        assert_null(delivery);
    }
    assert_int_equal(fixture->ends, 0);
}

// exec: the kill reaches the process itself. The deadline is behind us already.
static void test_deadline(void **state)
{
    struct fixture *fixture = *state;
    check_fails(fixture, "exec tail -f /dev/null", 0, TS_ERR_TIMEOUT, "sh: killed");
}

static void test_cancel(void **state)
{
    struct fixture *fixture = *state;
    ts_delivery_cancel(NULL);
    for (int i = 0; i < 20; i++) {
        ts_delivery_cancel(start(fixture, "exec tail -f /dev/null", TS_NEVER));
    }
    assert_int_equal(fixture->ends, 0);
}

static void on_done_cancel(void *owner, struct ts_delivery *delivery)
{
    on_done(owner, delivery);
    ts_delivery_cancel(delivery);
}

static void test_cancel_in_callback(void **state)
{
    struct fixture *fixture = *state;
    const char *const argv[] = {"cat", "/dev/null", NULL};
    struct ts_delivery *delivery = NULL;
    assert_int_equal(ts_deliver_command(fixture->loop, fixture->secret, argv, TS_NEVER,
                         on_done_cancel, fixture, &delivery, NULL),
        TS_OK);
    while (fixture->ends == 0) {
        assert_int_equal(ts_loop_turn(fixture->loop, TS_NEVER, NULL), TS_OK);
    }
}

static void test_many(void **state)
{
    struct fixture *fixture = *state;
    struct ts_delivery *deliveries[50];
    for (size_t i = 0; i < 50; i++) {
        deliveries[i] = start(fixture, "cat > /dev/null", ts_loop_now(fixture->loop) + PATIENCE);
    }
    while (fixture->ends < 50) {
        assert_int_equal(ts_loop_turn(fixture->loop, TS_NEVER, NULL), TS_OK);
    }
    for (size_t i = 0; i < 50; i++) {
        assert_int_equal(ts_delivery_result(deliveries[i], NULL), TS_OK);
        ts_delivery_cancel(deliveries[i]);
    }
}

// Results belong to standard output; a command's chatter must not get into them.
static void test_output_joins_stderr(void **state)
{
    struct fixture *fixture = *state;
    int saved = dup(STDERR_FILENO);
    int fd = open(fixture->path, O_WRONLY | O_TRUNC);
    dup2(fd, STDERR_FILENO);
    close(fd);
    struct ts_error err;
    enum ts_err code = run(fixture, "cat > /dev/null; echo stored", PATIENCE, &err);
    dup2(saved, STDERR_FILENO);
    close(saved);
    assert_int_equal(code, TS_OK);
    char text[64] = "";
    FILE *file = fopen(fixture->path, "r");
    assert_non_null(fgets(text, sizeof text, file));
    fclose(file);
    assert_string_equal(text, "stored\n");
}

static void test_inherits_nothing_of_ours(void **state)
{
    struct fixture *fixture = *state;
    int open_fd = open("/dev/null", O_RDONLY); // as by a library that forgets close-on-exec
    assert_int_equal(dup2(open_fd, 77), 77);
    close(open_fd);
    struct ts_error err;
    enum ts_err code = run(fixture, "cat > /dev/null; test ! -e /proc/$$/fd/77", PATIENCE, &err);
    close(77);
    assert_int_equal(code, TS_OK);

    sigset_t blocked;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGPIPE);
    sigprocmask(SIG_BLOCK, &blocked, NULL);
    signal(SIGPIPE, SIG_IGN);
    check_fails(fixture, "cat > /dev/null; kill -PIPE $$", PATIENCE, TS_ERR_SYSTEM, "signal 13");
    // A shell would clear the mask by itself; grep reads its standard input to the end first.
    const char *const argv[] = {
        "grep", "-q", "SigBlk:.0000000000000000", "-", "/proc/self/status", NULL};
    struct ts_delivery *delivery = NULL;
    fixture->ends = 0;
    assert_int_equal(ts_deliver_command(fixture->loop, fixture->secret, argv, TS_NEVER, on_done,
                         fixture, &delivery, &err),
        TS_OK);
    while (fixture->ends == 0) {
        assert_int_equal(ts_loop_turn(fixture->loop, TS_NEVER, &err), TS_OK);
    }
    code = ts_delivery_result(delivery, &err);
    ts_delivery_cancel(delivery);
    assert_int_equal(code, TS_OK);
    signal(SIGPIPE, SIG_DFL);
    sigprocmask(SIG_UNBLOCK, &blocked, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_arrives, setup, teardown),
        cmocka_unit_test_setup_teardown(test_longest_through_a_short_pipe, setup, teardown),
        cmocka_unit_test_setup_teardown(test_failures, setup, teardown),
        cmocka_unit_test_setup_teardown(test_not_found, setup, teardown),
        cmocka_unit_test_setup_teardown(test_deadline, setup, teardown),
        cmocka_unit_test_setup_teardown(test_cancel, setup, teardown),
        cmocka_unit_test_setup_teardown(test_cancel_in_callback, setup, teardown),
        cmocka_unit_test_setup_teardown(test_many, setup, teardown),
        cmocka_unit_test_setup_teardown(test_output_joins_stderr, setup, teardown),
        cmocka_unit_test_setup_teardown(test_inherits_nothing_of_ours, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
