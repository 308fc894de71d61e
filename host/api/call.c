// SPDX-License-Identifier: MIT
// A call's life: copied and queued, launched as a transfer, ended with an answer, cancelled.
// The request is built at launch, so that credentials are in plain memory only while it starts.
#include "host/api/call.h"

#include <stdlib.h>
#include <string.h>

#include "host/api/budget.h"
#include "host/api/client_private.h"
#include "host/api/queue_private.h"
#include "host/base/str.h"
#include "host/net/loop.h"
#include "host/net/xfer.h"

#define URL_MAX (8 * 1024)
#define HEADERS_MAX (16 * 1024)
#define HEADER_LINES_MAX 8
#define ANSWER_MAX (32 * 1024 * 1024) // a page of 1,000 widgets with 200 long hostnames each fits
#define HEAD_MAX (64 * 1024)

enum call_state { CALL_WAITING, CALL_IN_FLIGHT, CALL_ENDED };

struct ts_call {
    struct ts_client *client;
    const struct ts_endpoint *endpoint;
    enum call_state state;
    struct ts_call *next;
    struct ts_call *prev;
    struct ts_buf url;
    struct ts_buf body;
    struct ts_buf nothing; // the answer's body when no answer came
    char content_type[64];
    ts_call_fn on_done;
    void *owner;
    struct ts_xfer *xfer;
    struct ts_answer answer;
};

struct ts_call **call_next(struct ts_call *call)
{
    return &call->next;
}

struct ts_call **call_prev(struct ts_call *call)
{
    return &call->prev;
}

struct ts_budget *call_budget(const struct ts_call *call)
{
    return call->endpoint->is_public ? NULL : call->client->budget;
}

// Gives the permission back that the queue took for this call.
static void budget_give(struct ts_call *call, bool is_sent)
{
    struct ts_budget *budget = call_budget(call);
    if (budget) {
        ts_budget_give(budget, is_sent, ts_call_header(call, "Ratelimit"),
            ts_call_header(call, "Ratelimit-Policy"));
    }
}

static enum ts_err url_build(
    struct ts_call *call, const struct ts_call_spec *spec, struct ts_error *err)
{
    const struct ts_client *client = call->client;
    bool is_public = call->endpoint->is_public;
    enum ts_err code =
        ts_buf_add_str(&call->url, is_public ? client->public_url : client->base_url);
    for (const char *p = call->endpoint->path; !code && *p;) {
        size_t plain = strcspn(p, "{");
        code = ts_buf_add(&call->url, p, plain);
        p += plain;
        if (!code && ts_str_has_prefix(p, "{account}")) {
            if (!client->account[0]) {
                return ts_error_set(err, TS_ERR_USAGE,
                    "no account: give --account ID or set CLOUDFLARE_ACCOUNT_ID");
            }
            code = ts_url_escape(&call->url, client->account, strlen(client->account));
            p += strlen("{account}");
        } else if (!code && ts_str_has_prefix(p, "{sitekey}")) {
            // An empty sitekey would make this the collection's URL.
            if (!spec->sitekey || !spec->sitekey[0]) {
                return ts_error_set(err, TS_ERR_USAGE, "the sitekey is empty");
            }
            code = ts_url_escape(&call->url, spec->sitekey, strlen(spec->sitekey));
            p += strlen("{sitekey}");
        } else if (!code && *p) {
            return ts_error_set(err, TS_ERR_INTERNAL, "an endpoint's path has an unknown part");
        }
    }
    if (!code && spec->query && spec->query[0]) {
        code = ts_buf_add_char(&call->url, '?');
        if (!code) {
            code = ts_buf_add_str(&call->url, spec->query);
        }
    }
    return code ? ts_error_set(err, code, "the request's URL is too long") : TS_OK;
}

static void call_end(struct ts_call *call)
{
    call->state = CALL_ENDED;
    call->on_done(call->owner, call);
}

