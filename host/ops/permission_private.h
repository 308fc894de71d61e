// SPDX-License-Identifier: MIT
// What counting permissions and writing them down share.
#ifndef TS_OPS_PERMISSION_PRIVATE_H
#define TS_OPS_PERMISSION_PRIVATE_H

#include <stddef.h>

#include "host/ops/permission.h"

struct permission_kind {
    const char *name;
    const char *flag; // the option that allows it
    bool is_grant;    // not allowed unless --allow grants it; else a cap may be set
    const char *why;  // stands before a refusal; NULL: nothing
};

extern const struct permission_kind permission_kinds[TS_ALLOW_COUNT];

// A text that grows in a fixed room, and is cut where that ends.
struct permission_text {
    char *out;
    size_t size;
    size_t len;
};

void permission_text_add(struct permission_text *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

// Adds the option with that cap: "--allow delete=3", "--allow delete" without limit, "--max-create
// 3".
void permission_text_add_flag(struct permission_text *text, int kind, int64_t cap);

// How many more uses the cap lets pass.
int64_t permission_rest(const struct ts_permissions *permissions, int kind);

// a + b, or INT64_MAX when that is more. Neither is negative.
int64_t permission_sum(int64_t a, int64_t b);

#endif
