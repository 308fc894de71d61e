// SPDX-License-Identifier: MIT
// Whether the API can be reached at all, judged over every call of the run. Failures without a
// success in between use up a budget; when it is empty the run is in an outage: nothing leaves but
// one probe at a time, and when --max-wait has passed the run gives up.
#ifndef TS_API_OUTAGE_H
#define TS_API_OUTAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "host/api/retry.h"
#include "host/base/error.h"
#include "host/base/log.h"
#include "host/net/timer.h"

struct ts_call;

struct ts_outage {
    struct ts_retry_policy policy;
    struct ts_log *log; // NULL: silent
    uint64_t random;    // of the jitter
    uint64_t calls;     // started so far, which gives them their numbers
    bool has_answered;  // the API, at any time in this run
    // Since the last success.
    int failures;       // those under way at the same time count once
    int64_t began_us;   // the first
    int64_t counted_us; // the latest that counted
    int64_t planned_us; // until when nothing is tried, on purpose
    uint64_t only_call; // all were its own, while is_common is false
    bool is_common;     // several calls failed, or one could not even leave
    char cause[256];    // the latest, in words
    // The outage.
    bool is_on;
    bool is_over;                      // the run has given up
    bool is_probing;                   // the one request that may leave has left; kept by call.c
    int probes;                        // that failed
    int64_t probe_at_us;               // when the next may leave
    char reason[TS_ERROR_MESSAGE_MAX]; // why the run gave up, the same for every call
    // For host/api/call_retry.c, which does what is judged here.
    struct ts_timer timer;   // the next probe
    struct ts_call *resting; // calls that wait for an attempt of their own
    struct ts_call *resting_last;
};

struct ts_outage_failure {
    uint64_t call; // its number
    enum ts_retry_reach reach;
    int64_t started_us; // when the exchange began
    int64_t after_us;   // how long the answer asks to wait, -1: it does not
    bool is_probe;
    const char *cause; // in words
};

// Makes the state of a run whose API is thought to be there. log may be NULL, seed is any number.
// It lives in the queue, whose calls are sent again by these rules from then on; while it is
// zeroed, every request is sent once.
void ts_outage_init(struct ts_outage *outage, const struct ts_retry_policy *policy,
    struct ts_log *log, uint64_t seed);

// Stops waiting for a probe; the calls must be gone. Accepts a zeroed struct, may run twice.
void ts_outage_fini(struct ts_outage *outage);

// Notes an exchange that failed as TS_REACH_BROKEN, _NONE or _BARRED. When a run begins with the
// last it is over at once: waiting does not mend a certificate or the trust in it. Later it is like
// any other outage, for what answered before may have only one bad server among several.
void ts_outage_add_failure(
    struct ts_outage *outage, const struct ts_outage_failure *failure, int64_t now_us);

// Notes that the API has answered.
void ts_outage_add_success(struct ts_outage *outage, int64_t now_us);

// Says that nothing is tried before until_us, so that the wait is not taken for idleness.
void ts_outage_plan(struct ts_outage *outage, int64_t until_us);

// Whether a call may leave now. While is_on, the one that does is a probe.
bool ts_outage_may_start(const struct ts_outage *outage, int64_t now_us);

// How long may still be waited: --max-wait, less what has passed since the first failure.
int64_t ts_outage_left(const struct ts_outage *outage, int64_t now_us);

#endif
