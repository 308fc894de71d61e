// SPDX-License-Identifier: MIT
// What is sent back: status, headers, body. Builds the API's envelope and all its refusals.
// A check of the request returns true to go on; when it returns false it has filled the reply.
#ifndef TS_SANDBOX_REPLY_H
#define TS_SANDBOX_REPLY_H

#include <stdbool.h>
#include <stdint.h>

#include "host/base/buf.h"
#include "host/sandbox/store.h"

// Every way to refuse; status, code and text are a table in problem.c.
enum ts_sandbox_problem {
    TS_SANDBOX_NO_PATH,  // outside the API
    TS_SANDBOX_NO_ROUTE, // inside it, but nothing there
    TS_SANDBOX_BAD_ACCOUNT_ID,
    TS_SANDBOX_BAD_METHOD,
    TS_SANDBOX_NO_CREDENTIALS,
    TS_SANDBOX_BAD_AUTHORIZATION,
    TS_SANDBOX_BAD_AUTH_EMAIL,
    TS_SANDBOX_BAD_AUTH_KEY,
    TS_SANDBOX_UNKNOWN_CREDENTIALS,
    TS_SANDBOX_UNKNOWN_TOKEN, // the same on the token-verify routes
    TS_SANDBOX_NO_PERMISSION,
    TS_SANDBOX_THROTTLED,
    TS_SANDBOX_BODY_TOO_LARGE,
    TS_SANDBOX_BAD_TYPE,
    TS_SANDBOX_INVALID, // anything wrong inside the request; comes with its own text
    TS_SANDBOX_NO_WIDGET,
    TS_SANDBOX_NOT_ENTITLED, // with its own text
    TS_SANDBOX_OVER_QUOTA,   // with its own text
    TS_SANDBOX_FORBIDDEN,    // a control route asked for by a web page
    TS_SANDBOX_BROKEN,       // the sandbox itself failed; nothing was changed
    TS_SANDBOX_PROBLEM_COUNT,
};

struct ts_sandbox_problem_row {
    int status;
    int code;
    const char *message;
    int chain_code; // an error_chain entry; 0: none
    const char *chain_message;
    int next_code; // a second error; 0: none
    const char *next_message;
};

#define TS_SANDBOX_HEADERS_MAX 6
#define TS_SANDBOX_REPLY_MAX (256 * 1024 * 1024)

struct ts_sandbox_reply {
    struct ts_sandbox_store *store; // borrowed
    int status;
    const char *type;
    struct ts_buf body;
    size_t header_count;
    struct {
        const char *name; // static
        char value[96];
    } headers[TS_SANDBOX_HEADERS_MAX];
    bool has_failed; // out of memory or SQLite broke: see ts_sandbox_reply_finish
};

// The row of a problem. Never NULL.
const struct ts_sandbox_problem_row *ts_sandbox_problem_row(enum ts_sandbox_problem problem);

// Makes an empty reply. Cannot fail.
void ts_sandbox_reply_init(struct ts_sandbox_reply *reply, struct ts_sandbox_store *store);

// Wipes and releases. Accepts a zeroed struct and may run twice.
void ts_sandbox_reply_fini(struct ts_sandbox_reply *reply);

// Sets a header, in place of one of that name; name must be static.
void ts_sandbox_reply_header(struct ts_sandbox_reply *reply, const char *name, const char *value);

// Adds bytes to the body; a failure is remembered.
void ts_sandbox_reply_add(struct ts_sandbox_reply *reply, const char *text);

// Status 200 and the success envelope around a JSON text.
void ts_sandbox_reply_result(struct ts_sandbox_reply *reply, const char *json);

// The envelope's beginning, for results that are added in pieces; the caller closes it.
void ts_sandbox_reply_open(struct ts_sandbox_reply *reply);

// Status 200 and a JSON text as it is, for what does not use the envelope.
void ts_sandbox_reply_plain(struct ts_sandbox_reply *reply, int status, const char *json);

// The failure envelope. Returns false, so that a check can end with it.
bool ts_sandbox_reply_refuse(struct ts_sandbox_reply *reply, enum ts_sandbox_problem problem);
bool ts_sandbox_reply_refuse_with(struct ts_sandbox_reply *reply, enum ts_sandbox_problem problem,
    const char *format, ...) __attribute__((format(printf, 3, 4)));

// Turns a reply that failed on the way into a plain 500 that needs no memory.
void ts_sandbox_reply_finish(struct ts_sandbox_reply *reply);

#endif
