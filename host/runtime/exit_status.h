// SPDX-License-Identifier: MIT
// The exit status, frozen: docs/errors.md lists what each means.
#ifndef TS_RUNTIME_EXIT_STATUS_H
#define TS_RUNTIME_EXIT_STATUS_H

#include <stdbool.h>

#include "host/ops/ledger.h"

enum ts_exit {
    TS_EXIT_DONE = 0,
    TS_EXIT_SCRIPT = 1,
    TS_EXIT_USAGE = 2,
    TS_EXIT_FINDINGS = 3,
    TS_EXIT_PARTIAL = 4,
    TS_EXIT_REFUSED = 5,
    TS_EXIT_STALE = 6,
    TS_EXIT_LOCKED = 7,
    TS_EXIT_CREDENTIALS = 8,
    TS_EXIT_UNREACHABLE = 9,
    TS_EXIT_UNKNOWN = 10,
    TS_EXIT_SIGNAL = 128, // plus the signal's number
};

// What stopped the run and what the ledger does not know.
struct ts_exit_causes {
    bool has_failed;  // the script raised an error
    int requested;    // what os.exit asked for, -1 when it did not
    int signal;       // the one that stopped the run, 0 when none did
    bool is_expired;  // the deadline passed with work undone: 4
    bool is_given_up; // for want of an answer, whatever the script made of it: 9
};

// Chooses among everything that applies: 10, 8, 7, 5, 6, 9, 4, 2, 1, 3; a signal only gives way
// to 10.
int ts_exit_choose(const struct ts_ledger *ledger, const struct ts_exit_causes *causes);

// What an exit status says in one word, as the journal and --json have it: "done", "partial".
// Lives for ever.
const char *ts_exit_word(int status);

#endif
