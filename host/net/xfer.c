// SPDX-License-Identifier: MIT
// The life of an exchange: started, ended by libcurl or by its deadline, delivered, released.
// Ending and delivering are apart, so that a callback may cancel any other transfer.
#include "host/net/xfer.h"

#include <string.h>

#include "host/base/str.h"
#include "host/net/response.h"
#include "host/net/easy.h"
#include "host/net/failure.h"
#include "host/net/headers.h"
#include "host/net/loop_private.h"

struct ts_xfer {
    struct ts_loop *loop;
    struct ts_easy *easy; // NULL once ended
    ts_xfer_fn on_done;   // NULL once called
    void *owner;
    struct ts_timer deadline;
    struct ts_headers headers;
    struct ts_buf upload;
    int64_t start_us;
    int64_t budget_us;
    struct ts_response response;
    struct ts_xfer_result result;
    bool is_ended; // in the loop's list, waiting for its on_done
    struct ts_xfer *next;
    struct ts_xfer *prev;
};

static int xfer_set_body(struct ts_xfer *xfer, const struct ts_xfer_request *request)
{
    CURL *curl = xfer->easy->curl;
    int refused = 0;
    xfer->easy->is_special = request->body || !ts_str_is(request->method, "GET");
    if (request->body) {
        refused |= curl_easy_setopt(curl, CURLOPT_POST, 1L);
        refused |=
            curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)xfer->upload.len);
        refused |= curl_easy_setopt(curl, CURLOPT_POSTFIELDS, ts_buf_text(&xfer->upload));
    }
    if (!ts_str_is(request->method, request->body ? "POST" : "GET")) {
        refused |= curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request->method);
    }
    return refused;
}

// Takes a handle and sets what only this request has.
static enum ts_err xfer_configure(
    struct ts_xfer *xfer, const struct ts_xfer_request *request, struct ts_error *err)
{
    const struct ts_easy_use use = {
        .xfer = xfer,
        .response = &xfer->response,
        .is_once = request->is_once,
        .is_large = request->is_large,
        .max_body = request->max_body,
    };
    enum ts_err code = ts_easy_take(xfer->loop, request->url, &use, &xfer->easy, err);
    if (code) {
        return code;
    }
    int refused = xfer_set_body(xfer, request);
    refused |= curl_easy_setopt(xfer->easy->curl, CURLOPT_HTTPHEADER, xfer->headers.list);
    return refused ? ts_error_set(err, TS_ERR_INTERNAL, "libcurl refused an option") : TS_OK;
}

static void xfer_queue(struct ts_xfer *xfer)
{
    struct ts_loop *loop = xfer->loop;
    xfer->is_ended = true;
    xfer->prev = loop->ended_last;
    *(loop->ended_last ? &loop->ended_last->next : &loop->ended_first) = xfer;
    loop->ended_last = xfer;
}

static void xfer_unqueue(struct ts_xfer *xfer)
{
    struct ts_loop *loop = xfer->loop;
    *(xfer->prev ? &xfer->prev->next : &loop->ended_first) = xfer->next;
    *(xfer->next ? &xfer->next->prev : &loop->ended_last) = xfer->prev;
    xfer->next = NULL;
    xfer->prev = NULL;
    xfer->is_ended = false;
}

// Lets go of libcurl's handle and of everything that held the request.
static void xfer_detach(struct ts_xfer *xfer)
{
    ts_timer_disarm(&xfer->deadline);
    if (xfer->easy) {
        ts_easy_put(xfer->loop, xfer->easy);
        xfer->easy = NULL;
    }
    ts_headers_fini(&xfer->headers);
    ts_buf_fini(&xfer->upload);
}

// Fills the result and queues the transfer for delivery. The body moves into the result.
static void xfer_end(struct ts_xfer *xfer, CURLcode code, bool is_late)
{
    struct ts_xfer_result *result = &xfer->result;
    CURL *curl = xfer->easy->curl;
    long request_bytes = 0;
    long connects = 0;
    struct ts_failure failure = {
        .code = code,
        .cause = xfer->easy->cause,
        .peer = xfer->easy->origin.peer,
        .is_once = xfer->easy->use.is_once,
        .response = &xfer->response,
    };
    curl_easy_getinfo(curl, CURLINFO_REQUEST_SIZE, &request_bytes);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &result->status);
    curl_easy_getinfo(curl, CURLINFO_NUM_CONNECTS, &connects);
    if (code) {
        curl_easy_getinfo(curl, CURLINFO_OS_ERRNO, &failure.os_errno);
    }
    if (code || connects > 0) {
        ts_easy_spoil(xfer->easy);
    }
    result->status = result->status >= 200 ? result->status : 0;
    result->is_sent = request_bytes > 0;
    failure.is_sent = result->is_sent;
    if (is_late) {
        result->code = ts_failure_timeout(&failure, xfer->budget_us, &result->error);
    } else if (code || !xfer->response.has_head) {
        result->code = ts_failure_explain(&failure, &result->error);
    }
    result->duration_us = ts_loop_now(xfer->loop) - xfer->start_us;
    result->body = xfer->response.body;
    ts_buf_init(&xfer->response.body, 0);
    xfer_detach(xfer);
    xfer_queue(xfer);
}

