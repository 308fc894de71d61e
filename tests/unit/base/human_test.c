// SPDX-License-Identifier: MIT
// Counts and spans at the edges where digits and units change.
// What rounds up must come out in the larger unit.
#include "host/base/human.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void counts(void **state)
{
    static const struct {
        int64_t count;
        const char *text;
    } rows[] = {
        {0, "0"},
        {7, "7"},
        {-7, "-7"},
        {999, "999"},
        {-999, "-999"},
        {1000, "1,000"},
        {12400, "12,400"},
        {123456, "123,456"},
        {-123456, "-123,456"},
        {1234567, "1,234,567"},
        {INT64_MAX, "9,223,372,036,854,775,807"},
        {INT64_MIN, "-9,223,372,036,854,775,808"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[TS_HUMAN_MAX];
        ts_human_count(rows[i].count, text);
        assert_string_equal(text, rows[i].text);
    }
}

static void durations(void **state)
{
    static const struct {
        int64_t span_us;
        const char *text;
    } rows[] = {
        {INT64_MIN, "0 s"},
        {-1, "0 s"},
        {0, "0 s"},
        {49999, "0 s"},
        {50000, "0.1 s"},
        {400000, "0.4 s"},
        {949999, "0.9 s"},
        {950000, "1 s"},
        {1000000, "1 s"},
        {9700000, "9.7 s"},
        {9949999, "9.9 s"},
        {9950000, "10 s"},
        {10400000, "10 s"},
        {10500000, "11 s"},
        {59499999, "59 s"},
        {59500000, "1 min"},
        {60400000, "1 min"},
        {605000000, "10 min 5 s"},
        {3599499999, "59 min 59 s"},
        {3599500000, "1 h"},
        {3629999999, "1 h"},
        {3630000000, "1 h 1 min"},
        {12000000000, "3 h 20 min"},
        {86369999999, "23 h 59 min"},
        {86370000000, "1 d"},
        {176400000000, "2 d 1 h"},
        {INT64_MAX, "106751991 d 4 h"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[TS_HUMAN_MAX];
        ts_human_duration(rows[i].span_us, text);
        assert_string_equal(text, rows[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts),
        cmocka_unit_test(durations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
