// SPDX-License-Identifier: MIT
// From the bytes of an answer to a Lua value or a failure: envelope, HTML from a gateway, garbage.
// Errors may lack a code.
#ifndef TS_BINDINGS_ANSWER_H
#define TS_BINDINGS_ANSWER_H

#include <stdbool.h>

#include <lua.h>

#include "bindings/envelope.h"
#include "bindings/lx.h"
#include "host/api/call.h"

struct lx_answer {
    struct lx_failure failure; // filled when the call failed; its strings point into this struct
    bool is_credentials;       // it failed because the credentials were rejected or too weak
    enum ts_outcome outcome;   // for writes
    char message[TS_ERROR_MESSAGE_MAX];
    char ray[64];
};

// Decodes the answer and wipes its body, unless the result keeps it. On success pushes the result
// and returns true. Otherwise pushes the envelope's error list, or nil, (so always one value),
// fills out->failure (but for op, sitekey, place, entry) and returns false.
TS_RAISES bool push_answer(
    lua_State *L, struct ts_answer *answer, struct lx_result *result, struct lx_answer *out);

// Makes out the failure "decode" for an answer whose JSON is fine but not what was asked for.
void lx_answer_reject(struct lx_answer *out, const struct ts_answer *answer, const char *why);

#endif
