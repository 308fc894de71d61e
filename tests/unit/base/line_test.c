// SPDX-License-Identifier: MIT
// Lines in parts: colours only of our own, rows that fit, parts that stay together.
#include "host/base/line.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host/base/text.h"

// What the line looks like; on a terminal of so many columns when that is not 0.
static char *written(const struct ts_line *line, bool is_colored, int columns)
{
    char *text = NULL, number[16];
    size_t len = 0;
    struct ts_log log;
    FILE *file = open_memstream(&text, &len);
    assert_non_null(file);
    snprintf(number, sizeof number, "%d", columns);
    assert_int_equal(setenv("COLUMNS", number, 1), 0);
    ts_log_init(&log, file, TS_LOG_NORMAL);
    ts_log_style(&log, is_colored, columns > 0);
    ts_line_write(line, &log, TS_LOG_NORMAL);
    ts_line_write(line, &log, TS_LOG_VERBOSE); // not shown
    fclose(file);
    return text;
}

static void check(const struct ts_line *line, bool is_colored, int columns, const char *expected)
{
    char *text = written(line, is_colored, columns);
    assert_string_equal(text, expected);
    free(text);
}

static void styles(void **state)
{
    (void)state;
    struct ts_line line;
    ts_line_init(&line);
    check(&line, true, 0, "\n");
    ts_line_add(&line, TS_STYLE_BAD, "%d", 1);
    ts_line_add(&line, TS_STYLE_BAD, " failed");
    ts_line_add(&line, TS_STYLE_PLAIN, ", 2 done");
    ts_line_add(&line, TS_STYLE_FAINT, "%s", "");
    check(&line, false, 0, "1 failed, 2 done\n");
    check(&line, true, 0, "\033[31m1 failed\033[0m, 2 done\n");
}

static void hostile_text_has_no_style_of_its_own(void **state)
{
    (void)state;
    struct ts_line line;
    ts_line_init(&line);
    ts_line_add(&line, TS_STYLE_GOOD, "%s", "a\033[2J\nb\xc2\x9b\xff");
    check(&line, false, 0, "a?[2J?b???\n");
    check(&line, true, 0, "\033[32ma?[2J?b???\033[0m\n");
}

static void rows(void **state)
{
    (void)state;
    struct ts_line line;
    ts_line_init(&line);
    ts_line_add(&line, TS_STYLE_PLAIN, "  failed: ");
    ts_line_indent(&line);
    ts_line_add(&line, TS_STYLE_PLAIN, "one two three four five six seven");
    check(&line, false, 80, "  failed: one two three four five six seven\n");
    check(&line, false, 30, "  failed: one two three four\n          five six seven\n");
    check(&line, false, 28, "  failed: one two three four\n          five six seven\n");
    check(&line, false, 27, "  failed: one two three\n          four five six seven\n");
    line.is_whole = true;
    check(&line, false, 30, "  failed: one two three four five six seven\n");
}

static void a_part_in_a_style_stays_together(void **state)
{
    (void)state;
    struct ts_line line;
    ts_line_init(&line);
    ts_line_add(&line, TS_STYLE_PLAIN, "widget not found");
    ts_line_add(&line, TS_STYLE_FAINT, " (HTTP 404, code 10404)");
    ts_line_add(&line, TS_STYLE_PLAIN, ": gone");
    check(&line, true, 30, "widget not found\n\033[2m(HTTP 404, code 10404)\033[0m: gone\n");
    // But for one that is wider than a row; and a row is never less than 20 columns.
    check(&line, false, 12, "widget not\nfound\n(HTTP 404, code\n10404): gone\n");
}

// Whatever the width: no word is lost, and only a piece that cannot be broken is wider than a row.
static void every_width(void **state)
{
    (void)state;
    struct ts_line line;
    ts_line_init(&line);
    ts_line_add(&line, TS_STYLE_PLAIN, "tshost: ");
    ts_line_indent(&line);
    for (int i = 0; i < 30; i++) {
        ts_line_add(&line, i % 2 ? TS_STYLE_GOOD : TS_STYLE_PLAIN, "%s%.*s", i % 2 ? "" : ", ",
            1 + i % 9, "w\xc3\xb6rter12");
    }
    for (int columns = 1; columns < 200; columns++) {
        char *text = written(&line, false, columns), *state_of = NULL, joined[4096] = "";
        for (char *row = strtok_r(text, "\n", &state_of); row;
             row = strtok_r(NULL, "\n", &state_of)) {
            if (columns >= 40) {
                assert_true(ts_text_columns(row) <= columns);
            }
            snprintf(joined + strlen(joined), sizeof joined - strlen(joined), "%s%s",
                *joined ? " " : "", row + (*joined ? strspn(row, " ") : 0));
        }
        assert_string_equal(joined, line.text);
        free(text);
    }
}

static void what_is_too_long_is_cut(void **state)
{
    (void)state;
    static struct ts_line line;
    ts_line_init(&line);
    for (int i = 0; i < 3 * TS_LINE_PARTS_MAX; i++) {
        ts_line_add(&line, i % 2 ? TS_STYLE_GOOD : TS_STYLE_BAD, "%0200d", i);
    }
    char *text = written(&line, true, 0);
    assert_true(line.len <= TS_LOG_LINE_MAX);
    assert_non_null(strstr(text, "...\033[0m\n"));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(styles),
        cmocka_unit_test(hostile_text_has_no_style_of_its_own),
        cmocka_unit_test(rows),
        cmocka_unit_test(a_part_in_a_style_stays_together),
        cmocka_unit_test(every_width),
        cmocka_unit_test(what_is_too_long_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
