// SPDX-License-Identifier: MIT
// The reasons as a table.
#include "host/api/wait.h"

#include <stddef.h>

#define HELD_US 2000000 // an answer that changes things comes sooner, as a rule

struct reason_row {
    const char *name;
    const char *words;
    bool is_sure; // no answer to a single request ends it
};

static const struct reason_row reasons[TS_WAIT_REASONS] = {
    [TS_WAIT_NONE] = {NULL, "", false},
    [TS_WAIT_PAUSE] = {"pause", "paused by the API", true},
    [TS_WAIT_SPENT] = {"spent", "waiting for the rate budget", true},
    [TS_WAIT_OTHERS] = {"others", "waiting for the shared rate budget", true},
    [TS_WAIT_TOLD] = {"told", "waiting for the rate budget", false},
    [TS_WAIT_WATCH] = {"watch", "watching for other users", false},
    [TS_WAIT_VERSION] = {"version", "one at a time, history unknown", false},
    [TS_WAIT_DAMAGE] = {"damage", "one at a time, history unknown", false},
    [TS_WAIT_SILENCE] = {"silence", "one at a time, the rest is not told", false},
    [TS_WAIT_FLIGHT] = {"flight", "waiting for answers", false},
};

bool ts_wait_is_real(enum ts_wait_reason reason, int64_t held_us)
{
    return reason != TS_WAIT_NONE && (reasons[reason].is_sure || held_us >= HELD_US);
}

const char *ts_wait_name(enum ts_wait_reason reason)
{
    return reasons[reason].name;
}

const char *ts_wait_words(enum ts_wait_reason reason)
{
    return reasons[reason].words;
}
