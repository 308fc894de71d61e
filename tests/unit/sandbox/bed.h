// SPDX-License-Identifier: MIT
// A test bed: a sandbox in this process on a clock that the test moves, and a client that keeps
// the last answer. Everything asserts for itself, so that tests read as a list of calls.
#ifndef TS_TESTS_UNIT_SANDBOX_BED_H
#define TS_TESTS_UNIT_SANDBOX_BED_H

#include <curl/curl.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/base/buf.h"
#include "host/sandbox/sandbox.h"

#define BED_ACCOUNT "0123456789abcdef0123456789abcdef"
#define BED_OTHER_ACCOUNT "fedcba9876543210fedcba9876543210"
#define BED_TOKEN "sandbox-token-not-a-secret"
#define BED_WIDGETS "/client/v4/accounts/" BED_ACCOUNT "/challenges/widgets"
#define BED_START_US INT64_C(1767225600000000) // 2026-01-01T00:00:00Z
#define BED_TEXT_MAX 4096

// A body that create and update take.
#define BED_BODY "{\"name\":\"acme login\",\"domains\":[\"acme.example\"],\"mode\":\"managed\"}"

struct bed {
    struct ts_sandbox *sandbox;
    struct ts_clock clock;
    _Atomic int64_t mono_us;
    _Atomic int64_t wall_us;
    char origin[96];
    CURL *curl;
    sqlite3 *json;
    const char *authorization; // a whole header line; NULL: none
    const char *type;          // of bodies; NULL: none
    const char *header;        // one more header line, or NULL
    bool is_fresh;             // a new connection for each call: libcurl sends a request again by
                               // itself when a used one breaks
    long status;
    struct ts_buf body;
    struct ts_buf headers;
    char text[BED_TEXT_MAX]; // what bed_json returns
};

// Starts a sandbox; config may be NULL. Its clock is replaced by the bed's.
void bed_start(struct bed *bed, const struct ts_sandbox_config *config);

// Stops it; the bed may be started again.
void bed_stop(struct bed *bed);

// Moves both clocks.
void bed_advance(struct bed *bed, int64_t seconds);

// One exchange on the kept connection; body may be NULL. False when no whole answer came.
bool bed_try(struct bed *bed, const char *method, const char *path, const char *body);

// The same, asserting the status.
void bed_call(struct bed *bed, const char *method, const char *path, const char *body, long status);

// The same, asserting the first error's code too.
void bed_refused(
    struct bed *bed, const char *method, const char *path, const char *body, long status, int code);

// What a JSON path has in the last body, as text; "" when it is not there. The next call to it
// overwrites the text.
const char *bed_json(struct bed *bed, const char *path);
void bed_assert_json(struct bed *bed, const char *path, const char *expected);

// A header of the last answer, or "".
const char *bed_header(struct bed *bed, const char *name);

// Makes a widget and copies its sitekey (33 bytes) and secret (64 bytes; may be NULL).
void bed_create(struct bed *bed, const char *body, char *sitekey, char *secret);

// BED_WIDGETS "/sitekey" with what follows, in the buffer.
const char *bed_path(char *path, size_t size, const char *sitekey, const char *rest);

// A plain connection to the sandbox, for what no client would send.
int bed_connect(const struct bed *bed);

#endif
