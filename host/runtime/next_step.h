// SPDX-License-Identifier: MIT
// What to type next, after what happened in a run.
#ifndef TS_RUNTIME_NEXT_STEP_H
#define TS_RUNTIME_NEXT_STEP_H

#include <stdbool.h>
#include <stddef.h>

#include "host/ops/door.h"
#include "host/runtime/config.h"

#define TS_NEXT_COMMAND_MAX 512
#define TS_NEXT_WHY_MAX 160
#define TS_NEXT_MAX 3

struct ts_next_step {
    char command[TS_NEXT_COMMAND_MAX]; // to be typed as it is; "": there is none, why says it all
    char why[TS_NEXT_WHY_MAX];         // "" when it goes without saying
};

struct ts_next_steps {
    struct ts_next_step steps[TS_NEXT_MAX];
    size_t count;
};

// What the steps follow from. All is borrowed.
struct ts_next_facts {
    const struct ts_config *config;
    const struct ts_door *door;
    const char *run;    // its id in the journal, "" when it has none
    bool is_broken_off; // by a signal, the deadline, or for want of an answer
    bool is_wordy;      // what may be done is told as well as what should
};

// Finds them, the most urgent first; none after a run that left nothing to do.
void ts_next_steps_find(const struct ts_next_facts *facts, struct ts_next_steps *out);

#endif