static void answer_fill(struct ts_call *call)
{
    struct ts_xfer_result *result = ts_xfer_result(call->xfer);
    struct ts_answer *answer = &call->answer;
    answer->code = result->code;
    answer->error = result->error;
    answer->is_sent = result->is_sent;
    answer->status = result->status;
    answer->body = &result->body;
    answer->attempts = 1;
    answer->duration_us = result->duration_us;
    const char *ray = ts_xfer_header(call->xfer, "CF-Ray");
    ts_str_copy(answer->ray, sizeof answer->ray, ray ? ray : "");
    const char *type = ts_xfer_header(call->xfer, "Content-Type");
    ts_str_copy(answer->content_type, sizeof answer->content_type, type ? type : "");
    const char *retry_after = ts_xfer_header(call->xfer, "Retry-After");
    if (!retry_after || !ts_str_to_int(retry_after, &answer->retry_after_s)) {
        answer->retry_after_s = -1;
    }
    if (answer->status < 200 || answer->status >= 300) {
        // What a refusal says is shown to people.
        const struct ts_credentials *credentials = &call->client->credentials;
        if (result->body.data) {
            ts_credentials_mask(credentials, result->body.data, result->body.len);
        }
        ts_credentials_mask(credentials, answer->ray, strlen(answer->ray));
        ts_credentials_mask(credentials, answer->content_type, strlen(answer->content_type));
    }
}

static void on_xfer_done(void *owner, struct ts_xfer *xfer)
{
    struct ts_call *call = owner;
    struct ts_queue *queue = call->client->queue;
    (void)xfer;
    answer_fill(call);
    queue->in_flight--;
    budget_give(call, call->answer.is_sent);
    call_end(call); // may cancel the call
    queue_advance(queue);
}

// Headers lie in one buffer, a NUL behind each; lines points at them.
static enum ts_err headers_build(struct ts_call *call, struct ts_buf *text, size_t *count)
{
    enum ts_err code =
        ts_buf_add(text, "Accept: application/json", sizeof "Accept: application/json");
    *count = 1;
    if (!code && call->endpoint->has_body) {
        code = ts_buf_add_format(text, "Content-Type: %s%c", call->content_type, '\0');
        *count += 1;
    }
    if (!code && !call->endpoint->is_public) {
        code = ts_credentials_add_headers(&call->client->credentials, text, count);
    }
    return code;
}

static enum ts_err xfer_launch(struct ts_call *call, struct ts_error *err)
{
    struct ts_buf text;
    ts_buf_init(&text, HEADERS_MAX);
    size_t count = 0;
    enum ts_err code = headers_build(call, &text, &count);
    if (code) {
        ts_buf_fini(&text);
        return ts_error_set(err, code, "cannot build the request's headers");
    }
    const char *lines[HEADER_LINES_MAX];
    const char *line = text.data;
    for (size_t i = 0; i < count; i++, line += strlen(line) + 1) {
        lines[i] = line;
    }
    struct ts_xfer_request request = {
        .method = call->endpoint->method,
        .url = ts_buf_text(&call->url),
        .headers = lines,
        .header_count = count,
        .body = call->endpoint->has_body ? ts_buf_text(&call->body) : NULL,
        .body_len = call->body.len,
        // A token is redeemed by its first siteverify, so that one is sent once as well.
        .is_once = call->endpoint->is_write || call->endpoint->is_public,
        .deadline_us = ts_loop_now(call->client->loop) + call->client->timeout_us,
        .max_body = ANSWER_MAX,
        .max_head = HEAD_MAX,
    };
    code = ts_xfer_start(call->client->loop, &request, on_xfer_done, call, &call->xfer, err);
    ts_buf_fini(&text);
    return code;
}

void call_launch(struct ts_call *call)
{
    call->state = CALL_IN_FLIGHT;
    struct ts_answer *answer = &call->answer;
    enum ts_err code = xfer_launch(call, &answer->error);
    if (code) {
        // Too late to fail the function that started the call: it ends like a transfer.
        answer->code = code;
        call->client->queue->in_flight--;
        budget_give(call, false);
        call_end(call);
    }
}

void call_abandon(struct ts_call *call)
{
    call->answer.code =
        ts_error_set(&call->answer.error, TS_ERR_CANCELLED, "stopped before it was sent");
    call_end(call);
}

