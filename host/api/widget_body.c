// SPDX-License-Identifier: MIT
// Writes the JSON of a widget body. Lists are written as lists even when empty, which no generic
// encoder at hand does for Lua tables; a dropped `domains` would change what a widget admits.
#include <inttypes.h>
#include <string.h>

#include "host/api/widget.h"
#include "host/base/json_write.h"

#define BODY_MAX (1024 * 1024) // the sandbox's limit; the service's own is not published

static void put(char **at, const char *bytes, size_t len)
{
    memcpy(*at, bytes, len);
    *at += len;
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
    return code ? code : ts_json_add_string(&body->json, false, text, len);
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
        code = ts_json_add_string(&body->json, i > 0, items[i], strlen(items[i]));
    }
    return code ? code : ts_buf_add_char(&body->json, ']');
}

enum ts_err ts_widget_body_end(struct ts_widget_body *body)
{
    return ts_buf_add_str(&body->json, body->members > 0 ? "}" : "{}");
}
