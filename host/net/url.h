// SPDX-License-Identifier: MIT
// Where a URL leads, and whether a request may go there: https anywhere, plain http only to this
// machine. The public face (ts_url_check, ts_url_escape) is in xfer.h.
#ifndef TS_NET_URL_H
#define TS_NET_URL_H

#include <stdbool.h>
#include <stddef.h>

#include <curl/curl.h>

#include "host/base/error.h"

struct ts_origin {
    size_t len;       // of "scheme://host:port" at the front of the URL
    bool is_plain;    // http
    bool is_loopback; // a literal of 127.0.0.0/8, ::1, or localhost (which libcurl pins)
    char peer[280];   // "host:port", for messages
};

// Parses url, leaves its origin in parsed and says where it leads. USAGE with the reason when it is
// malformed, holds a user, a fragment, a space or a control character, or is plain http to another
// machine; NOMEM. The reason never quotes more of the URL than its host.
enum ts_err ts_origin_parse(
    CURLU *parsed, const char *url, struct ts_origin *out, struct ts_error *err);

// The path and query of a url of that origin, as they stand in the request line; part of url or a
// constant. USAGE.
enum ts_err ts_origin_target(
    const struct ts_origin *origin, const char *url, const char **out, struct ts_error *err);

#endif
