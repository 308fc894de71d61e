// SPDX-License-Identifier: MIT
// Rounding comes before the choice of units, so that 59.6 s is "1 min" and never "60 s".
#include "host/base/human.h"

#include <inttypes.h>
#include <stdio.h>

#define SECOND_US INT64_C(1000000)
#define TENTHS_BELOW_US INT64_C(9950000) // from here on it rounds to 10 s

void ts_human_count(int64_t count, char *text)
{
    char digits[24];
    uint64_t size = count < 0 ? 0 - (uint64_t)count : (uint64_t)count;
    int len = snprintf(digits, sizeof digits, "%" PRIu64, size);
    char *end = text;
    if (count < 0) {
        *end++ = '-';
    }
    for (int i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0) {
            *end++ = ',';
        }
        *end++ = digits[i];
    }
    *end = '\0';
}

static int64_t divide_rounded(int64_t value, int64_t unit)
{
    return value / unit + (value % unit >= (unit + 1) / 2 ? 1 : 0);
}

static void two_units(
    char *text, int64_t value, int64_t per_unit, const char *unit, const char *part)
{
    if (value % per_unit == 0) {
        snprintf(text, TS_HUMAN_MAX, "%" PRId64 " %s", value / per_unit, unit);
    } else {
        snprintf(text, TS_HUMAN_MAX, "%" PRId64 " %s %" PRId64 " %s", value / per_unit, unit,
            value % per_unit, part);
    }
}

void ts_human_duration(int64_t span_us, char *text)
{
    int64_t span = span_us > 0 ? span_us : 0;
    int64_t tenths = divide_rounded(span, SECOND_US / 10);
    int64_t seconds = divide_rounded(span, SECOND_US);
    int64_t minutes = divide_rounded(span, 60 * SECOND_US);
    if (span < TENTHS_BELOW_US && tenths % 10 != 0) {
        snprintf(text, TS_HUMAN_MAX, "%" PRId64 ".%" PRId64 " s", tenths / 10, tenths % 10);
    } else if (seconds < 60) {
        snprintf(text, TS_HUMAN_MAX, "%" PRId64 " s", seconds);
    } else if (seconds < 3600) {
        two_units(text, seconds, 60, "min", "s");
    } else if (minutes < 24 * 60) {
        two_units(text, minutes, 60, "h", "min");
    } else {
        two_units(text, divide_rounded(span, 3600 * SECOND_US), 24, "d", "h");
    }
}
