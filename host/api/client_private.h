// SPDX-License-Identifier: MIT
// What client.c and call.c share: the client's fields.
// Not for other rooms.
#ifndef TS_API_CLIENT_PRIVATE_H
#define TS_API_CLIENT_PRIVATE_H

#include "host/api/client.h"

struct ts_client {
    struct ts_loop *loop;
    struct ts_queue *queue;
    char base_url[1024];   // without a slash at the end
    char public_url[1024]; // siteverify's origin
    char account[64];
    struct ts_credentials credentials;
    bool has_credentials;
    int64_t timeout_us;
    struct ts_budget *budget; // NULL: none
};

#endif
