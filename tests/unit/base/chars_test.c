// SPDX-License-Identifier: MIT
// The table says of every byte what the words in its header say.
#include "host/base/chars.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SMALL "abcdefghijklmnopqrstuvwxyz0123456789-_"
#define CAPITALS "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

static void check(int byte, enum ts_chars kind, int is_expected)
{
    char text = (char)byte;
    size_t count = ts_chars_span(&text, 1, kind);
    if (count != (is_expected ? 1 : 0)) {
        fail_msg("byte 0x%02x, kind %d: %zu", (unsigned)byte, (int)kind, count);
    }
}

static void every_byte_is_what_it_is(void **state)
{
    (void)state;
    for (int byte = 0; byte < 256; byte++) {
        check(byte, TS_CHARS_PLAIN, byte >= 0x20 && byte != 0x7f && byte != '"' && byte != '\\');
        check(byte, TS_CHARS_UNRESERVED, byte && strchr(SMALL CAPITALS ".~", byte));
        check(byte, TS_CHARS_WORD, byte && strchr(SMALL CAPITALS, byte));
        check(byte, TS_CHARS_LOWER_WORD, byte && strchr(SMALL, byte));
    }
}

static void a_span_ends_at_the_first_other_byte(void **state)
{
    (void)state;
    assert_int_equal(ts_chars_span("", 0, TS_CHARS_PLAIN), 0);
    assert_int_equal(ts_chars_span("shop.acme", 9, TS_CHARS_WORD), 4);
    assert_int_equal(ts_chars_span("shop.acme", 3, TS_CHARS_WORD), 3);
    assert_int_equal(ts_chars_span(".acme", 5, TS_CHARS_WORD), 0);
    assert_int_equal(ts_chars_span("a\0b", 3, TS_CHARS_PLAIN), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_byte_is_what_it_is),
        cmocka_unit_test(a_span_ends_at_the_first_other_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
