// SPDX-License-Identifier: MIT
// Steps and strings. Runs of plain characters are passed sixteen bytes at a time: most of an answer
// is such runs.
#include "bindings/json_text.h"

#include <endian.h>
#include <stdint.h>
#include <stdio.h>

#include <lauxlib.h>

#include "host/base/text.h"

// What a processor compares at once; compilers know how elsewhere too.
typedef signed char block __attribute__((vector_size(16)));

bool lx_json_complain(struct lx_json *json, const char *why)
{
    json->why = why;
    return false;
}

// The text ends in a NUL, which is none of these.
static void space_skip(struct lx_json *json)
{
    while (*json->at == ' ' || *json->at == '\n' || *json->at == '\t' || *json->at == '\r') {
        json->at++;
    }
}

// How many of these bytes, from the first on, need no look: a quote, a backslash, a control
// character or what is not ASCII, which is negative here, does.
static size_t block_span(const char *text)
{
    block bytes;
    uint64_t marks[2];
    memcpy(&bytes, text, sizeof bytes);
    bytes = (bytes == '"') | (bytes == '\\') | (bytes < 0x20); // all bits of those bytes
    memcpy(marks, &bytes, sizeof bytes);
    if (marks[0]) {
        return (size_t)__builtin_ctzll(le64toh(marks[0])) / 8;
    }
    return 8 + (marks[1] ? (size_t)__builtin_ctzll(le64toh(marks[1])) / 8 : 8);
}

// Moves on to the quote or escape that ends a run of plain characters.
static bool run_skip(struct lx_json *json)
{
    for (;;) {
        size_t span = sizeof(block);
        while (span == sizeof(block) && json->end - json->at >= (ptrdiff_t)sizeof(block)) {
            span = block_span(json->at);
            json->at += span;
        }
        unsigned char c = (unsigned char)*json->at;
        if (c == '"' || c == '\\') {
            return true;
        }
        if (c < 0x20) {
            bool is_end = json->at == json->end;
            return lx_json_complain(
                json, is_end ? "not JSON: a string has no end" : "not JSON: a control character");
        }
        uint32_t point;
        size_t left = (size_t)(json->end - json->at);
        size_t step = c < 0x80 ? 1 : ts_text_read(json->at, left, &point);
        if (step == 0) {
            return lx_json_complain(json, "not valid UTF-8");
        }
        json->at += step;
    }
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

// The four digits behind \u; -1 when they are not.
static int32_t hex_read(struct lx_json *json)
{
    int32_t value = 0;
    for (int i = 0; i < 4; i++) {
        int digit = hex_digit(json->at[i]); // stops at the NUL
        if (digit < 0) {
            return -1;
        }
        value = value << 4 | digit;
    }
    json->at += 4;
    return value;
}

static bool add_point(struct lx_json *json, luaL_Buffer *out)
{
    int32_t point = hex_read(json);
    if (point >= 0xd800 && point < 0xdc00) {
        int32_t low = -1;
        if (json->at[0] == '\\' && json->at[1] == 'u') {
            json->at += 2;
            low = hex_read(json);
        }
        bool is_pair = low >= 0xdc00 && low < 0xe000;
        point = is_pair ? 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00) : -1;
    }
    if (point < 0 || (point >= 0xdc00 && point < 0xe000)) {
        return lx_json_complain(json, "not JSON: a \\u escape that is no character");
    }
    char bytes[4];
    size_t len = 0;
    if (point < 0x80) {
        bytes[len++] = (char)point;
    } else if (point < 0x800) {
        bytes[len++] = (char)(0xc0 | point >> 6);
        bytes[len++] = (char)(0x80 | (point & 0x3f));
    } else {
        if (point < 0x10000) {
            bytes[len++] = (char)(0xe0 | point >> 12);
        } else {
            bytes[len++] = (char)(0xf0 | point >> 18);
            bytes[len++] = (char)(0x80 | (point >> 12 & 0x3f));
        }
        bytes[len++] = (char)(0x80 | (point >> 6 & 0x3f));
        bytes[len++] = (char)(0x80 | (point & 0x3f));
    }
    luaL_addlstring(out, bytes, len);
    return true;
}

// The rest of a string from its first escape on; what came before it is from `run`.
static bool push_escaped(struct lx_json *json, const char *run)
{
    static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
    luaL_Buffer out;
    luaL_buffinit(json->L, &out);
    for (;;) {
        luaL_addlstring(&out, run, (size_t)(json->at - run));
        if (*json->at == '"') {
            json->at++;
            luaL_pushresult(&out);
            return true;
        }
        char escape = json->at[1]; // at worst the NUL
        const char *name = escape ? strchr(names, escape) : NULL;
        if (!name && escape != 'u') {
            return lx_json_complain(json, "not JSON: an escape that JSON does not have");
        }
        json->at += 2;
        if (name) {
            luaL_addchar(&out, values[name - names]);
        } else if (!add_point(json, &out)) {
            return false;
        }
        run = json->at;
        if (!run_skip(json)) {
            return false;
        }
    }
}

bool lx_json_read(struct lx_json *json, struct lx_json_string *out)
{
    const char *run = ++json->at;
    if (!run_skip(json)) {
        return false;
    }
    if (*json->at == '"') {
        *out = (struct lx_json_string){.bytes = run, .len = (size_t)(json->at - run)};
        json->at++;
        return true;
    }
    if (!push_escaped(json, run)) {
        return false;
    }
    out->is_pushed = true;
    out->bytes = lua_tolstring(json->L, -1, &out->len);
    return true;
}

bool lx_json_read_colon(struct lx_json *json)
{
    space_skip(json);
    if (*json->at != ':') {
        return lx_json_complain(json, "not JSON: a colon is missing");
    }
    json->at++;
    space_skip(json);
    return true;
}

bool lx_json_read_name(struct lx_json *json, struct lx_json_string *out)
{
    if (*json->at != '"') {
        return lx_json_complain(json, "not JSON: a name is missing");
    }
    return lx_json_read(json, out) && lx_json_read_colon(json);
}

static bool is_closed(struct lx_json *json, char close)
{
    if (*json->at != close) {
        return false;
    }
    json->at++;
    json->depth--;
    return true;
}

bool lx_json_open(struct lx_json *json, char close)
{
    if (++json->depth > LX_JSON_DEPTH_MAX) {
        return lx_json_complain(json, "not JSON: nested too deep");
    }
    json->at++;
    space_skip(json);
    return !is_closed(json, close);
}

bool lx_json_more(struct lx_json *json, char close)
{
    space_skip(json);
    if (is_closed(json, close)) {
        return false;
    }
    if (*json->at != ',') {
        return lx_json_complain(json, "not JSON: a comma or closing bracket is missing");
    }
    json->at++;
    space_skip(json);
    return true;
}

void lx_json_begin(struct lx_json *json, lua_State *L, const char *text, size_t len)
{
    *json = (struct lx_json){.L = L, .start = text, .at = text, .end = text + len};
    space_skip(json);
}

bool lx_json_end(struct lx_json *json)
{
    space_skip(json);
    return json->at == json->end || lx_json_complain(json, "not JSON: something follows the value");
}

void lx_json_explain(const struct lx_json *json, char *why)
{
    snprintf(why, TS_ERROR_MESSAGE_MAX, "%s at byte %zu", json->why,
        (size_t)(json->at - json->start) + 1);
}
