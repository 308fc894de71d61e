// SPDX-License-Identifier: MIT
// SIGINT and SIGTERM: the first asks for an orderly stop, the second leaves at once.
// The one place with a mutable static: a signal handler has no argument to reach its owner by.
#ifndef TS_NET_SIGNALS_H
#define TS_NET_SIGNALS_H

#include "host/base/error.h"

struct ts_loop;

// Called in signal context on the first signal: async-signal-safe work only.
typedef void (*ts_signals_fn)(void *owner);

// Installs the handlers (and ignores SIGPIPE). The first SIGINT or SIGTERM wakes the loop out of
// its wait and calls on_first; a second one ends the process with 128 + its number. One at a time.
enum ts_err ts_signals_start(
    struct ts_loop *loop, ts_signals_fn on_first, void *owner, struct ts_error *err);

// Puts the handlers back that were there before. May run twice.
void ts_signals_cancel(void);

// The number of the first signal that came, 0 when none did.
int ts_signals_seen(void);

#endif
