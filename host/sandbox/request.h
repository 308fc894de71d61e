// SPDX-License-Identifier: MIT
// One request as it came in: method, target taken apart, headers, body.
// The target is split before anything is decoded, so an encoded slash stays part of a name.
#ifndef TS_SANDBOX_REQUEST_H
#define TS_SANDBOX_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/base/buf.h"

struct MHD_Connection;

#define TS_SANDBOX_BODY_MAX ((size_t)1024 * 1024)
#define TS_SANDBOX_CONTROL_BODY_MAX ((size_t)16 * 1024 * 1024)
#define TS_SANDBOX_SEGMENTS_MAX 8
#define TS_SANDBOX_VALUE_MAX 1024

enum ts_sandbox_method {
    TS_SANDBOX_GET = 1, // HEAD too; its body is left out on the way
    TS_SANDBOX_POST = 2,
    TS_SANDBOX_PUT = 4,
    TS_SANDBOX_DELETE = 8,
    TS_SANDBOX_OTHER = 16,
};

struct ts_sandbox_request {
    struct MHD_Connection *connection; // borrowed; NULL only before the headers are in
    enum ts_sandbox_method method;
    char method_text[16];
    char *target;         // as sent
    char *parts;          // the same, cut into what the pointers below show
    const char *query;    // without '?', still encoded; NULL when there is none
    size_t segment_count; // SIZE_MAX: too many
    const char *segments[TS_SANDBOX_SEGMENTS_MAX]; // of the path, still encoded
    struct ts_buf body;
    size_t received;     // body bytes, those thrown away included
    const char *account; // set by the router when the route names one
    char sitekey[33];    // the same; decoded, "" when it cannot be one
};

// Takes a raw request target apart. NOMEM.
enum ts_err ts_sandbox_request_init(struct ts_sandbox_request *request, const char *target);

// Wipes and releases. Accepts a zeroed struct and may run twice.
void ts_sandbox_request_fini(struct ts_sandbox_request *request);

// Notes the method.
void ts_sandbox_request_set_method(struct ts_sandbox_request *request, const char *method);

// Adds a piece of the body; past the limit it is only counted. NOMEM.
enum ts_err ts_sandbox_request_add_body(
    struct ts_sandbox_request *request, const char *bytes, size_t len);

// Whether the body was longer than its buffer may become.
bool ts_sandbox_request_is_too_large(const struct ts_sandbox_request *request);

// A header's value, or NULL. Borrowed from the connection.
const char *ts_sandbox_request_header(const struct ts_sandbox_request *request, const char *name);

// Whether the content type is this one, parameters aside.
bool ts_sandbox_request_has_type(const struct ts_sandbox_request *request, const char *type);

// Decodes one path segment. False when it does not fit or holds what is not text.
bool ts_sandbox_request_decode(const char *segment, char *out, size_t size);

// Whether every part of the query decodes to text.
bool ts_sandbox_request_has_clean_query(const struct ts_sandbox_request *request);

// The first query parameter of that name, decoded into value (TS_SANDBOX_VALUE_MAX bytes); ""
// when it is absent. False when it is too long.
bool ts_sandbox_request_query(
    const struct ts_sandbox_request *request, const char *name, char *value);

#endif
