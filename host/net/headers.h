// SPDX-License-Identifier: MIT
// The header lines of a request, in the list that libcurl reads: one block of memory for all of
// them, wiped when it is released.
#ifndef TS_NET_HEADERS_H
#define TS_NET_HEADERS_H

#include <stddef.h>

#include <curl/curl.h>

#include "host/base/error.h"

struct ts_loop;
struct ts_xfer_request;

struct ts_headers {
    struct curl_slist *list; // for CURLOPT_HTTPHEADER; the first node begins the block
    size_t bytes;            // of the block
    struct ts_pool *pool;    // whose it is
};

// Copies the lines of the request, and what goes with every request of the loop or with a body.
// USAGE (a line of more than one line, or without a colon) or NOMEM; empty then.
enum ts_err ts_headers_init(struct ts_headers *headers, struct ts_loop *loop,
    const struct ts_xfer_request *request, struct ts_error *err);

// Wipes and releases. Accepts a zeroed struct and may run twice.
void ts_headers_fini(struct ts_headers *headers);

#endif
