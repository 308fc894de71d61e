// SPDX-License-Identifier: MIT
// Command lines that are shown: a shell reads back the very words, and what cannot be shown is not.
#include "host/base/shell.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void quoting(void **state)
{
    static const char *const pairs[][2] = {
        {"--allow", "--allow"},
        {"delete=1,rotate", "delete=1,rotate"},
        {"", "''"},
        {"a b", "'a b'"},
        {"it's", "'it'\\''s'"},
        {"'", "''\\'''"},
        {"$HOME `x` \"y\" \\ ! * ? ~ # ;", "'$HOME `x` \"y\" \\ ! * ? ~ # ;'"},
        {"~/x", "'~/x'"},
        {"Zo\xc3\xab", "'Zo\xc3\xab'"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        char line[64] = "";
        assert_true(ts_shell_add(line, sizeof line, pairs[i][0]));
        assert_string_equal(line, pairs[i][1]);
    }
}

static void what_cannot_be_copied(void **state)
{
    static const char *const words[] = {"a\nb", "\x1b[2J", "\xff", "a\xe2\x80\xae", "\t"};
    (void)state;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        char line[64] = "tshost";
        assert_false(ts_shell_add(line, sizeof line, words[i]));
        assert_string_equal(line, "tshost");
    }
}

static void room(void **state)
{
    (void)state;
    static const char *const words[] = {"plain", "it's quoted"};
    for (size_t size = 1; size < 40; size++) {
        for (size_t i = 0; i < 2; i++) {
            char line[48] = "";
            memset(line + size, 'x', sizeof line - size);
            bool fits = true;
            for (int times = 0; times < 2; times++) {
                fits = fits && ts_shell_add(line, size, words[i]);
            }
            assert_true(memchr(line, '\0', size) != NULL);
            assert_int_equal(line[size], 'x');
            assert_int_equal(fits,
                size >= (i ? sizeof "'it'\\''s quoted' 'it'\\''s quoted'" : sizeof "plain plain"));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quoting),
        cmocka_unit_test(what_cannot_be_copied),
        cmocka_unit_test(room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
