// SPDX-License-Identifier: MIT
// Which requests may be sent again, and when: rules without state. What was surely not applied may
// go out again whatever it is; what may have been applied only when it is a read.
#ifndef TS_API_RETRY_H
#define TS_API_RETRY_H

#include <stdbool.h>
#include <stdint.h>

#include "host/api/call.h"

struct ts_retry_policy {
    int attempts;        // requests for one call at most, those that drew a 429 not counted
    int64_t base_us;     // the first pause, before its jitter; each further one is twice as long
    int64_t cap_us;      // the longest
    int64_t max_wait_us; // --max-wait: how long the API is waited for without an answer
};

#define TS_RETRY_ATTEMPTS 5
#define TS_RETRY_BASE_US 500000
#define TS_RETRY_CAP_US (30 * 1000000LL)

// The defaults above with this --max-wait.
struct ts_retry_policy ts_retry_policy_of(int64_t max_wait_us);

// What to do with an exchange that has ended.
enum ts_retry_verdict {
    TS_RETRY_FINAL, // hand the answer on, whatever it is
    TS_RETRY_AGAIN, // send it again after a pause
    TS_RETRY_LATER, // 429: send it again once the token may; it is no failure of the request
};

// is_read: sending it twice changes nothing. Anything else is sent again only when it never left,
// or after a 429, which says that it was not carried out.
enum ts_retry_verdict ts_retry_judge(const struct ts_answer *answer, bool is_read);

// What an exchange says about the API as a whole.
enum ts_retry_reach {
    TS_REACH_FINE,   // it answered: any whole answer below 500
    TS_REACH_UNSURE, // an answer began and broke off, or the machine failed
    TS_REACH_BROKEN, // 5xx, or no answer: the API, or only this one request
    TS_REACH_NONE,   // nothing could be sent to it
    TS_REACH_BARRED, // nothing may be sent to it: it cannot show that it is the API
};

enum ts_retry_reach ts_retry_reach(const struct ts_answer *answer);

// The pause after the failures-th failure in a row, counted from 1: between half and all of what
// doubling gives, so that those who failed together do not come back together. *random is the state
// of the jitter: any seed will do, and the same seed gives the same pauses.
int64_t ts_retry_pause(const struct ts_retry_policy *policy, int failures, uint64_t *random);

// A Retry-After in seconds, rounded up: a figure, or a date (as in RFC 9110: "Sun, 06 Nov 1994
// 08:49:37 GMT") less the moment of the answer, which is its Date header (NULL when absent) or else
// wall_us. -1 when value is NULL or neither.
int64_t ts_retry_after(const char *value, const char *date, int64_t wall_us);

#endif
