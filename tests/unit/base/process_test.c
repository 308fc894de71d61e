// SPDX-License-Identifier: MIT
// Processes are told apart although their ids are used again.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "host/base/process.h"

static void a_process_has_one_start(void **state)
{
    (void)state;
    int64_t start = ts_process_start(getpid());
    assert_true(start > 0);
    assert_int_equal(ts_process_start(getpid()), start);
    assert_true(ts_process_is_running(getpid(), start));
    assert_true(ts_process_is_running(getpid(), 0)); // when it began was not known
    assert_false(ts_process_is_running(getpid(), start + 1));
}

static void a_process_that_ended_is_gone(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        char byte;
        close(ends[1]);
        _exit(read(ends[0], &byte, 1) != 0);
    }
    assert_true(child > 0);
    int64_t start = ts_process_start(child);
    assert_true(start > 0);
    assert_true(ts_process_is_running(child, start));
    close(ends[1]);
    siginfo_t info;
    assert_int_equal(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT), 0);
    assert_false(ts_process_is_running(child, start)); // although its id is taken still
    assert_int_equal(waitpid(child, NULL, 0), child);
    close(ends[0]);
    assert_false(ts_process_is_running(child, start));
    assert_false(ts_process_is_running(child, 0));
    assert_int_equal(ts_process_start(child), 0);
}

static void what_is_no_process_id_is_gone(void **state)
{
    (void)state;
    static const int64_t ids[] = {0, -1, INT32_MAX, (int64_t)1 << 32, INT64_MAX};
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        assert_int_equal(ts_process_start(ids[i]), 0);
        assert_false(ts_process_is_running(ids[i], 0));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_process_has_one_start),
        cmocka_unit_test(a_process_that_ended_is_gone),
        cmocka_unit_test(what_is_no_process_id_is_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
