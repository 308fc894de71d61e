// SPDX-License-Identifier: MIT
// A JSON text as it is read, strictly (RFC 8259): the place in it, its strings, and the steps from
// member to member. Who knows what he reads walks through it by these; push_json_value
// (json_decode.h) takes whatever stands at the place. Holds no memory of its own, so that nothing
// is lost when Lua runs out of its own.
#ifndef TS_BINDINGS_JSON_TEXT_H
#define TS_BINDINGS_JSON_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include <lua.h>

#include "bindings/lx.h"
#include "host/base/error.h"

// Arrays and objects in each other.
#define LX_JSON_DEPTH_MAX 1000

struct lx_json {
    lua_State *L;
    const char *start;
    const char *at;
    const char *end; // where a NUL stands
    int depth;
    const char *why; // what is wrong at the place; NULL: nothing so far
};

// The bytes of a string. They lie in the text; one with escapes was pushed, and they lie in that.
struct lx_json_string {
    const char *bytes;
    size_t len;
    bool is_pushed;
};

// A number as it stands in the text, up to the place behind it.
struct lx_json_number {
    const char *start;
    size_t digits; // before a fraction or exponent
    bool is_whole; // has neither
};

enum lx_json_literal { LX_JSON_FALSE, LX_JSON_TRUE, LX_JSON_NULL, LX_JSON_NONE };

// Begins a text that is followed by a NUL, at its first value.
void lx_json_begin(struct lx_json *json, lua_State *L, const char *text, size_t len);

// Whether the text holds nothing behind the value that was read.
bool lx_json_end(struct lx_json *json);

// Notes what is wrong at the place. Returns false.
bool lx_json_complain(struct lx_json *json, const char *why);

// Writes what is wrong, and where: TS_ERROR_MESSAGE_MAX bytes.
void lx_json_explain(const struct lx_json *json, char *why);

// From a bracket to the first member behind it. False at the closing bracket, which is read then,
// and when something is wrong: see json->why.
bool lx_json_open(struct lx_json *json, char close);

// The same to the next member behind one that was read, and for the colon behind a name, with space
// around it.
bool lx_json_more_spaced(struct lx_json *json, char close);
bool lx_json_read_colon_spaced(struct lx_json *json);

// Reads the string at the place. False when something is wrong.
TS_RAISES bool lx_json_read(struct lx_json *json, struct lx_json_string *out);

// Reads a member's name, up to its value. False when something is wrong.
TS_RAISES bool lx_json_read_name(struct lx_json *json, struct lx_json_string *out);

// Reads the number, or the literal, at the place. Where no value begins, the literal complains.
bool lx_json_read_number(struct lx_json *json, struct lx_json_number *out);
bool lx_json_read_literal(struct lx_json *json, enum lx_json_literal *out);

// Passes over the string, or whatever value, at the place, as strictly as if it were read; only
// whether a number is too large is not looked at. False when something is wrong.
bool lx_json_skip_string(struct lx_json *json);
bool lx_json_skip(struct lx_json *json);

// Whether a number begins at the place.
static inline bool lx_json_is_numeral(const struct lx_json *json)
{
    return *json->at == '-' || (*json->at >= '0' && *json->at <= '9');
}

// Moves over that byte if it stands at the place without space behind it, as nearly always.
static inline bool lx_json_step(struct lx_json *json, char byte)
{
    bool is_there = *json->at == byte && (unsigned char)json->at[1] > ' ';
    json->at += is_there;
    return is_there;
}

// From a member that was read to the next one. False at the closing bracket, which is read then,
// and when something is wrong: see json->why.
static inline bool lx_json_more(struct lx_json *json, char close)
{
    return lx_json_step(json, ',') || lx_json_more_spaced(json, close);
}

// Reads only the colon behind a name, up to the value. False when something is wrong.
static inline bool lx_json_read_colon(struct lx_json *json)
{
    return lx_json_step(json, ':') || lx_json_read_colon_spaced(json);
}

// Passes over those bytes if they stand at the place. With its quotes, a string without escapes is
// told by them.
static inline bool lx_json_match(struct lx_json *json, const char *bytes, size_t len)
{
    bool is_there = (size_t)(json->end - json->at) >= len && memcmp(json->at, bytes, len) == 0;
    json->at += is_there ? len : 0;
    return is_there;
}

static inline bool lx_json_is(const struct lx_json_string *string, const char *bytes, size_t len)
{
    return string->len == len && memcmp(string->bytes, bytes, len) == 0;
}

#endif
