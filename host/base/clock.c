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
