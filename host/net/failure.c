// SPDX-License-Identifier: MIT
// libcurl's codes, sorted by what a user can do about them. Its own words are kept where they say
// more than ours; everything passes through ts_error_set, which blanks control characters.
#include "host/net/failure.h"

#include <string.h>

static const char *failure_cause(const struct ts_failure *failure)
{
    return *failure->cause ? failure->cause : curl_easy_strerror(failure->code);
}

static bool has_begun(const struct ts_failure *failure)
{
    return failure->response->head_bytes > 0;
}

static enum ts_err explain_size(const struct ts_failure *failure, struct ts_error *err)
{
    return ts_error_set(err, TS_ERR_TOO_LARGE, "the answer of %s is larger than %zu bytes",
        failure->peer, failure->response->body.max);
}

static enum ts_err explain_refusal(const struct ts_failure *failure, struct ts_error *err)
{
    const struct ts_response *response = failure->response;
    switch (response->fault) {
    case TS_RESPONSE_BODY_TOO_LARGE:
        return explain_size(failure, err);
    case TS_RESPONSE_HEAD_TOO_LARGE:
        return ts_error_set(err, TS_ERR_TOO_LARGE,
            "the headers of the answer of %s are larger than %zu bytes", failure->peer,
            response->head_max);
    case TS_RESPONSE_NOMEM:
        return ts_error_set(err, TS_ERR_NOMEM, "out of memory for the answer of %s", failure->peer);
    case TS_RESPONSE_FINE:
        break;
    }
    return ts_error_set(err, TS_ERR_TRANSPORT, "the answer of %s is damaged: %s", failure->peer,
        failure_cause(failure));
}

// What libcurl adds to the fact that the connection was cut; NULL where it adds nothing.
static const char *cut_cause(const struct ts_failure *failure)
{
    switch (failure->code) {
    case CURLE_OK: // an end in mid-header, which libcurl takes for the end of the answer
        return "its headers are incomplete";
    case CURLE_GOT_NOTHING:
    case CURLE_ABORTED_BY_CALLBACK: // see on_request in easy.c
        return NULL;
    default:
        return failure_cause(failure);
    }
}

static enum ts_err explain_cut(const struct ts_failure *failure, struct ts_error *err)
{
    const char *cause = cut_cause(failure);
    return ts_error_set(err, TS_ERR_TRANSPORT, "the connection to %s was cut %s%s%s%s",
        failure->peer, has_begun(failure) ? "in mid-answer" : "before any answer",
        cause ? ": " : "", cause ? cause : "",
        failure->is_once && failure->is_sent ? "; the request is not sent again" : "");
}

static enum ts_err explain_connect(const struct ts_failure *failure, struct ts_error *err)
{
    if (failure->os_errno) {
        ts_error_set_errno(err, (int)failure->os_errno, "could not connect to %s", failure->peer);
        if (err) {
            err->code = TS_ERR_TRANSPORT;
        }
        return TS_ERR_TRANSPORT;
    }
    return ts_error_set(err, TS_ERR_TRANSPORT, "could not connect to %s: %s", failure->peer,
        failure_cause(failure));
}

// libcurl calls a header line of more than 100 kB "out of memory" too.
static enum ts_err explain_memory(const struct ts_failure *failure, struct ts_error *err)
{
    if (failure->is_sent && !failure->response->has_head) {
        return ts_error_set(err, TS_ERR_TOO_LARGE,
            "a header line of the answer of %s is too long, or memory ran out", failure->peer);
    }
    return ts_error_set(err, TS_ERR_NOMEM, "out of memory talking to %s", failure->peer);
}

enum ts_err ts_failure_explain(const struct ts_failure *failure, struct ts_error *err)
{
    const char *peer = failure->peer;
    switch (failure->code) {
    case CURLE_OUT_OF_MEMORY:
        return explain_memory(failure, err);
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
        return ts_error_set(err, TS_ERR_TRANSPORT, "could not find the address of %s: %s", peer,
            failure_cause(failure));
    case CURLE_COULDNT_CONNECT:
        return explain_connect(failure, err);
    case CURLE_OPERATION_TIMEDOUT:
        return ts_error_set(
            err, TS_ERR_TIMEOUT, "no connection to %s: %s", peer, failure_cause(failure));
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
        return ts_error_set(err, TS_ERR_TRUST, "no TLS with %s: %s", peer, failure_cause(failure));
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_ENGINE_INITFAILED:
    case CURLE_USE_SSL_FAILED:
        return ts_error_set(
            err, TS_ERR_TRANSPORT, "no TLS with %s: %s", peer, failure_cause(failure));
    case CURLE_FILESIZE_EXCEEDED:
        return explain_size(failure, err);
    case CURLE_WRITE_ERROR:
    case CURLE_BAD_CONTENT_ENCODING:
        return explain_refusal(failure, err);
    case CURLE_OK:
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_ABORTED_BY_CALLBACK:
        return explain_cut(failure, err);
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_WEIRD_SERVER_REPLY:
        return ts_error_set(err, TS_ERR_TRANSPORT,
            "%s answered with something that is not HTTP: %s", peer, failure_cause(failure));
    default:
        return ts_error_set(
            err, TS_ERR_TRANSPORT, "the exchange with %s failed: %s", peer, failure_cause(failure));
    }
}

enum ts_err ts_failure_timeout(
    const struct ts_failure *failure, int64_t budget_us, struct ts_error *err)
{
    // What was asked for, less the moment that setting out took: 299 ms read as 0.3 s, 59,999 ms
    // as 60 s.
    bool is_short = budget_us < 10000000;
    int64_t whole = (budget_us + 500000) / 1000000;
    double seconds = is_short ? (double)budget_us / 1e6 : (double)whole;
    int digits = is_short ? 2 : 9;
    if (budget_us <= 0) {
        return ts_error_set(err, TS_ERR_TIMEOUT,
            "the deadline passed before a request to %s could be sent", failure->peer);
    }
    if (has_begun(failure)) {
        return ts_error_set(err, TS_ERR_TIMEOUT, "the answer of %s was not complete within %.*g s",
            failure->peer, digits, seconds);
    }
    if (failure->is_sent) {
        return ts_error_set(
            err, TS_ERR_TIMEOUT, "no answer from %s within %.*g s", failure->peer, digits, seconds);
    }
    return ts_error_set(err, TS_ERR_TIMEOUT, "no request could be sent to %s within %.*g s",
        failure->peer, digits, seconds);
}
