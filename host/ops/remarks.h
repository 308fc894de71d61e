// SPDX-License-Identifier: MIT
// What a plan has to say besides its operations: what the script did that was only made believe,
// and where. The same remark of the same place is kept once and counted.
#ifndef TS_OPS_REMARKS_H
#define TS_OPS_REMARKS_H

#include <stddef.h>
#include <stdint.h>

#define TS_REMARKS_MAX 200 // kept; more are counted

struct ts_remark {
    char *place; // "report.lua:12", "" when unknown
    char *text;  // as it came
    uint64_t count;
};

struct ts_remarks {
    struct ts_remark *items;
    size_t len;
    size_t cap;
    uint64_t more; // that were not kept
};

// Adds a remark; both texts are copied. Counts it only, when it is not to be kept.
void ts_remarks_add(struct ts_remarks *remarks, const char *place, const char *text);

// Releases. Accepts a zeroed struct, which is an empty list, and may run twice.
void ts_remarks_fini(struct ts_remarks *remarks);

#endif
