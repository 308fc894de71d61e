// SPDX-License-Identifier: MIT
// The API's time format and the injected clock.
// Expected texts follow what the API sends: microseconds, trailing zeros trimmed.
#include "host/base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define SECOND INT64_C(1000000)

static void formats_as_the_api_does(void **state)
{
    (void)state;
    static const struct {
        int64_t wall_us;
        const char *text;
    } rows[] = {
        {0, "1970-01-01T00:00:00Z"},
        {1, "1970-01-01T00:00:00.000001Z"},
        {10, "1970-01-01T00:00:00.00001Z"},
        {100000, "1970-01-01T00:00:00.1Z"},
        {999999, "1970-01-01T00:00:00.999999Z"},
        {1767323045 * SECOND + 500000, "2026-01-02T03:04:05.5Z"},
        {1767323045 * SECOND + 123456, "2026-01-02T03:04:05.123456Z"},
        {1767323045 * SECOND + 120030, "2026-01-02T03:04:05.12003Z"},
        {951782400 * SECOND, "2000-02-29T00:00:00Z"},
        {10 * SECOND, "1970-01-01T00:00:10Z"}, // a zero of the seconds is no trailing zero
        {-1, "1969-12-31T23:59:59.999999Z"},
        {-SECOND, "1969-12-31T23:59:59Z"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[TS_CLOCK_TEXT_MAX];
        ts_clock_format(rows[i].wall_us, text);
        assert_string_equal(text, rows[i].text);
    }
}

static void extreme_times_stay_inside_the_buffer(void **state)
{
    (void)state;
    static const int64_t times[] = {INT64_MAX, INT64_MIN, INT64_MIN + 1};
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        char box[TS_CLOCK_TEXT_MAX + 8];
        memset(box, '#', sizeof box);
        ts_clock_format(times[i], box);
        assert_int_equal(box[strlen(box) - 1], 'Z');
        assert_memory_equal(box + TS_CLOCK_TEXT_MAX, "########", 8);
    }
}

static int64_t fake_mono(void *self)
{
    return ((int64_t *)self)[0];
}

static void parses_what_it_formats(void **state)
{
    (void)state;
    char text[TS_CLOCK_TEXT_MAX];
    // A step that meets every month, leap years, and all numbers of decimals.
    for (int64_t us = 0; us < 253402300799 * SECOND; us += 86000 * 37 * SECOND + 100100) {
        int64_t back = -1;
        ts_clock_format(us, text);
        assert_true(ts_clock_parse(text, strlen(text), &back));
        assert_true(back == us);
    }
    int64_t us = -1;
    assert_true(ts_clock_parse("2026-08-01T10:20:30.1234567Z", 28, &us));
    ts_clock_format(us, text);
    assert_string_equal(text, "2026-08-01T10:20:30.123456Z");
}

static void refuses_what_is_no_time(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "Z", "2026-08-01", "2026-08-01T10:20:30",
        "2026-08-01T10:20:30.Z", "2026-08-01T10:20:30+00:00", "2026-08-01 10:20:30Z",
        "2026-13-01T10:20:30Z", "2026-00-01T10:20:30Z", "2026-08-32T10:20:30Z",
        "2026-08-01T24:20:30Z", "2026-08-01T10:60:30Z", "2026-08-01T10:20:61Z",
        "2026-08-01T10:20:3xZ", "2026-08-01T10:20:30.1x2Z", "2026-08-01T10:20:30x1Z"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        int64_t us = 17;
        assert_false(ts_clock_parse(texts[i], strlen(texts[i]), &us));
        assert_int_equal(us, 17);
    }
}

static int64_t fake_wall(void *self)
{
    return ((int64_t *)self)[1];
}

static void can_be_injected(void **state)
{
    (void)state;
    int64_t times[] = {17, 42};
    struct ts_clock clock = {.mono_us = fake_mono, .wall_us = fake_wall, .self = times};
    assert_int_equal(ts_clock_mono(&clock), 17);
    assert_int_equal(ts_clock_wall(&clock), 42);
    times[0] = TS_NEVER;
    assert_true(ts_clock_mono(&clock) == INT64_MAX);
}

static void system_clock_runs(void **state)
{
    (void)state;
    const struct ts_clock *clock = ts_clock_system();
    int64_t first = ts_clock_mono(clock);
    int64_t second = first;
    for (int i = 0; i < 100000000 && second == first; i++) {
        second = ts_clock_mono(clock);
    }
    assert_true(second > first);
    assert_true(ts_clock_wall(clock) > 1704067200 * SECOND); // after 2024 began: microseconds
    assert_true(ts_clock_wall(clock) < 32503680000 * SECOND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formats_as_the_api_does),
        cmocka_unit_test(extreme_times_stay_inside_the_buffer),
        cmocka_unit_test(parses_what_it_formats),
        cmocka_unit_test(refuses_what_is_no_time),
        cmocka_unit_test(can_be_injected),
        cmocka_unit_test(system_clock_runs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
