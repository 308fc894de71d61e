// SPDX-License-Identifier: MIT
// The JSON body of a write: read, checked in the order the service checks, and put into a struct.
// Which fields exist, where, and what they may hold is a table.
#ifndef TS_SANDBOX_FIELDS_H
#define TS_SANDBOX_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/sandbox/domains.h"
#include "host/sandbox/reply.h"
#include "host/sandbox/request.h"

enum ts_sandbox_field {
    TS_SANDBOX_NAME,
    TS_SANDBOX_MODE,
    TS_SANDBOX_DOMAINS,
    TS_SANDBOX_REGION,
    TS_SANDBOX_CLEARANCE_LEVEL,
    TS_SANDBOX_BOT_FIGHT_MODE,
    TS_SANDBOX_EPHEMERAL_ID,
    TS_SANDBOX_OFFLABEL,
    TS_SANDBOX_INVALIDATE_IMMEDIATELY,
    TS_SANDBOX_FIELD_COUNT,
};

// Which body is read; also bits of the field table.
enum ts_sandbox_body {
    TS_SANDBOX_BODY_WIDGET = 1, // create and update ask for the same
    TS_SANDBOX_BODY_ROTATE = 2,
};

struct ts_sandbox_value {
    bool is_set;  // present and not null
    char type[8]; // as json_each names it; "" when the member is absent
    bool flag;
    char *text; // strings unescaped; arrays as JSON
    size_t len; // differs from strlen(text) when it holds a NUL
};

struct ts_sandbox_fields {
    struct ts_sandbox_value values[TS_SANDBOX_FIELD_COUNT];
    struct ts_sandbox_domains domains;
};

// Reads the body: content type, syntax, unknown fields, required fields, types and choices,
// domains. False with the reply filled at the first thing that is wrong. Call fini in any case.
bool ts_sandbox_fields_read(struct ts_sandbox_fields *fields,
    const struct ts_sandbox_request *request, enum ts_sandbox_body body, size_t max_domains,
    struct ts_sandbox_reply *reply);

// Releases. Accepts a zeroed struct and may run twice.
void ts_sandbox_fields_fini(struct ts_sandbox_fields *fields);

// The name of a field.
const char *ts_sandbox_field_name(enum ts_sandbox_field field);

// Whether the body is a JSON object in clean UTF-8; else the reply is filled.
bool ts_sandbox_fields_check_object(
    const struct ts_sandbox_request *request, struct ts_sandbox_reply *reply);

#endif
