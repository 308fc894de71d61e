// SPDX-License-Identifier: MIT
// The endpoint table.
// PUT and DELETE are idempotent in HTTP terms, but a repeated DELETE answers 404, so all writes
// are sent at most once.
#include "host/api/endpoint.h"

#define WIDGETS "/accounts/{account}/challenges/widgets"

static const struct ts_endpoint endpoints[TS_OP_COUNT] = {
    [TS_OP_LIST] = {.op = TS_OP_LIST, .name = "list", .method = "GET", .path = WIDGETS},
    [TS_OP_GET] = {.op = TS_OP_GET, .name = "get", .method = "GET", .path = WIDGETS "/{sitekey}"},
    [TS_OP_CREATE] = {.op = TS_OP_CREATE,
        .name = "create",
        .method = "POST",
        .path = WIDGETS,
        .is_write = true,
        .has_body = true},
    [TS_OP_UPDATE] = {.op = TS_OP_UPDATE,
        .name = "update",
        .method = "PUT",
        .path = WIDGETS "/{sitekey}",
        .is_write = true,
        .has_body = true},
    [TS_OP_DELETE] = {.op = TS_OP_DELETE,
        .name = "delete",
        .method = "DELETE",
        .path = WIDGETS "/{sitekey}",
        .is_write = true},
    [TS_OP_ROTATE] = {.op = TS_OP_ROTATE,
        .name = "rotate_secret",
        .method = "POST",
        .path = WIDGETS "/{sitekey}/rotate_secret",
        .is_write = true,
        .has_body = true},
    [TS_OP_VERIFY_USER] = {.op = TS_OP_VERIFY_USER,
        .name = "verify",
        .method = "GET",
        .path = "/user/tokens/verify"},
    [TS_OP_VERIFY_ACCOUNT] = {.op = TS_OP_VERIFY_ACCOUNT,
        .name = "verify",
        .method = "GET",
        .path = "/accounts/{account}/tokens/verify"},
    [TS_OP_SITEVERIFY] = {.op = TS_OP_SITEVERIFY,
        .name = "siteverify",
        .method = "POST",
        .path = "/turnstile/v0/siteverify",
        .has_body = true,
        .is_public = true},
};

const struct ts_endpoint *ts_endpoint_of(enum ts_op op)
{
    return &endpoints[op];
}
