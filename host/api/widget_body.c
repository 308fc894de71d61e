// SPDX-License-Identifier: MIT
// Writes the JSON of a widget body. Lists are written as lists even when empty, which no generic
// encoder at hand does for Lua tables; a dropped `domains` would change what a widget admits.
#include <inttypes.h>
#include <string.h>

#include "host/api/widget.h"
#include "host/base/chars.h"

#define BODY_MAX (1024 * 1024) // the sandbox's limit; the service's own is not published

static enum ts_err json_add_escape(struct ts_buf *json, unsigned char c)
{
    static const char hex[] = "0123456789abcdef";
    char pair[] = {'\\', (char)c};
    char escape[] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};
    return c == '"' || c == '\\' ? ts_buf_add(json, pair, sizeof pair)
                                 : ts_buf_add(json, escape, sizeof escape);
}

static enum ts_err json_add_escaped(struct ts_buf *json, const char *text, size_t len)
{
    enum ts_err code = ts_buf_add_char(json, '"');
    for (size_t i = 0; !code && i < len;) {
        size_t plain = ts_chars_span(text + i, len - i, TS_CHARS_PLAIN);
        code = ts_buf_add(json, text + i, plain);
        i += plain;
        if (!code && i < len) {
            code = json_add_escape(json, (unsigned char)text[i++]);
        }
    }
    return code ? code : ts_buf_add_char(json, '"');
}

static void put(char **at, const char *bytes, size_t len)
{
    memcpy(*at, bytes, len);
    *at += len;
}

// A text, behind a comma or not. One with nothing to escape, which nearly all are, goes in as one
// piece.
static enum ts_err json_add_string(struct ts_buf *json, bool comma, const char *text, size_t len)
{
    if (ts_chars_span(text, len, TS_CHARS_PLAIN) < len) {
        enum ts_err code = comma ? ts_buf_add_char(json, ',') : TS_OK;
        return code ? code : json_add_escaped(json, text, len);
    }
    char *room;
    enum ts_err code = ts_buf_extend(json, comma + len + 2, &room);
    if (!code) {
        *room = ','; // overwritten when there is to be none
        room += comma;
        *room++ = '"';
        memcpy(room, text, len);
        room[len] = '"';
    }
    return code;
}

// The names are ours: nothing in them is to be escaped.
static enum ts_err body_add_name(struct ts_widget_body *body, const char *name)
{
    char *room;
    size_t len = strlen(name);
    enum ts_err code = ts_buf_extend(&body->json, len + 4, &room);
    if (code) {
        return code;
    }
    *room++ = body->members++ > 0 ? ',' : '{';
    *room++ = '"';
    put(&room, name, len);
    *room++ = '"';
    *room = ':';
    return TS_OK;
}

void ts_widget_body_init(struct ts_widget_body *body, struct ts_pool *pool)
{
    *body = (struct ts_widget_body){0};
    ts_buf_init_pooled(&body->json, BODY_MAX, pool);
}

void ts_widget_body_fini(struct ts_widget_body *body)
{
    ts_buf_fini(&body->json);
}

enum ts_err ts_widget_body_add_text(
    struct ts_widget_body *body, const char *name, const char *text, size_t len)
{
    enum ts_err code = body_add_name(body, name);
    return code ? code : json_add_string(&body->json, false, text, len);
}

enum ts_err ts_widget_body_add_bool(struct ts_widget_body *body, const char *name, bool value)
{
    enum ts_err code = body_add_name(body, name);
    return code ? code : ts_buf_add_str(&body->json, value ? "true" : "false");
}

enum ts_err ts_widget_body_add_int(struct ts_widget_body *body, const char *name, int64_t value)
{
    enum ts_err code = body_add_name(body, name);
    return code ? code : ts_buf_add_format(&body->json, "%" PRId64, value);
}

enum ts_err ts_widget_body_add_list(
    struct ts_widget_body *body, const char *name, const char *const *items, size_t count)
{
    enum ts_err code = body_add_name(body, name);
    if (!code) {
        code = ts_buf_add_char(&body->json, '[');
    }
    for (size_t i = 0; !code && i < count; i++) {
        code = json_add_string(&body->json, i > 0, items[i], strlen(items[i]));
    }
    return code ? code : ts_buf_add_char(&body->json, ']');
}

enum ts_err ts_widget_body_end(struct ts_widget_body *body)
{
    return ts_buf_add_str(&body->json, body->members > 0 ? "}" : "{}");
}
