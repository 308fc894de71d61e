// SPDX-License-Identifier: MIT
// What a server sends back, as libcurl hands it over: headers and body, counted against ceilings
// before they are kept. Its callbacks call nothing of libcurl and nothing that calls back.
#ifndef TS_NET_ANSWER_H
#define TS_NET_ANSWER_H

#include <stdbool.h>
#include <stddef.h>

#include <curl/curl.h>

#include "host/base/buf.h"

enum ts_answer_fault {
    TS_ANSWER_FINE,
    TS_ANSWER_HEAD_TOO_LARGE,
    TS_ANSWER_BODY_TOO_LARGE,
    TS_ANSWER_NOMEM,
};

struct ts_answer {
    struct ts_buf head; // of the latest status line: "name\0value\0", trimmed, in order
    struct ts_buf body; // decoded
    size_t head_bytes;  // of every header line that came: 1xx answers and trailers too
    size_t head_max;
    bool is_head_open;          // a status line came, the empty line behind the headers did not yet
    bool is_interim;            // its status is 1xx: another one follows
    bool has_head;              // the final one is complete
    enum ts_answer_fault fault; // why a callback refused to go on
};

// Makes an empty answer with its ceilings in bytes. Allocates nothing.
void ts_answer_init(struct ts_answer *answer, size_t max_head, size_t max_body);

// Wipes and releases. Accepts a zeroed struct and may run twice.
void ts_answer_fini(struct ts_answer *answer);

// Points the handle's write and header callbacks to the answer; not zero when libcurl refuses.
int ts_answer_attach(struct ts_answer *answer, CURL *curl);

// The value of the first header of that name, NULL when absent. Borrowed.
const char *ts_answer_header(const struct ts_answer *answer, const char *name);

#endif
