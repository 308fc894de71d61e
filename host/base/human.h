// SPDX-License-Identifier: MIT
// Figures as people read them: "12,400" and "10 min 5 s". Only for what is shown, never parsed
// again, and the same in every locale.
#ifndef TS_BASE_HUMAN_H
#define TS_BASE_HUMAN_H

#include <stdint.h>

// What both write into; any value fits.
#define TS_HUMAN_MAX 40

// Writes a whole number with a comma before every three digits: "12,400". text holds at least
// TS_HUMAN_MAX bytes.
void ts_human_count(int64_t count, char *text);

// Writes a span of microseconds with two units at most, rounded to the smaller: "0.4 s", "59 s",
// "10 min 5 s", "3 h 20 min", "2 d 1 h". A part of zero is left out ("10 min"). What is negative is
// "0 s". text holds at least TS_HUMAN_MAX bytes.
void ts_human_duration(int64_t span_us, char *text);

#endif
