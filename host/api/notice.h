// SPDX-License-Identifier: MIT
// What a run says of its rate budget: why requests wait, and who else uses it. Each thing once.
#ifndef TS_API_NOTICE_H
#define TS_API_NOTICE_H

#include <stdbool.h>
#include <stdint.h>

#include "host/api/record.h"
#include "host/base/error.h"
#include "host/base/log.h"

struct ts_notice {
    struct ts_log *log;         // NULL: nothing is said
    const char *place;          // where the record lies; NULL: nowhere
    enum ts_wait_reason reason; // why requests are held back at present
    int64_t since_us;           // since when it has been this reason
    int64_t waited_us;          // for earlier reasons, in all
    bool is_waiting;            // for the next start
    bool has_told[TS_WAIT_REASONS];
    bool has_told_others;
};

// Warns that requests of other processes are not counted, and why. log may be NULL.
void ts_notice_private(struct ts_log *log, const struct ts_error *cause);

// Something could start. Where it need not have waited, nothing is held back any more.
void ts_notice_start(struct ts_notice *notice, int64_t now_us);

// How long requests have been held back for the present reason; 0: they are not.
int64_t ts_notice_held_us(const struct ts_notice *notice, int64_t now_us);

// How long requests have been held back in all; waits that the next answer may end do not count.
int64_t ts_notice_waited_us(const struct ts_notice *notice, int64_t now_us);

// Nothing can start before retry_us: says why when requests are held back for long, even if one
// may start now and then.
void ts_notice_wait(struct ts_notice *notice, const struct ts_record *record,
    const struct ts_record_rule *rule, int64_t retry_us, int64_t now_us);

#endif