static void on_deadline(struct ts_timer *timer)
{
    struct ts_xfer *xfer =
        (struct ts_xfer *)(void *)((char *)timer - offsetof(struct ts_xfer, deadline));
    xfer_end(xfer, CURLE_OPERATION_TIMEDOUT, true);
}

void ts_xfer_collect(struct ts_loop *loop)
{
    int left = 0;
    CURLMsg *message;
    while ((message = curl_multi_info_read(loop->multi, &left))) {
        if (message->msg == CURLMSG_DONE) {
            CURLcode code = message->data.result;
            const struct ts_easy *easy = ts_easy_of(message->easy_handle);
            xfer_end(easy->use.xfer, code, false); // message is gone now
        }
    }
}

void ts_xfer_deliver(struct ts_loop *loop)
{
    while (loop->ended_first) {
        struct ts_xfer *xfer = loop->ended_first;
        xfer_unqueue(xfer);
        loop->in_flight--;
        ts_xfer_fn on_done = xfer->on_done;
        xfer->on_done = NULL;
        on_done(xfer->owner, xfer);
    }
}

static enum ts_err xfer_launch(struct ts_xfer *xfer, int64_t deadline_us, struct ts_error *err)
{
    struct ts_loop *loop = xfer->loop;
    if (xfer->budget_us <= 0) {
        xfer_end(xfer, CURLE_OPERATION_TIMEDOUT, true); // too late to send anything
        return TS_OK;
    }
    if (deadline_us != TS_NEVER) {
        enum ts_err code = ts_timer_arm(loop, &xfer->deadline, deadline_us, on_deadline, err);
        if (code) {
            return code;
        }
    }
    if (curl_multi_add_handle(loop->multi, xfer->easy->curl)) {
        return ts_error_set(err, TS_ERR_NOMEM, "libcurl cannot take another transfer");
    }
    loop->has_started = true;
    return TS_OK;
}

enum ts_err ts_xfer_start(struct ts_loop *loop, const struct ts_xfer_request *request,
    ts_xfer_fn on_done, void *owner, struct ts_xfer **out, struct ts_error *err)
{
    *out = NULL;
    struct ts_xfer *xfer = ts_pool_take(&loop->pool, sizeof *xfer);
    if (!xfer) {
        return ts_error_set(err, TS_ERR_NOMEM, "out of memory");
    }
    *xfer = (struct ts_xfer){
        .loop = loop,
        .owner = owner,
        .start_us = ts_loop_now(loop),
    };
    xfer->budget_us =
        request->deadline_us == TS_NEVER ? TS_NEVER : request->deadline_us - xfer->start_us;
    ts_response_init(&xfer->response, &loop->pool, request->max_head, request->max_body);
    ts_buf_init_pooled(&xfer->upload, request->body_len, &loop->pool);
    enum ts_err code = TS_OK;
    if (request->body && ts_buf_add(&xfer->upload, request->body, request->body_len)) {
        code = ts_error_set(err, TS_ERR_NOMEM, "out of memory");
    }
    code = code ? code : ts_headers_init(&xfer->headers, loop, request, err);
    code = code ? code : xfer_configure(xfer, request, err);
    code = code ? code : xfer_launch(xfer, request->deadline_us, err);
    if (code) {
        ts_xfer_cancel(xfer);
        return code;
    }
    xfer->on_done = on_done;
    loop->in_flight++;
    *out = xfer;
    return TS_OK;
}

void ts_xfer_cancel(struct ts_xfer *xfer)
{
    if (!xfer) {
        return;
    }
    if (xfer->is_ended) {
        xfer_unqueue(xfer);
    }
    if (xfer->on_done) {
        xfer->loop->in_flight--;
    }
    if (xfer->easy) {
        ts_easy_spoil(xfer->easy);
    }
    xfer_detach(xfer);
    ts_response_fini(&xfer->response);
    ts_buf_fini(&xfer->result.body);
    ts_pool_release(&xfer->loop->pool, xfer, sizeof *xfer);
}

struct ts_xfer_result *ts_xfer_result(struct ts_xfer *xfer)
{
    return &xfer->result;
}

const char *ts_xfer_header(struct ts_xfer *xfer, const char *name)
{
    return ts_response_header(&xfer->response, name);
}

const char *ts_net_versions(void)
{
    return curl_version();
}
