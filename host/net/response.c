// SPDX-License-Identifier: MIT
// The head of an answer, line by line, and its body.
#include "host/net/response.h"

#include <stdint.h>
#include <string.h>

#include "host/base/str.h"

// A field of the head; "name\0value\0" follows, both trimmed.
struct field {
    size_t name_len;
    size_t value_len;
};

static char *text_put(char *to, const char *text, size_t len)
{
    memcpy(to, text, len);
    to[len] = '\0';
    return to + len + 1;
}

static enum ts_err head_keep(struct ts_response *response, const char *line, size_t len)
{
    const char *colon = memchr(line, ':', len);
    if (!colon || colon == line || *line == ' ' || *line == '\t') {
        return TS_OK;
    }
    const char *name = line;
    const char *value = colon + 1;
    struct field field = {.name_len = (size_t)(colon - line)};
    field.value_len = len - field.name_len - 1;
    ts_str_trim(&name, &field.name_len);
    ts_str_trim(&value, &field.value_len);
    char *to;
    enum ts_err code = ts_buf_extend(
        &response->head, sizeof field + field.name_len + 1 + field.value_len + 1, &to);
    if (!code) {
        memcpy(to, &field, sizeof field);
        to = text_put(to + sizeof field, name, field.name_len);
        text_put(to, value, field.value_len);
    }
    return code;
}

static bool line_is_status(const char *line, size_t len)
{
    return len >= 5 && memcmp(line, "HTTP/", 5) == 0;
}

// The status class of "HTTP/1.1 100 ...", '\0' when it is anything else.
static char status_class(const char *line, size_t len)
{
    const char *space = memchr(line, ' ', len);
    return space && space + 1 < line + len ? space[1] : '\0';
}

static enum ts_err head_add(struct ts_response *response, const char *line, size_t len)
{
    if (!response->is_head_open) {
        if (!line_is_status(line, len) || response->has_head) {
            return TS_OK; // a trailer: counted, not kept
        }
        ts_buf_clear(&response->head);
        response->is_head_open = true;
        response->is_interim = status_class(line, len) == '1';
        return TS_OK;
    }
    if (len == 0 || *line == '\r' || *line == '\n') {
        response->is_head_open = false;
        response->has_head = !response->is_interim;
        return TS_OK;
    }
    return head_keep(response, line, len);
}

static bool response_is_kept(
    struct ts_response *response, enum ts_err code, enum ts_response_fault too_large)
{
    if (code) {
        response->fault = code == TS_ERR_NOMEM ? TS_RESPONSE_NOMEM : too_large;
    }
    return code == TS_OK;
}

void ts_response_init(
    struct ts_response *response, struct ts_pool *pool, size_t max_head, size_t max_body)
{
    *response = (struct ts_response){.head_max = max_head};
    ts_buf_init_pooled(
        &response->head, SIZE_MAX / 2, pool); // what comes is counted before it is kept
    ts_buf_init_pooled(&response->body, max_body, pool);
}

void ts_response_fini(struct ts_response *response)
{
    ts_buf_fini(&response->head);
    ts_buf_fini(&response->body);
}

// A NUL inside a line would split it in two here; libcurl refuses such a response before.
bool ts_response_add_line(struct ts_response *response, const char *line, size_t len)
{
    enum ts_err code = TS_ERR_TOO_LARGE;
    if (len <= response->head_max - response->head_bytes) {
        response->head_bytes += len;
        code = head_add(response, line, len);
    }
    return response_is_kept(response, code, TS_RESPONSE_HEAD_TOO_LARGE);
}

bool ts_response_add_body(struct ts_response *response, const char *data, size_t len)
{
    enum ts_err code = ts_buf_add(&response->body, data, len);
    return response_is_kept(response, code, TS_RESPONSE_BODY_TOO_LARGE);
}

const char *ts_response_header(const struct ts_response *response, const char *name)
{
    const char *p = ts_buf_text(&response->head);
    const char *end = p + response->head.len;
    size_t name_len = strlen(name);
    while (p < end) {
        struct field field;
        memcpy(&field, p, sizeof field);
        p += sizeof field;
        const char *value = p + field.name_len + 1;
        // Most are told apart by their length.
        if (field.name_len == name_len && ts_str_is_nocase(p, name)) {
            return value;
        }
        p = value + field.value_len + 1;
    }
    return NULL;
}
