// SPDX-License-Identifier: MIT
// Widgets from JSON into the tables that scripts see, in one go: secret as a handle, null as
// absent, whole numbers as integers, and the digest of what came. Everything else stays, known or
// not. A secret is no string of Lua's on the way, unless it came with escapes, as none of the API's
// does; that string is wiped when it is collected.
#ifndef TS_BINDINGS_WIDGET_DECODE_H
#define TS_BINDINGS_WIDGET_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lua.h>

#include "bindings/json_text.h"
#include "bindings/lx.h"

// What a widget that was decoded holds.
struct lx_decoded {
    uint64_t digest;  // see digest.h; 0 when it holds what cannot be compared
    bool has_sitekey; // a text, not an empty one
};

// Pushes the widget whose object is at the place; what push_words (widget_words.h) pushed is at the
// index `words`. False when something is wrong: see json->why; what is on the stack then is for the
// caller to drop.
TS_RAISES bool push_widget(struct lx_json *json, int words, struct lx_decoded *out);

#endif
