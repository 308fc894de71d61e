// SPDX-License-Identifier: MIT
// The redrawn line and the streams that make way for it, byte for byte, on a pipe.
// What a real terminal makes of the bytes is tested in tests/cli/progress_test.py.
#include "host/base/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define SHOWN(text) "\r\033[?7l" text "\033[J\033[?7h\r"
#define CLEARED "\r\033[J"

struct bed {
    struct ts_terminal terminal;
    int fds[2];
    FILE *stream; // writes to the pipe, as stderr does to the terminal
    FILE *plain;
};

static int bed_setup(void **state)
{
    struct bed *bed = calloc(1, sizeof *bed);
    assert_non_null(bed);
    assert_int_equal(pipe2(bed->fds, O_NONBLOCK | O_CLOEXEC), 0);
    bed->plain = bed->stream = fdopen(dup(bed->fds[1]), "w");
    assert_non_null(bed->stream);
    ts_terminal_init(&bed->terminal, bed->fds[1]);
    assert_true(ts_terminal_guard(&bed->terminal, &bed->stream, bed->fds[1], _IOLBF));
    *state = bed;
    return 0;
}

static int bed_teardown(void **state)
{
    struct bed *bed = *state;
    ts_terminal_fini(&bed->terminal);
    ts_terminal_fini(&bed->terminal); // may run twice
    fclose(bed->plain);
    close(bed->fds[0]);
    close(bed->fds[1]);
    free(bed);
    return 0;
}

static void check_written(struct bed *bed, const char *expected)
{
    char text[4096];
    ssize_t len = read(bed->fds[0], text, sizeof text - 1);
    text[len > 0 ? len : 0] = '\0';
    assert_string_equal(text, expected);
}

static void a_line_is_drawn_over_itself(void **state)
{
    struct bed *bed = *state;
    ts_terminal_show(&bed->terminal, "one");
    check_written(bed, SHOWN("one"));
    ts_terminal_show(&bed->terminal, "two");
    check_written(bed, SHOWN("two"));
    ts_terminal_hide(&bed->terminal);
    check_written(bed, CLEARED);
    ts_terminal_hide(&bed->terminal);
    check_written(bed, "");
}

static void streams_write_above_the_line(void **state)
{
    struct bed *bed = *state;
    fprintf(bed->stream, "before\n");
    check_written(bed, "before\n");
    ts_terminal_show(&bed->terminal, "line");
    check_written(bed, SHOWN("line"));
    fprintf(bed->stream, "between\n");
    check_written(bed, CLEARED "between\n" SHOWN("line"));
    ts_terminal_hide(&bed->terminal);
    check_written(bed, CLEARED);
    fprintf(bed->stream, "behind\n");
    check_written(bed, "behind\n");
}

// Drawing would begin where the unfinished line does, and destroy it.
static void an_unfinished_line_is_left_alone(void **state)
{
    struct bed *bed = *state;
    ts_terminal_show(&bed->terminal, "line");
    check_written(bed, SHOWN("line"));
    fprintf(bed->stream, "Continue? ");
    fflush(bed->stream);
    check_written(bed, CLEARED "Continue? ");
    ts_terminal_show(&bed->terminal, "newer");
    check_written(bed, "");
    fprintf(bed->stream, "yes\n");
    check_written(bed, "yes\n" SHOWN("newer"));
}

static void two_streams_share_the_line(void **state)
{
    struct bed *bed = *state;
    FILE *second = fdopen(dup(bed->fds[1]), "w"), *plain = second;
    assert_true(ts_terminal_guard(&bed->terminal, &second, bed->fds[1], _IONBF));
    ts_terminal_show(&bed->terminal, "line");
    check_written(bed, SHOWN("line"));
    fputs("a", second);
    check_written(bed, CLEARED "a");
    fputs("b\n", bed->stream);
    check_written(bed, "b\n" SHOWN("line"));
    ts_terminal_fini(&bed->terminal);
    assert_ptr_equal(second, plain);
    assert_ptr_equal(bed->stream, bed->plain);
    fclose(plain);
}

static void what_is_buffered_is_written_at_the_end(void **state)
{
    struct bed *bed = *state;
    fprintf(bed->stream, "rest");
    check_written(bed, "");
    ts_terminal_fini(&bed->terminal);
    check_written(bed, "rest");
    fprintf(bed->stream, "plain\n");
    fflush(bed->stream);
    check_written(bed, "plain\n");
}

// Ctrl-S: the line can wait, the run cannot.
static void a_stopped_terminal_does_not_stop_the_run(void **state)
{
    struct bed *bed = *state;
    char filler[65536];
    memset(filler, '.', sizeof filler);
    while (write(bed->fds[1], filler, sizeof filler) > 0) {
    }
    int flags = fcntl(bed->fds[1], F_GETFL);
    fcntl(bed->fds[1], F_SETFL, flags & ~O_NONBLOCK);
    ts_terminal_show(&bed->terminal, "line");
    assert_false(bed->terminal.is_shown);
}

static void write_errors_reach_the_writer(void **state)
{
    (void)state;
    struct ts_terminal terminal;
    int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    FILE *stream = fopen("/dev/null", "w"), *plain = stream;
    ts_terminal_init(&terminal, -1);
    assert_true(ts_terminal_guard(&terminal, &stream, full, _IOLBF));
    errno = 0;
    assert_true(fprintf(stream, "lost\n") < 0 || fflush(stream) != 0);
    assert_int_equal(errno, ENOSPC);
    assert_true(ferror(stream));
    ts_terminal_fini(&terminal);
    fclose(plain);
    close(full);
}

static void capable_and_columns(void **state)
{
    struct bed *bed = *state;
    assert_false(ts_terminal_is_capable(bed->fds[1]));
    unsetenv("COLUMNS");
    assert_int_equal(ts_terminal_columns(bed->fds[1]), 80);
    setenv("COLUMNS", "132", 1);
    assert_int_equal(ts_terminal_columns(bed->fds[1]), 132);
    setenv("COLUMNS", "-3", 1);
    assert_int_equal(ts_terminal_columns(bed->fds[1]), 80);
    unsetenv("COLUMNS");
}

int main(void)
{
#define BED_TEST(test) cmocka_unit_test_setup_teardown(test, bed_setup, bed_teardown)
    const struct CMUnitTest tests[] = {
        BED_TEST(a_line_is_drawn_over_itself),
        BED_TEST(streams_write_above_the_line),
        BED_TEST(an_unfinished_line_is_left_alone),
        BED_TEST(two_streams_share_the_line),
        BED_TEST(what_is_buffered_is_written_at_the_end),
        BED_TEST(a_stopped_terminal_does_not_stop_the_run),
        cmocka_unit_test(write_errors_reach_the_writer),
        BED_TEST(capable_and_columns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
