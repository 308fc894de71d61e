// SPDX-License-Identifier: MIT
// What a server sends back, as it arrives: headers and body, counted against ceilings before they
// are kept. Nothing here calls libcurl, in whose callbacks it runs.
#ifndef TS_NET_RESPONSE_H
#define TS_NET_RESPONSE_H

#include <stdbool.h>
#include <stddef.h>

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
    enum ts_response_fault fault; // why the rest was refused
};

// Makes an empty answer with its ceilings in bytes, whose memory will be the pool's. Allocates
// nothing.
void ts_response_init(
    struct ts_response *response, struct ts_pool *pool, size_t max_head, size_t max_body);

// Wipes and releases. Accepts a zeroed struct and may run twice.
void ts_response_fini(struct ts_response *response);

// Adds a line of a head, as it came: a status line, a field, the empty line behind them, a trailer.
// False, with the reason in fault, when the exchange must end.
bool ts_response_add_line(struct ts_response *response, const char *line, size_t len);

// Adds to the body. False as above.
bool ts_response_add_body(struct ts_response *response, const char *data, size_t len);

// The value of the first header of that name, NULL when absent. Borrowed.
const char *ts_response_header(const struct ts_response *response, const char *name);

#endif
