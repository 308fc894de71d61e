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
    [TS_WAIT_OTHERS] = {"others", "waiting for the rate budget, which others use too", true},
    [TS_WAIT_TOLD] = {"told", "waiting for the rate budget", false},
    [TS_WAIT_WATCH] = {"watch", "watching for others who use the rate budget", false},
    [TS_WAIT_VERSION] = {"version", "one request at a time, earlier ones are not known", false},
    [TS_WAIT_DAMAGE] = {"damage", "one request at a time, earlier ones are not known", false},
    [TS_WAIT_SILENCE] = {"silence", "one request at a time, what is left is not told", false},
    [TS_WAIT_FLIGHT] = {"flight", "waiting for requests under way", false},
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
