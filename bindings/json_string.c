// SPDX-License-Identifier: MIT
// Strings of a JSON text. Runs of plain characters are passed sixteen bytes at a time: most of an
// answer is such runs.
#include "bindings/json_text.h"

#include <endian.h>
#include <stdint.h>

#include <lauxlib.h>

#include "host/base/text.h"

#define ESCAPE_MAX 4 // bytes of a character in UTF-8

// What a processor compares at once; compilers know how elsewhere too.
typedef signed char block __attribute__((vector_size(16)));

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

// The character behind \u, as UTF-8.
static bool point_read(struct lx_json *json, char *bytes, size_t *len)
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
    size_t used = 0;
    if (point < 0x80) {
        bytes[used++] = (char)point;
    } else if (point < 0x800) {
        bytes[used++] = (char)(0xc0 | point >> 6);
        bytes[used++] = (char)(0x80 | (point & 0x3f));
    } else {
        if (point < 0x10000) {
            bytes[used++] = (char)(0xe0 | point >> 12);
        } else {
            bytes[used++] = (char)(0xf0 | point >> 18);
            bytes[used++] = (char)(0x80 | (point >> 12 & 0x3f));
        }
        bytes[used++] = (char)(0x80 | (point >> 6 & 0x3f));
        bytes[used++] = (char)(0x80 | (point & 0x3f));
    }
    *len = used;
    return true;
}

// Reads the escape at the place: what it stands for is at most ESCAPE_MAX bytes.
static bool escape_read(struct lx_json *json, char *bytes, size_t *len)
{
    static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
    char escape = json->at[1]; // at worst the NUL
    const char *name = escape ? strchr(names, escape) : NULL;
    if (!name && escape != 'u') {
        return lx_json_complain(json, "not JSON: an escape that JSON does not have");
    }
    json->at += 2;
    if (!name) {
        return point_read(json, bytes, len);
    }
    bytes[0] = values[name - names];
    *len = 1;
    return true;
}

// The rest of a string from its first escape on; what came before it is from `run`.
static bool push_escaped(struct lx_json *json, const char *run)
{
    luaL_Buffer out;
    luaL_buffinit(json->L, &out);
    for (;;) {
        luaL_addlstring(&out, run, (size_t)(json->at - run));
        if (*json->at == '"') {
            json->at++;
            luaL_pushresult(&out);
            return true;
        }
        char bytes[ESCAPE_MAX];
        size_t len = 0;
        if (!escape_read(json, bytes, &len)) {
            return false;
        }
        luaL_addlstring(&out, bytes, len);
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

bool lx_json_skip_string(struct lx_json *json)
{
    json->at++;
    for (;;) {
        char bytes[ESCAPE_MAX];
        size_t len = 0;
        if (!run_skip(json)) {
            return false;
        }
        if (*json->at == '"') {
            json->at++;
            return true;
        }
        if (!escape_read(json, bytes, &len)) {
            return false;
        }
    }
}
