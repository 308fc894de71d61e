// SPDX-License-Identifier: MIT
// The bytes of a call: its URL when it is made, its headers when it leaves, so that credentials are
// in plain memory only while it starts.
#include <string.h>

#include "host/api/call_private.h"
#include "host/base/str.h"

#define HEADERS_MAX (16 * 1024)
#define HEADER_LINES_MAX 8
#define ANSWER_MAX (32 * 1024 * 1024) // a page of 1,000 widgets with 200 long hostnames each fits
#define HEAD_MAX (64 * 1024)

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
            code = ts_buf_add_str(&call->url, client->account); // hexadecimal, see client.c
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

enum ts_err call_request_build(
    struct ts_call *call, const struct ts_call_spec *spec, struct ts_error *err)
{
    ts_str_copy(call->content_type, sizeof call->content_type,
        spec->content_type ? spec->content_type : "application/json");
    call->start_before_us = spec->start_before_us;
    ts_str_copy(call->sitekey, sizeof call->sitekey, spec->sitekey ? spec->sitekey : "");
    enum ts_err code = url_build(call, spec, err);
    if (!code && call->endpoint->has_body) {
        code = ts_buf_add(&call->body, spec->body, spec->body_len);
        if (code) {
            ts_error_set(err, code, "out of memory");
        }
    }
    return code;
}

// Headers lie in one buffer, a NUL behind each; lines points at them.
static enum ts_err headers_build(struct ts_call *call, struct ts_buf *text, size_t *count)
{
    enum ts_err code =
        ts_buf_add(text, "Accept: application/json", sizeof "Accept: application/json");
    *count = 1;
    if (!code && call->endpoint->has_body) {
        code = ts_buf_add_str(text, "Content-Type: ");
        code = code ? code : ts_buf_add(text, call->content_type, strlen(call->content_type) + 1);
        *count += 1;
    }
    if (!code && !call->endpoint->is_public) {
        code = ts_credentials_add_headers(&call->client->credentials, text, count);
    }
    return code;
}

enum ts_err call_request_start(struct ts_call *call, struct ts_error *err)
{
    struct ts_buf text;
    ts_buf_init_pooled(&text, HEADERS_MAX, ts_loop_pool(call->client->loop));
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
        .is_large = call->endpoint->op == TS_OP_LIST,
        .deadline_us = call->started_us + call->client->timeout_us,
        .max_body = ANSWER_MAX,
        .max_head = HEAD_MAX,
    };
    code =
        ts_xfer_start(call->client->loop, &request, call_on_exchange_done, call, &call->xfer, err);
    ts_buf_fini(&text);
    return code;
}
