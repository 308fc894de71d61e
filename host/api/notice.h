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
    struct ts_log *log; // NULL: nothing is said
    bool is_waiting;
    int64_t waiting_us; // since when
    bool has_told_wait;
    bool has_told_pause;
    bool has_told_others;
};

// Warns that requests of other processes are not counted, and why. log may be NULL.
void ts_notice_private(struct ts_log *log, const struct ts_error *cause);

// Something could start.
void ts_notice_start(struct ts_notice *notice);

// Nothing can start before retry_us: says so when that is long.
void ts_notice_wait(struct ts_notice *notice, const struct ts_record *record,
    const struct ts_record_rule *rule, int64_t retry_us, int64_t now_us);

#endif
