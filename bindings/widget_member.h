// SPDX-License-Identifier: MIT
// The members of a widget that are known, by number. Others pass through, but slower.
#ifndef TS_BINDINGS_WIDGET_MEMBER_H
#define TS_BINDINGS_WIDGET_MEMBER_H

#include <stdbool.h>
#include <stddef.h>

#include "host/api/widget.h"

// The writable ones have the numbers of enum ts_widget_field. Those before LX_MEMBER_DIGESTED are
// in a widget's digest.
enum {
    LX_MEMBER_SITEKEY = TS_WIDGET_FIELD_COUNT,
    LX_MEMBER_MODIFIED,
    LX_MEMBER_DIGESTED,
    LX_MEMBER_CREATED = LX_MEMBER_DIGESTED,
    LX_MEMBER_DEPLOYED_VIA,
    LX_MEMBER_MODIFIED_VIA,
    LX_MEMBER_SECRET,
    LX_MEMBER_COUNT,
};

struct lx_member {
    const char *name;
    const char *quoted; // the name as in JSON
    size_t len;         // of the name
    bool is_word;       // a text that many widgets share
};

// All of them, by their numbers. Lives for ever.
const struct lx_member *lx_members(void);

// The number of the member with that name, LX_MEMBER_COUNT when it is none of these.
int lx_member_of(const char *name, size_t len);

#endif
