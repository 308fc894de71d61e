// SPDX-License-Identifier: MIT
// CLOCK_MONOTONIC and CLOCK_REALTIME in microseconds, and the API's time format.
// Neither clock can fail on Linux with these ids.
#include "host/base/clock.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static int64_t clock_read(clockid_t id)
{
    struct timespec now;
    clock_gettime(id, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int64_t system_mono(void *self)
{
    (void)self;
    return clock_read(CLOCK_MONOTONIC);
}

static int64_t system_wall(void *self)
{
    (void)self;
    return clock_read(CLOCK_REALTIME);
}

static const struct ts_clock system_clock = {.mono_us = system_mono, .wall_us = system_wall};

const struct ts_clock *ts_clock_system(void)
{
    return &system_clock;
}

int64_t ts_clock_mono(const struct ts_clock *clock)
{
    return clock->mono_us(clock->self);
}

int64_t ts_clock_wall(const struct ts_clock *clock)
{
    return clock->wall_us(clock->self);
}

void ts_clock_format(int64_t wall_us, char *text)
{
    int64_t seconds = wall_us / 1000000;
    int64_t micros = wall_us % 1000000;
    if (micros < 0) {
        micros += 1000000;
        seconds -= 1;
    }
    time_t when = (time_t)seconds;
    struct tm utc;
    if (!gmtime_r(&when, &utc)) {
        snprintf(text, TS_CLOCK_TEXT_MAX, "1970-01-01T00:00:00Z");
        return;
    }
    size_t len = strftime(text, TS_CLOCK_TEXT_MAX, "%Y-%m-%dT%H:%M:%S", &utc);
    if (micros > 0) {
        len += (size_t)snprintf(text + len, TS_CLOCK_TEXT_MAX - len, ".%06d", (int)micros);
        while (text[len - 1] == '0') {
            len--;
        }
    }
    snprintf(text + len, TS_CLOCK_TEXT_MAX - len, "Z");
}

// Two digits at text, or -1.
static int pair_read(const char *text)
{
    bool is_pair = text[0] >= '0' && text[0] <= '9' && text[1] >= '0' && text[1] <= '9';
    return is_pair ? (text[0] - '0') * 10 + (text[1] - '0') : -1;
}

// Days from 1970-01-01 in the Gregorian calendar, by 400-year eras whose years begin in March.
static int64_t days_of(int year, int month, int day)
{
    year -= month <= 2;
    int64_t era = year / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

bool ts_clock_parse(const char *text, size_t len, int64_t *wall_us)
{
    static const char shape[] = "0000-00-00T00:00:00";
    const size_t whole = sizeof shape - 1;
    if (len <= whole || text[len - 1] != 'Z') {
        return false;
    }
    for (size_t i = 0; i < whole; i++) {
        bool is_digit = text[i] >= '0' && text[i] <= '9';
        if (shape[i] == '0' ? !is_digit : text[i] != shape[i]) {
            return false;
        }
    }
    int month = pair_read(text + 5), day = pair_read(text + 8), hour = pair_read(text + 11);
    int minute = pair_read(text + 14), second = pair_read(text + 17);
    if (month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 60) {
        return false;
    }
    int64_t micros = 0, unit = 100000;
    if (len > whole + 1 && (text[whole] != '.' || len == whole + 2)) {
        return false;
    }
    for (size_t i = whole + 1; i + 1 < len; i++, unit /= 10) {
        if (text[i] < '0' || text[i] > '9') {
            return false;
        }
        micros += (text[i] - '0') * unit;
    }
    int year = pair_read(text) * 100 + pair_read(text + 2);
    int64_t seconds = ((days_of(year, month, day) * 24 + hour) * 60 + minute) * 60 + second;
    *wall_us = seconds * 1000000 + micros;
    return true;
}
