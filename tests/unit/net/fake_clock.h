// SPDX-License-Identifier: MIT
// A clock that stands still until it is told otherwise.
#ifndef TS_TESTS_UNIT_NET_FAKE_CLOCK_H
#define TS_TESTS_UNIT_NET_FAKE_CLOCK_H

#include "host/base/clock.h"

struct fake_clock {
    struct ts_clock clock; // give &clock to the loop
    int64_t now_us;
};

static inline int64_t fake_clock_read(void *self)
{
    return ((const struct fake_clock *)self)->now_us;
}

// Starts it at now_us, for both of its times.
static inline void fake_clock_init(struct fake_clock *fake, int64_t now_us)
{
    fake->clock = (struct ts_clock){
        .mono_us = fake_clock_read,
        .wall_us = fake_clock_read,
        .self = fake,
    };
    fake->now_us = now_us;
}

#endif
