// SPDX-License-Identifier: MIT
// The endpoints as a table: what each operation is called, where it goes, what it does.
// Source: the published OpenAPI document, and the siteverify and token verification pages.
#ifndef TS_API_ENDPOINT_H
#define TS_API_ENDPOINT_H

#include <stdbool.h>

enum ts_op {
    TS_OP_LIST,
    TS_OP_GET,
    TS_OP_CREATE,
    TS_OP_UPDATE,
    TS_OP_DELETE,
    TS_OP_ROTATE,
    TS_OP_VERIFY_USER,    // token verification, user tokens
    TS_OP_VERIFY_ACCOUNT, // token verification, account tokens
    TS_OP_SITEVERIFY,     // another origin, without API credentials
    TS_OP_COUNT,
};

struct ts_endpoint {
    enum ts_op op;
    const char *name;   // as scripts and messages call it: "rotate_secret"
    const char *method; // "POST"
    const char *path;   // below the base URL; {account} and {sitekey} are filled in
    bool is_write;      // changes something at the other side
    bool has_body;
    bool is_public; // goes out without credentials, to the siteverify origin
};

// The endpoint of an operation. Lives for ever.
const struct ts_endpoint *ts_endpoint_of(enum ts_op op);

#endif
