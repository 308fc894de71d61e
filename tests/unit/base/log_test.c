// SPDX-License-Identifier: MIT
// The log: levels, one line for each call, and that no text can drive a terminal.
// Hostile texts are what a widget's name or a server's message may hold.
#include "host/base/log.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct box {
    char *text;
    size_t len;
    FILE *file;
    struct ts_log log;
};

static int box_setup(void **state)
{
    struct box *box = calloc(1, sizeof *box);
    if (!box || !(box->file = open_memstream(&box->text, &box->len))) {
        free(box);
        return -1;
    }
    ts_log_init(&box->log, box->file, TS_LOG_NORMAL);
    *state = box;
    return 0;
}

static int box_teardown(void **state)
{
    struct box *box = *state;
    fclose(box->file);
    free(box->text);
    free(box);
    return 0;
}

// What was written since the last look; a rewound memory stream keeps its old tail.
static void check_written(struct box *box, const char *text)
{
    fflush(box->file);
    assert_int_equal(box->len, strlen(text));
    assert_memory_equal(box->text, text, box->len);
    rewind(box->file);
}

static void levels(void **state)
{
    static const char *const expected[] = {
        "", "quiet\n", "quiet\nnormal\n", "quiet\nnormal\nverbose\n"};
    struct box *box = *state;
    for (enum ts_log_level level = TS_LOG_SILENT; level <= TS_LOG_VERBOSE; level++) {
        ts_log_init(&box->log, box->file, level);
        ts_log_line(&box->log, TS_LOG_QUIET, "quiet");
        ts_log_line(&box->log, TS_LOG_NORMAL, "normal");
        ts_log_line(&box->log, TS_LOG_VERBOSE, "verbose");
        check_written(box, expected[level]);
        assert_true(ts_log_is_shown(&box->log, level));
        assert_false(ts_log_is_shown(&box->log, level + 1));
    }
}

static void formats(void **state)
{
    struct box *box = *state;
    ts_log_line(&box->log, TS_LOG_NORMAL, "%s %d%%", "done", 7);
    ts_log_line(&box->log, TS_LOG_NORMAL, "%s", "");
    check_written(box, "done 7%\n\n");
    assert_int_equal(box->log.errnum, 0);
}

static void hostile_text_is_neutralised(void **state)
{
    static const struct {
        const char *text;
        const char *line;
    } rows[] = {
        {"a\nb\r\tc", "a?b??c\n"},
        {"\033]0;title\007", "?]0;title?\n"},
        {"\177\001", "??\n"},
        {"\xc2\x9b[2J", "??[2J\n"}, // C1 control sequence introducer
        {"\x9b[2J", "?[2J\n"},      // the same, not in UTF-8
        {"Zo\xc3\xab \xe2\x82\xac \xf0\x9f\x98\x80", "Zo\xc3\xab \xe2\x82\xac \xf0\x9f\x98\x80\n"},
        {"x\xe2\x80\xaey", "x???y\n"},   // right-to-left override
        {"x\xe2\x81\xa6y", "x???y\n"},   // left-to-right isolate
        {"x\xe2\x80\xa8y", "x???y\n"},   // line separator
        {"\xc0\x8a", "??\n"},            // overlong newline
        {"\xc1\x81", "??\n"},            // overlong A
        {"\xe0\x80\x8a", "???\n"},       // overlong newline
        {"\xed\xa0\x80", "???\n"},       // surrogate
        {"\xf4\x90\x80\x80", "????\n"},  // past the last code point
        {"a\xe2\x82", "a??\n"},          // cut short
        {"\xe2\x82\033[2J", "???[2J\n"}, // cut short by an escape
        {"\xff\xfe", "??\n"},
    };
    struct box *box = *state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ts_log_line(&box->log, TS_LOG_NORMAL, "%s", rows[i].text);
        check_written(box, rows[i].line);
    }
}

static void long_lines_are_cut_visibly(void **state)
{
    struct box *box = *state;
    char text[2 * TS_LOG_LINE_MAX];
    memset(text, 'a', sizeof text);
    text[TS_LOG_LINE_MAX] = '\0';
    ts_log_line(&box->log, TS_LOG_NORMAL, "%s", text);
    assert_int_equal(box->len, TS_LOG_LINE_MAX + 1);
    assert_memory_equal(box->text + TS_LOG_LINE_MAX - 3, "aaa\n", 4);
    rewind(box->file);
    text[TS_LOG_LINE_MAX] = 'a';
    text[sizeof text - 1] = '\0';
    ts_log_line(&box->log, TS_LOG_NORMAL, "%s", text);
    assert_int_equal(box->len, TS_LOG_LINE_MAX + 1);
    assert_memory_equal(box->text + TS_LOG_LINE_MAX - 4, "a...\n", 5);
}

static void write_errors_are_remembered(void **state)
{
    (void)state;
    FILE *full = fopen("/dev/full", "w");
    assert_non_null(full);
    struct ts_log log;
    ts_log_init(&log, full, TS_LOG_NORMAL);
    ts_log_line(&log, TS_LOG_VERBOSE, "dropped");
    assert_int_equal(log.errnum, 0);
    ts_log_line(&log, TS_LOG_NORMAL, "lost");
    assert_int_equal(log.errnum, ENOSPC);
    ts_log_line(&log, TS_LOG_NORMAL, "lost as well");
    assert_int_equal(log.errnum, ENOSPC);
    fclose(full);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(levels, box_setup, box_teardown),
        cmocka_unit_test_setup_teardown(formats, box_setup, box_teardown),
        cmocka_unit_test_setup_teardown(hostile_text_is_neutralised, box_setup, box_teardown),
        cmocka_unit_test_setup_teardown(long_lines_are_cut_visibly, box_setup, box_teardown),
        cmocka_unit_test(write_errors_are_remembered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
