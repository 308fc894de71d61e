// SPDX-License-Identifier: MIT
// One-shot timers, embedded in whatever they belong to; the loop fires them.
// A fired or disarmed timer may be armed again, also from inside its own callback.
#ifndef TS_NET_TIMER_H
#define TS_NET_TIMER_H

#include <stddef.h>
#include <stdint.h>

#include "host/base/error.h"

struct ts_timer;
struct ts_loop;

typedef void (*ts_timer_fn)(struct ts_timer *timer);

struct ts_timer {
    struct ts_loop *loop; // NULL while not armed
    int64_t at_us;        // monotonic microseconds
    uint64_t turn;        // breaks ties: armed first, fired first
    size_t slot;          // place in the loop's heap
    ts_timer_fn on_fire;  // called from ts_loop_turn, with the timer already disarmed
};

// Fires once the loop's clock reaches at_us; a moment in the past means the next turn, never the
// turn that is firing timers now, so a timer that re-arms itself cannot hold up the loop. Arming
// an armed timer moves it. The timer is the caller's, zeroed before its first use, and must be
// disarmed before its memory goes. Fails with NOMEM only, and is then not armed; re-arming an
// armed timer cannot fail.
enum ts_err ts_timer_arm(struct ts_loop *loop, struct ts_timer *timer, int64_t at_us,
    ts_timer_fn on_fire, struct ts_error *err);

// Does nothing for a zeroed or idle timer.
void ts_timer_disarm(struct ts_timer *timer);

#endif
