// SPDX-License-Identifier: MIT
// libcurl only reads the list that it is given, so that nodes and text may share one block.
#include "host/net/headers.h"

#include <string.h>
#include <strings.h>

#include "host/net/loop_private.h"
#include "host/net/xfer.h"

#define OWN_LINES_MAX 3

// libcurl waits for leave to send a body of more than a megabyte, unless the header is suppressed.
#define EXPECT_FREE_BYTES 1048576

static bool has_header(const struct ts_xfer_request *request, const char *prefix)
{
    for (size_t i = 0; i < request->header_count; i++) {
        if (strncasecmp(request->headers[i], prefix, strlen(prefix)) == 0) {
            return true;
        }
    }
    return false;
}

// The lines that a request need not bring itself.
static size_t own_lines(const struct ts_loop *loop, const struct ts_xfer_request *request,
    const char *lines[OWN_LINES_MAX])
{
    size_t count = 0;
    // libcurl writes what CURLOPT_USERAGENT names out twice for each request, by the character.
    if (loop->user_agent_line) {
        lines[count++] = loop->user_agent_line;
    }
    // An empty value makes libcurl leave out a header that it would add by itself.
    if (request->body && request->body_len > EXPECT_FREE_BYTES) {
        lines[count++] = "Expect:";
    }
    if (request->body && !has_header(request, "Content-Type:")) {
        lines[count++] = "Content-Type:";
    }
    return count;
}

static size_t text_bytes(const char *const *lines, size_t count)
{
    size_t bytes = 0;
    for (size_t i = 0; i < count; i++) {
        bytes += strlen(lines[i]) + 1;
    }
    return bytes;
}

// Fills count nodes, each pointing to the next, with lines that are copied to text; returns the
// end of the text.
static char *nodes_fill(
    struct curl_slist *nodes, const char *const *lines, size_t count, char *text)
{
    for (size_t i = 0; i < count; i++) {
        size_t size = strlen(lines[i]) + 1;
        nodes[i] = (struct curl_slist){.data = text, .next = &nodes[i + 1]};
        memcpy(text, lines[i], size);
        text += size;
    }
    return text;
}

enum ts_err ts_headers_init(struct ts_headers *headers, struct ts_loop *loop,
    const struct ts_xfer_request *request, struct ts_error *err)
{
    *headers = (struct ts_headers){0};
    for (size_t i = 0; i < request->header_count; i++) {
        const char *line = request->headers[i];
        if (strpbrk(line, "\r\n") || !strchr(line, ':')) {
            return ts_error_set(
                err, TS_ERR_USAGE, "a request header is not one line of \"name: value\"");
        }
    }
    const char *own[OWN_LINES_MAX];
    size_t own_count = own_lines(loop, request, own);
    size_t count = own_count + request->header_count;
    if (count == 0) {
        return TS_OK;
    }
    size_t bytes = count * sizeof(struct curl_slist) + text_bytes(own, own_count) +
                   text_bytes(request->headers, request->header_count);
    struct curl_slist *nodes = ts_pool_take(&loop->pool, bytes);
    if (!nodes) {
        return ts_error_set(err, TS_ERR_NOMEM, "out of memory");
    }
    char *text = nodes_fill(nodes, own, own_count, (char *)(nodes + count));
    nodes_fill(nodes + own_count, request->headers, request->header_count, text);
    nodes[count - 1].next = NULL;
    *headers = (struct ts_headers){.list = nodes, .bytes = bytes, .pool = &loop->pool};
    return TS_OK;
}

void ts_headers_fini(struct ts_headers *headers)
{
    if (headers->list) {
        ts_pool_release(headers->pool, headers->list, headers->bytes);
    }
    *headers = (struct ts_headers){0};
}
