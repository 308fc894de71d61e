// SPDX-License-Identifier: MIT
// SIGINT, SIGTERM, SIGHUP: the first asks for an orderly stop, a second leaves at once.
// The one place with a mutable static: a signal handler has no argument to reach its owner by.
#ifndef TS_NET_SIGNALS_H
#define TS_NET_SIGNALS_H

#include <stdbool.h>
#include <stdint.h>

#include "host/base/error.h"

struct ts_loop;

// Called in signal context on the first signal: async-signal-safe work only.
typedef void (*ts_signals_fn)(void *owner);

// Installs the handlers; SIGPIPE and SIGXFSZ get one that does nothing, so that a lost reader and a
// full quota are errors of write here and the default in the commands that a script starts. The
// first SIGINT, SIGTERM or SIGHUP calls on_first (which may be NULL) and wakes the loop out of its
// wait; a second SIGINT or SIGTERM ends the process at once with 128 + its number. A SIGHUP that
// was ignored before, as under nohup, stays so. Blocking calls elsewhere return with EINTR. One at
// a time: INTERNAL when installed already; SYSTEM.
enum ts_err ts_signals_start(
    struct ts_loop *loop, ts_signals_fn on_first, void *owner, struct ts_error *err);

// Names what is still done when a second signal ends the process at once; in signal context, as
// on_first.
void ts_signals_leave_by(ts_signals_fn on_leave, void *owner);

// For the end of a run, when its outcome has been said: from now on nobody is called, and a first
// signal changes nothing. The handlers stay, so that none hides the outcome of a run that is over;
// a second signal still ends the process. Must run before the loop is destroyed. May run twice.
void ts_signals_cancel(void);

// Asks for the same orderly stop when so many microseconds have passed: calls on_first and wakes
// the loop, also out of a script that only computes. No signal of the user's: a first SIGINT after
// it is the first. Once, after ts_signals_start; SYSTEM.
enum ts_err ts_signals_arm(int64_t after_us, struct ts_error *err);

// Whether that time has passed.
bool ts_signals_is_expired(void);

// The number of the first signal that came, 0 when none did.
int ts_signals_seen(void);

#endif
