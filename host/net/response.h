// SPDX-License-Identifier: MIT
// What a server sends back, as libcurl hands it over: headers and body, counted against ceilings
// before they are kept. Its callbacks call nothing of libcurl and nothing that calls back.
#ifndef TS_NET_RESPONSE_H
#define TS_NET_RESPONSE_H

#include <stdbool.h>
#include <stddef.h>

#include <curl/curl.h>

#include "host/base/buf.h"

enum ts_response_fault {
    TS_RESPONSE_FINE,
    TS_RESPONSE_HEAD_TOO_LARGE,
    TS_RESPONSE_BODY_TOO_LARGE,
    TS_RESPONSE_NOMEM,
};

struct ts_response {
    struct ts_buf head; // of the latest status line: its fields, in order
    struct ts_buf body; // decoded
    size_t head_bytes;  // of every header line that came: 1xx answers and trailers too
    size_t head_max;
    bool is_head_open; // a status line came, the empty line behind the headers did not yet
    bool is_interim;   // its status is 1xx: another one follows
    bool has_head;     // the final one is complete
    enum ts_response_fault fault; // why a callback refused to go on
};

// Makes an empty answer with its ceilings in bytes. Allocates nothing.
void ts_response_init(struct ts_response *response, size_t max_head, size_t max_body);

// Wipes and releases. Accepts a zeroed struct and may run twice.
void ts_response_fini(struct ts_response *response);

// Points the handle's write and header callbacks to the answer; not zero when libcurl refuses.
int ts_response_attach(struct ts_response *response, CURL *curl);

// The value of the first header of that name, NULL when absent. Borrowed.
const char *ts_response_header(const struct ts_response *response, const char *name);

#endif
