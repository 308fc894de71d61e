// SPDX-License-Identifier: MIT
// Why requests are held back by the rate budget, and until when.
#ifndef TS_API_WAIT_H
#define TS_API_WAIT_H

#include <stdbool.h>
#include <stdint.h>

enum ts_wait_reason {
    TS_WAIT_NONE,    // nothing is held back, or for moments only
    TS_WAIT_PAUSE,   // the API has asked for it
    TS_WAIT_SPENT,   // own requests have used up what there is
    TS_WAIT_OTHERS,  // own requests and those of somebody else have
    TS_WAIT_TOLD,    // the API says so, whoever it was
    TS_WAIT_WATCH,   // a part is held back until it is known whether there are others
    TS_WAIT_VERSION, // what was sent before is not known: the record is of another version
    TS_WAIT_DAMAGE,  // the same: the record makes no sense
    TS_WAIT_SILENCE, // the API has ceased to say what is left
    TS_WAIT_FLIGHT,  // all there is, is under way
    TS_WAIT_REASONS,
};

struct ts_wait {
    enum ts_wait_reason reason;
    int64_t until_us; // when it ends if all goes on; of FLIGHT nobody knows
};

// Whether it is more than what the next answer may end, where requests have been held back for that
// reason for so long.
bool ts_wait_is_real(enum ts_wait_reason reason, int64_t held_us);

// The reason for programs, as in "spent"; NULL for NONE. Static.
const char *ts_wait_name(enum ts_wait_reason reason);

// The reason for people, as in "waiting for the rate budget": so short that the line of the
// progress has room for it on 80 columns. Static.
const char *ts_wait_words(enum ts_wait_reason reason);

#endif
