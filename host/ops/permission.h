// SPDX-License-Identifier: MIT
// What a run may do beyond what can be undone: --read-only and --allow.
// Counted over the run; a refusal names the flag that would have allowed it.
#ifndef TS_OPS_PERMISSION_H
#define TS_OPS_PERMISSION_H

#include <stdbool.h>
#include <stdint.h>

#include "host/base/error.h"

enum ts_permission {
    TS_ALLOW_DELETE,
    TS_ALLOW_ROTATE,
    TS_ALLOW_ANY_HOSTNAME,
    TS_ALLOW_REVEAL,
    TS_ALLOW_COUNT,
};

struct ts_permissions {
    bool is_read_only;
    int64_t cap[TS_ALLOW_COUNT]; // 0: not allowed; INT64_MAX: without limit
    int64_t used[TS_ALLOW_COUNT];
};

// Adds the grants of one --allow value, "delete=20,reveal", to what is granted already. USAGE.
enum ts_err ts_permissions_add(
    struct ts_permissions *permissions, const char *text, struct ts_error *err);

// Whether one more use is allowed, without using it. REFUSED, naming the flag.
enum ts_err ts_permissions_check(
    const struct ts_permissions *permissions, enum ts_permission kind, struct ts_error *err);

// How many more uses are allowed: 0 under --read-only, INT64_MAX without limit.
int64_t ts_permissions_left(const struct ts_permissions *permissions, enum ts_permission kind);

// The name as --allow has it.
const char *ts_permission_name(enum ts_permission kind);

// The option that grants it, "--allow delete".
const char *ts_permission_flag(enum ts_permission kind);

#endif
