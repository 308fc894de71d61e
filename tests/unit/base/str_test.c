// SPDX-License-Identifier: MIT
// The string questions, at their edges and in a locale that would mislead the C library.
// Turkish upper-cases i to a dotted I, which no protocol word may follow.
#include "host/base/str.h"

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void sameness(void **state)
{
    (void)state;
    assert_true(ts_str_is("", ""));
    assert_true(ts_str_is("managed", "managed"));
    assert_false(ts_str_is("managed", "Managed"));
    assert_false(ts_str_is("managed", "manage"));
}

static void sameness_without_case(void **state)
{
    (void)state;
    setlocale(LC_ALL, "tr_TR.UTF-8"); // where it is installed
    assert_true(ts_str_is_nocase("", ""));
    assert_true(ts_str_is_nocase("RateLimit-ID", "ratelimit-id"));
    assert_true(ts_str_is_nocase("AZaz09", "azAZ09"));
    assert_false(ts_str_is_nocase("retry-after", "retry-after "));
    assert_false(ts_str_is_nocase("a", ""));
    assert_false(ts_str_is_nocase("", "a"));
    assert_false(ts_str_is_nocase("@", "`")); // the neighbours of A and a
    assert_false(ts_str_is_nocase("[", "{"));
    assert_false(ts_str_is_nocase("\xc4", "\xe4"));
    setlocale(LC_ALL, "C");
}

static void prefixes(void **state)
{
    (void)state;
    assert_true(ts_str_has_prefix("--json", "--"));
    assert_true(ts_str_has_prefix("--", "--"));
    assert_true(ts_str_has_prefix("x", ""));
    assert_false(ts_str_has_prefix("-", "--"));
    assert_false(ts_str_has_prefix("", "-"));
}

static void check_trim(const char *text, const char *trimmed)
{
    size_t len = strlen(text);
    ts_str_trim(&text, &len);
    assert_int_equal(len, strlen(trimmed));
    assert_memory_equal(text, trimmed, len);
}

static void trimming(void **state)
{
    (void)state;
    check_trim("", "");
    check_trim("token", "token");
    check_trim(" \t token\r\n", "token");
    check_trim(" a b ", "a b");
    check_trim(" \t\r\n\v\f", "");
    const char *part = "  ab  cd";
    size_t len = 5; // what lies behind len is nobody's
    ts_str_trim(&part, &len);
    assert_int_equal(len, 2);
    assert_memory_equal(part, "ab", 2);
}

static void numbers(void **state)
{
    (void)state;
    int64_t value = -7;
    assert_true(ts_str_to_int("0", &value));
    assert_int_equal(value, 0);
    assert_true(ts_str_to_int("001200", &value));
    assert_int_equal(value, 1200);
    assert_true(ts_str_to_int("9223372036854775807", &value));
    assert_true(value == INT64_MAX);
    static const char *const refused[] = {"", "-1", "+1", " 1", "1 ", "1.0", "0x10", "1e3", "ten",
        "9223372036854775808", "99999999999999999999"};
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        value = 42;
        assert_false(ts_str_to_int(refused[i], &value));
        assert_int_equal(value, 42);
    }
}

static void copying(void **state)
{
    (void)state;
    char out[] = "########";
    assert_true(ts_str_copy(out, 5, "four"));
    assert_string_equal(out, "four");
    assert_memory_equal(out + 5, "###", 4);
    assert_false(ts_str_copy(out, 5, "fives"));
    assert_string_equal(out, "five");
    assert_false(ts_str_copy(out, 1, "x"));
    assert_string_equal(out, "");
    assert_true(ts_str_copy(out, 1, ""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sameness),
        cmocka_unit_test(sameness_without_case),
        cmocka_unit_test(prefixes),
        cmocka_unit_test(trimming),
        cmocka_unit_test(numbers),
        cmocka_unit_test(copying),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
