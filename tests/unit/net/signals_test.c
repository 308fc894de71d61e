// SPDX-License-Identifier: MIT
// Signals, each case in a child of its own: the first wakes an endless wait, the second ends the
// process, and behind the end of the run one changes nothing.
#include "host/net/signals.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "host/net/loop.h"

#define CHECK(condition)                                                                           \
    if (!(condition)) {                                                                            \
        _exit(99);                                                                                 \
    }

static void on_first(void *owner)
{
    *(volatile sig_atomic_t *)owner += 1;
}

static struct ts_loop *start(volatile sig_atomic_t *calls)
{
    struct ts_loop *loop;
    struct ts_loop_config config = {.max_connections = 1};
    CHECK(ts_loop_create(&config, &loop, NULL) == TS_OK);
    CHECK(ts_signals_start(loop, on_first, (void *)calls, NULL) == TS_OK);
    CHECK(ts_signals_seen() == 0);
    CHECK(!ts_loop_is_busy(loop));
    return loop;
}

static int status_of(void (*child)(void))
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        alarm(20);
        child();
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static void wakes_and_calls(void)
{
    volatile sig_atomic_t calls = 0;
    struct ts_loop *loop = start(&calls);
    raise(SIGTERM);
    CHECK(ts_loop_turn(loop, TS_NEVER, NULL) == TS_OK); // would not return without the wake
    CHECK(calls == 1);
    CHECK(ts_signals_seen() == SIGTERM);
    ts_signals_cancel();
    ts_signals_cancel();
    ts_loop_destroy(loop);
}

static void leaves_at_the_second(void)
{
    volatile sig_atomic_t calls = 0;
    start(&calls);
    raise(SIGTERM);
    raise(SIGINT);
}

static void changes_nothing_any_more(void)
{
    volatile sig_atomic_t calls = 0;
    struct ts_loop *loop = start(&calls);
    ts_signals_leave_by(on_first, (void *)&calls);
    ts_signals_cancel();
    ts_loop_destroy(loop);
    raise(SIGINT);
    CHECK(calls == 0);
}

static void on_leave(void *owner)
{
    (void)owner;
    _exit(42);
}

static void does_what_is_left(void)
{
    volatile sig_atomic_t calls = 0;
    start(&calls);
    ts_signals_leave_by(on_leave, NULL);
    raise(SIGTERM);
    raise(SIGINT);
}

static void survives_a_broken_pipe(void)
{
    volatile sig_atomic_t calls = 0;
    int fds[2];
    struct ts_loop *loop = start(&calls);
    CHECK(pipe(fds) == 0);
    close(fds[0]);
    CHECK(write(fds[1], "x", 1) == -1);
    CHECK(ts_signals_start(loop, on_first, (void *)&calls, NULL) == TS_ERR_INTERNAL);
    ts_signals_cancel();
    ts_loop_destroy(loop);
}

static void survives_the_file_size_limit(void)
{
    volatile sig_atomic_t calls = 0;
    struct ts_loop *loop = start(&calls);
    raise(SIGXFSZ);
    CHECK(calls == 0);
    CHECK(ts_signals_seen() == 0);
    ts_signals_cancel();
    ts_loop_destroy(loop);
}

static void the_first_signal_wakes_the_loop(void **state)
{
    (void)state;
    int status = status_of(wakes_and_calls);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void the_second_ends_the_process_with_its_number(void **state)
{
    (void)state;
    int status = status_of(leaves_at_the_second);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 128 + SIGINT);
}

static void a_signal_behind_the_end_hides_no_outcome(void **state)
{
    (void)state;
    int status = status_of(changes_nothing_any_more);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void what_is_left_to_do_is_done_at_the_second(void **state)
{
    (void)state;
    int status = status_of(does_what_is_left);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 42);
}

static void a_broken_pipe_is_an_error_not_an_end(void **state)
{
    (void)state;
    int status = status_of(survives_a_broken_pipe);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void the_file_size_limit_is_an_error_not_an_end(void **state)
{
    (void)state;
    int status = status_of(survives_the_file_size_limit);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_signal_wakes_the_loop),
        cmocka_unit_test(the_second_ends_the_process_with_its_number),
        cmocka_unit_test(a_signal_behind_the_end_hides_no_outcome),
        cmocka_unit_test(what_is_left_to_do_is_done_at_the_second),
        cmocka_unit_test(a_broken_pipe_is_an_error_not_an_end),
        cmocka_unit_test(the_file_size_limit_is_an_error_not_an_end),
    };
    return cmocka_run_group_tests_name("net/signals", tests, NULL, NULL);
}
