// SPDX-License-Identifier: MIT
// The API's envelope, { success, errors, messages, result, result_info }, read member by member:
// it becomes no table, and its result is decoded by who knows what it is to be.
#ifndef TS_BINDINGS_ENVELOPE_H
#define TS_BINDINGS_ENVELOPE_H

#include <stdbool.h>
#include <stddef.h>

#include <lua.h>

#include "bindings/json_text.h"
#include "bindings/lx.h"

// What becomes of the result, and what the envelope says of it.
struct lx_result {
    // Pushes one value for the result at the place, as push_json_value does. It is called again
    // when a result follows, which counts instead; and whatever `success` says, which may follow
    // too. NULL: push_json_value.
    bool (*push)(struct lx_json *json, void *self);
    void *self;
    struct ts_buf *keep;  // where the text of a good answer goes, for a result that lies in it;
                          // NULL: it is wiped
    lua_Integer per_page; // of result_info; -1: it says none
    lua_Integer total_count;
};

struct lx_envelope {
    bool is_one; // it says whether there was success; else it is some other JSON
    bool is_success;
};

// Reads a text that is followed by a NUL. Pushes the result and the errors, nil where absent; an
// empty list of errors counts as absent. When it is no JSON, leaves the stack as it was, says why
// and where in why (TS_ERROR_MESSAGE_MAX bytes) and returns false.
TS_RAISES bool push_envelope(lua_State *L, const char *text, size_t len, struct lx_result *result,
    struct lx_envelope *out, char *why);

#endif
