// SPDX-License-Identifier: MIT
// Text from anywhere: made harmless, measured and cut without ever breaking a character.
#include "host/base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void reading(void **state)
{
    (void)state;
    uint32_t point = 0;
    assert_int_equal(ts_text_read("a", 1, &point), 1);
    assert_int_equal(point, 'a');
    assert_int_equal(ts_text_read("\xe2\x82\xac!", 4, &point), 3);
    assert_int_equal(point, 0x20ac);
    assert_int_equal(ts_text_read("\xf0\x9f\x98\x80", 4, &point), 4);
    assert_int_equal(point, 0x1f600);
    assert_int_equal(ts_text_read("", 0, &point), 0);
    assert_int_equal(ts_text_read("\xe2\x82\xac", 2, &point), 0); // the last byte is not ours
    assert_int_equal(ts_text_read("\xac", 1, &point), 0);
    assert_int_equal(ts_text_read("\xc0\x8a", 2, &point), 0);
}

static void cleaning_covers_every_byte(void **state)
{
    (void)state;
    char text[] = "a\0b\033[2J\xc2\x9b\xe2\x82";
    ts_text_clean(text, sizeof text - 1);
    assert_memory_equal(text, "a?b?[2J????", sizeof text);
    char whole[] = "Zo\xc3\xab \xe2\x82\xac";
    ts_text_clean(whole, strlen(whole));
    assert_string_equal(whole, "Zo\xc3\xab \xe2\x82\xac");
}

static void columns(void **state)
{
    static const struct {
        const char *text;
        int columns;
    } rows[] = {
        {"", 0}, {"plain", 5}, {"Zo\xc3\xab", 3}, {"Zoe\xcc\x88", 3}, // a combining mark
        {"\xe2\x82\xac 5", 3},                                        // euro sign
        {"\xe6\xbc\xa2\xe5\xad\x97", 4},                              // two ideographs
        {"\xed\x95\x9c", 2},                                          // hangul
        {"\xf0\x9f\x98\x80", 2},                                      // a face
        {"\xff?", 2},                                                 // not UTF-8
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(ts_text_columns(rows[i].text), rows[i].columns);
    }
}

static void check_cut(const char *text, int width, const char *expected)
{
    char copy[64];
    snprintf(copy, sizeof copy, "%s", text);
    ts_text_cut(copy, width);
    assert_string_equal(copy, expected);
}

static void cutting(void **state)
{
    (void)state;
    check_cut("0123456789", 10, "0123456789");
    check_cut("0123456789", 9, "012345...");
    check_cut("0123456789", 4, "0123");
    check_cut("0123456789", 0, "");
    check_cut("0123456789", -1, "");
    check_cut("", 0, "");
    // A wide character goes as a whole: 9 columns hold three of them and the dots.
    check_cut("\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2", 9,
        "\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2...");
    check_cut("\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2", 8,
        "\xe6\xbc\xa2\xe6\xbc\xa2...");
    check_cut("\xe6\xbc\xa2\xe6\xbc\xa2", 3, "\xe6\xbc\xa2");
}

// Whatever the text and the width, the result fits.
static void cuts_fit(void **state)
{
    static const char *const texts[] = {"plain text that is long",
        "\xe6\xbc\xa2 \xe6\xbc\xa2o\xcc\x88o\xcc\x88 \xf0\x9f\x98\x80\xf0\x9f\x98\x80 end",
        "\xff\xfe\xfd\xe2\x82 broken \xc3"};
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        for (int width = 0; width < 30; width++) {
            char copy[64];
            snprintf(copy, sizeof copy, "%s", texts[i]);
            ts_text_cut(copy, width);
            assert_true(ts_text_columns(copy) <= width);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reading),
        cmocka_unit_test(cleaning_covers_every_byte),
        cmocka_unit_test(columns),
        cmocka_unit_test(cutting),
        cmocka_unit_test(cuts_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
