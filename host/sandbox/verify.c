// SPDX-License-Identifier: MIT
// Token verify: says that the token is good, and nothing about what it may do.
// Its id is made from the token, so that the same token has the same id.
#include <stdio.h>

#include "host/sandbox/op.h"

void ts_sandbox_op_verify_token(struct ts_sandbox_service *service,
    const struct ts_sandbox_request *request, struct ts_sandbox_reply *reply)
{
    struct ts_sandbox_identity identity;
    if (!ts_sandbox_auth_read(request, service->settings.token, &identity, reply)) {
        return;
    }
    char text[256];
    snprintf(text, sizeof text,
        "{\"success\":true,\"errors\":[],\"messages\":[{\"code\":10000,\"message\":"
        "\"This API Token is valid and active\",\"type\":null}],"
        "\"result\":{\"id\":\"%016llx%016llx\",\"status\":\"active\"}}",
        (unsigned long long)identity.digest[0], (unsigned long long)identity.digest[1]);
    ts_sandbox_reply_plain(reply, 200, text);
}
