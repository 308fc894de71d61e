// SPDX-License-Identifier: MIT
// One HTTP exchange: started on the loop, done exactly once or cancelled, bounded in size and time.
// Follows no redirect, keeps no cookie, reads no netrc; plain http only to loopback addresses.
#ifndef TS_NET_XFER_H
#define TS_NET_XFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/base/buf.h"
#include "host/base/error.h"

struct ts_loop;
struct ts_xfer;

// Everything is copied by ts_xfer_start; the copies of headers and body are wiped when the
// exchange ends.
struct ts_xfer_request {
    const char *method;         // "GET", "POST", "PUT", "DELETE"
    const char *url;            // absolute
    const char *const *headers; // "Name: value" lines
    size_t header_count;
    const char *body; // NULL: none
    size_t body_len;
    bool is_once;        // the request must never reach the server twice (see README.md)
    bool is_large;       // an answer of some hundred kB is expected, worth compressing
    int64_t deadline_us; // on the loop's clock; the transfer ends with TIMEOUT when it
                         // passes; TS_NEVER for none
    size_t max_body;     // ceilings in bytes, decoded; past them: TOO_LARGE
    size_t max_head;     // all header lines together, interim answers and trailers too
};

struct ts_xfer_result {
    enum ts_err code;      // TS_OK: an answer is there, whatever its status
    struct ts_error error; // filled when code is not TS_OK: as ts_failure_explain says
    bool is_sent;          // bytes of the request may have reached the server
    long status;           // HTTP status, 0 when no final status line arrived
    struct ts_buf body;    // decoded; also what arrived before a failure
    int64_t duration_us;
};

// Called once from ts_loop_turn when the exchange has ended, never after a cancel.
typedef void (*ts_xfer_fn)(void *owner, struct ts_xfer *xfer);

// Starts the exchange; on_done comes in a later turn, never from in here. On failure nothing was
// sent and *out is NULL: USAGE (bad URL, plain http to a host that is not loopback, a header of
// more than one line), NOMEM, INTERNAL. A deadline that has passed already sends nothing and ends
// with TIMEOUT. The caller ends *out with ts_xfer_cancel, before or after on_done.
enum ts_err ts_xfer_start(struct ts_loop *loop, const struct ts_xfer_request *request,
    ts_xfer_fn on_done, void *owner, struct ts_xfer **out, struct ts_error *err);

// Stops the exchange if it is under way and releases everything. NULL is fine, and so is any
// callback of the loop, this transfer's own on_done included.
void ts_xfer_cancel(struct ts_xfer *xfer);

// The result, once on_done has been called. Borrowed until the cancel.
struct ts_xfer_result *ts_xfer_result(struct ts_xfer *xfer);

// The value of a header of the final answer, NULL when absent; case of the name ignored.
// Borrowed until the cancel.
const char *ts_xfer_header(struct ts_xfer *xfer, const char *name);

// Checks a URL that is to become a base for others: absolute, https or loopback http, no user part,
// no query, no fragment. USAGE with the reason otherwise, or NOMEM.
enum ts_err ts_url_check(const char *url, struct ts_error *err);

// Writes the origin of such a URL in its one spelling, with the port: "https://example.com:443".
// Fails as ts_url_check does.
#define TS_URL_ORIGIN_MAX 296
enum ts_err ts_url_origin(const char *url, char out[TS_URL_ORIGIN_MAX], struct ts_error *err);

// Appends the percent-encoded form of text. NOMEM or TOO_LARGE.
enum ts_err ts_url_escape(struct ts_buf *out, const char *text, size_t len);

// Versions for --version: "libcurl/7.88.1 OpenSSL/3.0.17 ...". Lives for ever.
const char *ts_net_versions(void);

#endif