static void call_destroy(struct ts_call *call)
{
    ts_xfer_cancel(call->xfer);
    ts_buf_fini(&call->url);
    ts_buf_fini(&call->body);
    free(call);
}

static enum ts_err call_start(struct ts_client *client, const struct ts_call_spec *spec,
    ts_call_fn on_done, void *owner, struct ts_call **out, struct ts_error *err)
{
    *out = NULL;
    const struct ts_endpoint *endpoint = ts_endpoint_of(spec->op);
    if (client->queue->is_closed) {
        return ts_error_set(err, TS_ERR_CANCELLED, "stopping: nothing new is sent");
    }
    if (!endpoint->is_public && !client->has_credentials) {
        return ts_error_set(err, TS_ERR_USAGE, "this client has no credentials");
    }
    struct ts_call *call = calloc(1, sizeof *call);
    if (!call) {
        return ts_error_set(err, TS_ERR_NOMEM, "out of memory");
    }
    call->client = client;
    call->endpoint = endpoint;
    call->on_done = on_done;
    call->owner = owner;
    call->answer.retry_after_s = -1;
    call->answer.body = &call->nothing;
    ts_buf_init(&call->url, URL_MAX);
    ts_buf_init(&call->body, SIZE_MAX / 2);
    ts_str_copy(call->content_type, sizeof call->content_type,
        spec->content_type ? spec->content_type : "application/json");
    enum ts_err code = url_build(call, spec, err);
    if (!code && endpoint->has_body) {
        code = ts_buf_add(&call->body, spec->body, spec->body_len);
        if (code) {
            ts_error_set(err, code, "out of memory");
        }
    }
    if (code) {
        call_destroy(call);
        return code;
    }
    *out = call;
    queue_add(client->queue, call);
    queue_advance(client->queue);
    return TS_OK;
}

enum ts_err ts_call_read(struct ts_client *client, const struct ts_call_spec *spec,
    ts_call_fn on_done, void *owner, struct ts_call **out, struct ts_error *err)
{
    if (ts_endpoint_of(spec->op)->is_write) {
        *out = NULL;
        return ts_error_set(err, TS_ERR_INTERNAL, "a write tried to pass as a read");
    }
    return call_start(client, spec, on_done, owner, out, err);
}

enum ts_err ts_call_write(struct ts_client *client, const struct ts_call_spec *spec,
    ts_call_fn on_done, void *owner, struct ts_call **out, struct ts_error *err)
{
    return call_start(client, spec, on_done, owner, out, err);
}

void ts_call_cancel(struct ts_call *call)
{
    if (!call) {
        return;
    }
    struct ts_queue *queue = call->client->queue;
    if (call->state == CALL_WAITING) {
        queue_remove(queue, call);
    } else if (call->state == CALL_IN_FLIGHT) {
        queue->in_flight--;
        budget_give(call, true); // it may have arrived
    }
    call_destroy(call);
    queue_advance(queue);
}

bool ts_call_is_started(const struct ts_call *call)
{
    return call->state != CALL_WAITING;
}

struct ts_answer *ts_call_answer(struct ts_call *call)
{
    return &call->answer;
}

const char *ts_call_header(struct ts_call *call, const char *name)
{
    return call->xfer ? ts_xfer_header(call->xfer, name) : NULL;
}

enum ts_outcome ts_answer_outcome(const struct ts_answer *answer)
{
    bool is_success = answer->status >= 200 && answer->status < 300;
    if (is_success && !answer->code) {
        return TS_OUTCOME_DONE;
    }
    if (!answer->is_sent) {
        return TS_OUTCOME_NOT_APPLIED;
    }
    bool is_refusal = answer->status >= 400 && answer->status < 500 && answer->status != 408;
    return is_refusal ? TS_OUTCOME_NOT_APPLIED : TS_OUTCOME_UNKNOWN;
}

bool ts_answer_is_retryable(const struct ts_answer *answer)
{
    if (answer->code == TS_ERR_TRANSPORT || answer->code == TS_ERR_TIMEOUT) {
        return true;
    }
    return answer->status == 408 || answer->status == 429 || answer->status >= 500;
}
