// SPDX-License-Identifier: MIT
// Strings two ways: for the API, whose bytes were checked before, and for people's logs.
// Figures are whole numbers, because a script may have changed the locale.
#include "host/base/json_write.h"

#include <inttypes.h>
#include <string.h>

#include "host/base/chars.h"
#include "host/base/text.h"

#define REPLACEMENT "\xef\xbf\xbd" // for what is no UTF-8

static enum ts_err add_escape(struct ts_buf *buf, uint32_t point)
{
    if (point == '"' || point == '\\') {
        char pair[] = {'\\', (char)point};
        return ts_buf_add(buf, pair, sizeof pair);
    }
    return ts_buf_add_format(buf, "\\u%04" PRIx32, point);
}

static enum ts_err add_escaped(struct ts_buf *buf, const char *text, size_t len)
{
    enum ts_err code = ts_buf_add_char(buf, '"');
    for (size_t i = 0; !code && i < len;) {
        size_t plain = ts_chars_span(text + i, len - i, TS_CHARS_PLAIN);
        code = ts_buf_add(buf, text + i, plain);
        i += plain;
        if (!code && i < len) {
            code = add_escape(buf, (unsigned char)text[i++]);
        }
    }
    return code ? code : ts_buf_add_char(buf, '"');
}

// One with nothing to escape, which nearly all are, goes in as one piece.
enum ts_err ts_json_add_string(struct ts_buf *buf, bool comma, const char *text, size_t len)
{
    if (ts_chars_span(text, len, TS_CHARS_PLAIN) < len) {
        enum ts_err code = comma ? ts_buf_add_char(buf, ',') : TS_OK;
        return code ? code : add_escaped(buf, text, len);
    }
    char *room;
    enum ts_err code = ts_buf_extend(buf, comma + len + 2, &room);
    if (!code) {
        *room = ','; // overwritten when there is to be none
        room += comma;
        *room++ = '"';
        memcpy(room, text, len);
        room[len] = '"';
    }
    return code;
}

enum ts_err ts_json_add_text(struct ts_buf *buf, const char *text, size_t len)
{
    enum ts_err code = ts_buf_add_char(buf, '"');
    for (size_t at = 0; !code && at < len;) {
        uint32_t point = 0;
        size_t size = ts_text_read(text + at, len - at, &point);
        if (size == 0) {
            code = ts_buf_add_str(buf, REPLACEMENT);
        } else if (point == '"' || point == '\\' || ts_text_is_harmful(point)) {
            code = add_escape(buf, point);
        } else {
            code = ts_buf_add(buf, text + at, size);
        }
        at += size ? size : 1;
    }
    return code ? code : ts_buf_add_char(buf, '"');
}

void ts_json_writer_init(struct ts_json_writer *json, struct ts_buf *buf)
{
    *json = (struct ts_json_writer){.buf = buf};
}

// What stands before a value: a comma where something is there already, and its name.
static void member_begin(struct ts_json_writer *json, const char *name)
{
    if (!json->code && json->is_behind) {
        json->code = ts_buf_add_char(json->buf, ',');
    }
    if (!json->code && name) {
        json->code = ts_buf_add_format(json->buf, "\"%s\":", name);
    }
    json->is_behind = true;
}

void ts_json_value(struct ts_json_writer *json, const char *name, const char *value)
{
    member_begin(json, name);
    json->code = json->code ? json->code : ts_buf_add_str(json->buf, value);
}

void ts_json_open(struct ts_json_writer *json, const char *name, char bracket)
{
    member_begin(json, name);
    json->code = json->code ? json->code : ts_buf_add_char(json->buf, bracket);
    json->is_behind = false;
}

void ts_json_close(struct ts_json_writer *json, char bracket)
{
    json->code = json->code ? json->code : ts_buf_add_char(json->buf, bracket);
    json->is_behind = true;
}

void ts_json_text(struct ts_json_writer *json, const char *name, const char *text)
{
    if (!text) {
        ts_json_null(json, name);
        return;
    }
    member_begin(json, name);
    json->code = json->code ? json->code : ts_json_add_text(json->buf, text, strlen(text));
}

void ts_json_word(struct ts_json_writer *json, const char *name, const char *text)
{
    ts_json_text(json, name, text && *text ? text : NULL);
}

void ts_json_int(struct ts_json_writer *json, const char *name, int64_t value)
{
    member_begin(json, name);
    json->code = json->code ? json->code : ts_buf_add_format(json->buf, "%" PRId64, value);
}

void ts_json_bool(struct ts_json_writer *json, const char *name, bool value)
{
    ts_json_value(json, name, value ? "true" : "false");
}

void ts_json_null(struct ts_json_writer *json, const char *name)
{
    ts_json_value(json, name, "null");
}
