// SPDX-License-Identifier: MIT
// Replies that leave later: suspended connections and the thread that wakes them in time.
// The server's own thread goes on serving meanwhile.
#ifndef TS_SANDBOX_DELAY_H
#define TS_SANDBOX_DELAY_H

#include <stdbool.h>
#include <stdint.h>

#include "host/base/error.h"

struct MHD_Connection;
struct ts_sandbox_delays;

// Starts the thread; the caller has blocked all signals. NOMEM, SYSTEM.
enum ts_err ts_sandbox_delays_create(struct ts_sandbox_delays **out, struct ts_error *err);

// Suspends a connection for that long; called from the connection's handler. False when nothing
// is delayed any more, or memory is short: the connection goes on at once.
bool ts_sandbox_delays_add(
    struct ts_sandbox_delays *delays, struct MHD_Connection *connection, int64_t ms);

// Wakes all connections and delays none from now on.
void ts_sandbox_delays_release(struct ts_sandbox_delays *delays);

// Releases, ends the thread. NULL is fine. The server must not have stopped yet.
void ts_sandbox_delays_destroy(struct ts_sandbox_delays *delays);

#endif
