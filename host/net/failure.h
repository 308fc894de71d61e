// SPDX-License-Identifier: MIT
// What went wrong with an exchange, in one line for people: the peer, the cause, never a URL's
// query and never a header.
#ifndef TS_NET_FAILURE_H
#define TS_NET_FAILURE_H

#include <stdbool.h>
#include <stdint.h>

#include <curl/curl.h>

#include "host/base/error.h"
#include "host/net/response.h"

struct ts_failure {
    CURLcode code;                      // libcurl's verdict
    const char *cause;                  // libcurl's text, "" when it gave none
    const char *peer;                   // "host:port"
    long os_errno;                      // of the failed connect, 0 when unknown
    bool is_sent;                       // bytes of the request may have arrived
    bool is_once;                       // the request may not be sent again
    const struct ts_response *response; // as far as it came
};

// Says why libcurl ended the exchange: TRANSPORT, TRUST, TIMEOUT, TOO_LARGE or NOMEM, also
// returned.
enum ts_err ts_failure_explain(const struct ts_failure *failure, struct ts_error *err);

// The same for an exchange that libcurl would have let go on: its deadline passed, budget_us after
// its start.
enum ts_err ts_failure_timeout(
    const struct ts_failure *failure, int64_t budget_us, struct ts_error *err);

#endif
