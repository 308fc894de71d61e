// SPDX-License-Identifier: MIT
// Taking a request apart. libmicrohttpd decodes %00 and %2F in the path before anyone can look,
// so the raw target is kept and decoded here, piece by piece.
#include "host/sandbox/request.h"

#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>

#include "host/base/str.h"
#include "host/sandbox/utf8.h"

static int hex_value(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// Decodes percent signs (and '+' in a query) up to end; what is no escape stays as it is.
// False when it does not fit or holds what is not text.
static bool text_decode(const char *text, const char *end, bool is_query, char *out, size_t size)
{
    size_t len = 0;
    for (const char *p = text; p < end; p++) {
        char c = *p;
        if (c == '+' && is_query) {
            c = ' ';
        } else if (c == '%' && end - p > 2 && hex_value(p[1]) >= 0 && hex_value(p[2]) >= 0) {
            c = (char)(hex_value(p[1]) * 16 + hex_value(p[2]));
            p += 2;
        }
        if (len + 1 >= size) {
            return false;
        }
        out[len++] = c;
    }
    out[len] = '\0';
    return ts_sandbox_utf8_is_text(out, len);
}

// Cuts the path at its slashes. A slash at the end names the same thing as none.
static void request_split(struct ts_sandbox_request *request)
{
    char *query = strchr(request->parts, '?');
    if (query) {
        *query = '\0';
        request->query = query + 1;
    }
    for (char *p = request->parts; *p == '/';) {
        *p++ = '\0';
        if (*p == '\0') {
            break;
        }
        if (request->segment_count == TS_SANDBOX_SEGMENTS_MAX) {
            request->segment_count = SIZE_MAX;
            return;
        }
        request->segments[request->segment_count++] = p;
        p += strcspn(p, "/");
    }
}

enum ts_err ts_sandbox_request_init(struct ts_sandbox_request *request, const char *target)
{
    *request = (struct ts_sandbox_request){0};
    ts_buf_init(&request->body, TS_SANDBOX_BODY_MAX);
    request->target = strdup(target);
    request->parts = strdup(target);
    if (!request->target || !request->parts) {
        ts_sandbox_request_fini(request);
        return TS_ERR_NOMEM;
    }
    request_split(request);
    return TS_OK;
}

void ts_sandbox_request_fini(struct ts_sandbox_request *request)
{
    ts_buf_fini(&request->body);
    free(request->target);
    free(request->parts);
    *request = (struct ts_sandbox_request){0};
}

void ts_sandbox_request_set_method(struct ts_sandbox_request *request, const char *method)
{
    static const struct {
        const char *text;
        enum ts_sandbox_method method;
    } methods[] = {
        {"GET", TS_SANDBOX_GET},
        {"HEAD", TS_SANDBOX_GET},
        {"POST", TS_SANDBOX_POST},
        {"PUT", TS_SANDBOX_PUT},
        {"DELETE", TS_SANDBOX_DELETE},
    };
    request->method = TS_SANDBOX_OTHER;
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        if (ts_str_is(method, methods[i].text)) {
            request->method = methods[i].method;
        }
    }
    ts_sandbox_utf8_clean(request->method_text, sizeof request->method_text, method);
}

enum ts_err ts_sandbox_request_add_body(
    struct ts_sandbox_request *request, const char *bytes, size_t len)
{
    request->received += len;
    if (ts_sandbox_request_is_too_large(request)) {
        ts_buf_fini(&request->body);
        return TS_OK;
    }
    return ts_buf_add(&request->body, bytes, len);
}

bool ts_sandbox_request_is_too_large(const struct ts_sandbox_request *request)
{
    return request->received > request->body.max;
}

const char *ts_sandbox_request_header(const struct ts_sandbox_request *request, const char *name)
{
    return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

bool ts_sandbox_request_has_type(const struct ts_sandbox_request *request, const char *type)
{
    const char *value = ts_sandbox_request_header(request, MHD_HTTP_HEADER_CONTENT_TYPE);
    if (!value) {
        return false;
    }
    size_t len = strcspn(value, ";");
    ts_str_trim(&value, &len);
    char text[64];
    if (len >= sizeof text) {
        return false;
    }
    memcpy(text, value, len);
    text[len] = '\0';
    return ts_str_is_nocase(text, type);
}

bool ts_sandbox_request_decode(const char *segment, char *out, size_t size)
{
    return text_decode(segment, segment + strlen(segment), false, out, size);
}

bool ts_sandbox_request_has_clean_query(const struct ts_sandbox_request *request)
{
    if (!request->query) {
        return true;
    }
    size_t size = strlen(request->query) + 1;
    char *text = malloc(size);
    bool is_clean =
        text && text_decode(request->query, request->query + size - 1, true, text, size);
    free(text);
    return is_clean;
}

bool ts_sandbox_request_query(
    const struct ts_sandbox_request *request, const char *name, char *value)
{
    value[0] = '\0';
    for (const char *p = request->query; p && *p;) {
        const char *end = p + strcspn(p, "&");
        const char *equals = memchr(p, '=', (size_t)(end - p));
        const char *name_end = equals ? equals : end;
        char key[32];
        if (text_decode(p, name_end, true, key, sizeof key) && ts_str_is(key, name)) {
            return !equals || text_decode(equals + 1, end, true, value, TS_SANDBOX_VALUE_MAX);
        }
        p = *end ? end + 1 : NULL;
    }
    return true;
}
