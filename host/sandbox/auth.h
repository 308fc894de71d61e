// SPDX-License-Identifier: MIT
// Who is asking: the credential headers of a request, checked for shape, then for truth.
// A credential is remembered as a digest only.
#ifndef TS_SANDBOX_AUTH_H
#define TS_SANDBOX_AUTH_H

#include <stdbool.h>
#include <stdint.h>

#include "host/sandbox/reply.h"
#include "host/sandbox/request.h"

enum ts_sandbox_scheme {
    TS_SANDBOX_BEARER,
    TS_SANDBOX_GLOBAL_KEY,
};

struct ts_sandbox_identity {
    enum ts_sandbox_scheme scheme;
    uint64_t digest[2]; // of the credential, the same for every request that carries it
    bool is_known;      // false: well-formed, but nobody's
};

// Fills in the identity of an API token, known or not.
void ts_sandbox_auth_identify(const char *token, struct ts_sandbox_identity *identity);

// Reads the credentials. token is the only one that is known; NULL: all are. False, with the
// reply filled, when there are none or they are malformed.
bool ts_sandbox_auth_read(const struct ts_sandbox_request *request, const char *token,
    struct ts_sandbox_identity *identity, struct ts_sandbox_reply *reply);

#endif
