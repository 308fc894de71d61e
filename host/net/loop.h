// SPDX-License-Identifier: MIT
// The loop: one curl multi handle, timers and watched descriptors, waited for with
// curl_multi_poll. One thread uses it. Callbacks run inside ts_loop_turn and nowhere else.
#ifndef TS_NET_LOOP_H
#define TS_NET_LOOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/base/clock.h"
#include "host/base/error.h"

struct ts_loop;
struct ts_pool;

struct ts_loop_config {
    const struct ts_clock *clock; // NULL: the system's; see ts_loop_turn for any other
    size_t max_connections;       // kept open; at least the number of transfers in flight
    bool proxy_from_env;          // heed https_proxy and friends; off unless asked for
    const char *user_agent;       // copied; NULL: none is sent
    const char *ca_file;          // copied; NULL: the system's store, see ca.h
};

// Makes a loop. SIGPIPE must be harmless for as long as it lives (ts_signals_start does that).
// Fails with NOMEM, SYSTEM or INTERNAL.
enum ts_err ts_loop_create(
    const struct ts_loop_config *config, struct ts_loop **out, struct ts_error *err);

// Closes the connections. Transfers, timers and watches must be gone. NULL is fine.
void ts_loop_destroy(struct ts_loop *loop);

// Waits until something happens or until_us (monotonic; TS_NEVER: no limit; in the past: do not
// wait) and runs the callbacks of what happened: finished transfers, due timers, ready watches.
// A callback may start, cancel, arm, disarm, add and remove anything, also what was about to be
// called in this same turn. A turn may return without having called anything: call it again for
// as long as ts_loop_is_busy. Fails with NOMEM, or INTERNAL when libcurl breaks down.
//
// With a clock other than the system's, time passes when that clock says so, and no amount of
// waiting brings it on: a turn then waits for descriptors only, at most 10 ms, and not at all when
// nothing but timers is left. Move the clock (see ts_loop_next_timer) and turn again.
enum ts_err ts_loop_turn(struct ts_loop *loop, int64_t until_us, struct ts_error *err);

// Makes the turn under way, or else the next one, return without waiting. The only function that
// other threads and signal handlers may call.
void ts_loop_wake(struct ts_loop *loop);

// Whether a turn could ever do anything: a transfer in flight, an armed timer, a watch; false means
// that waiting would be for ever. Installed signal handlers do not count.
bool ts_loop_is_busy(const struct ts_loop *loop);

// Now, in monotonic microseconds, on the loop's clock.
int64_t ts_loop_now(const struct ts_loop *loop);

// When the earliest armed timer is due, the deadlines of transfers included; TS_NEVER without any.
int64_t ts_loop_next_timer(const struct ts_loop *loop);

// Transfers whose on_done is still to come; for limits and leak checks.
size_t ts_loop_in_flight(const struct ts_loop *loop);

// Memory for what comes and goes with each request, on the loop's thread; lives as long as the
// loop.
struct ts_pool *ts_loop_pool(struct ts_loop *loop);

// The clock the loop was made with.
const struct ts_clock *ts_loop_clock(const struct ts_loop *loop);

#endif
