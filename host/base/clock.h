// SPDX-License-Identifier: MIT
// The two clocks, behind pointers so that tests can set them.
// Waits and deadlines use the monotonic one; anything shown or stored uses the wall clock.
#ifndef TS_BASE_CLOCK_H
#define TS_BASE_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ts_clock {
    int64_t (*mono_us)(void *self); // microseconds since some fixed moment
    int64_t (*wall_us)(void *self); // microseconds since 1970-01-01T00:00:00Z
    void *self;
};

// A deadline that never passes.
#define TS_NEVER INT64_MAX

// The machine's clocks. Lives for ever, needs no cleaning.
const struct ts_clock *ts_clock_system(void);

// Now on the monotonic clock, in microseconds.
int64_t ts_clock_mono(const struct ts_clock *clock);

// Now on the wall clock, in microseconds since the epoch.
int64_t ts_clock_wall(const struct ts_clock *clock);

// Writes an RFC 3339 UTC time with microseconds, trailing zeros trimmed as the API does
// ("2026-01-02T03:04:05.5Z"). text holds at least TS_CLOCK_TEXT_MAX bytes.
#define TS_CLOCK_TEXT_MAX 32
void ts_clock_format(int64_t wall_us, char *text);

// Reads len bytes of such a time, whatever its number of decimals; those past the sixth are cut.
// False, and *wall_us untouched, when it is none.
bool ts_clock_parse(const char *text, size_t len, int64_t *wall_us);

#endif
