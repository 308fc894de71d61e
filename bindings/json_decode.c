// SPDX-License-Identifier: MIT
// A recursive descent over the text. lua-cjson would do, but took a quarter of all instructions of
// a GET: tables that grow entry by entry, every number a float; and where memory runs out in its
// buffer it ends the process. What it accepts is compared with this in tests/lua/json_test.lua.
#include "bindings/json_decode.h"

#include <endian.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <lauxlib.h>

#include "host/base/text.h"

#define CHUNK 32      // members on the stack before they move into their table
#define DIGITS_MAX 18 // of an integer that surely fits
#define WHOLE_MAX 9007199254740992.0
#define NUMERAL_MAX 512

struct decoder {
    lua_State *L;
    const char *start;
    const char *at;
    const char *end;
    int depth;
    const char *why; // what is wrong at `at`
};

static bool push_value(struct decoder *decoder);

static bool complain(struct decoder *decoder, const char *why)
{
    decoder->why = why;
    return false;
}

// The text ends in a NUL, which is none of these.
static void space_skip(struct decoder *decoder)
{
    while (*decoder->at == ' ' || *decoder->at == '\n' || *decoder->at == '\t' ||
           *decoder->at == '\r') {
        decoder->at++;
    }
}

// How many of the eight bytes, from the lowest on, need no look: a quote, a backslash, a control
// character or what is not ASCII does. A borrow may mark bytes wrongly, but only above a right
// mark.
static size_t word_span(uint64_t word)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), highs = UINT64_C(0x8080808080808080);
    uint64_t quote = word ^ (ones * '"'), escape = word ^ (ones * '\\');
    uint64_t marks = ((quote - ones) & ~quote) | ((escape - ones) & ~escape) |
                     ((word - ones * 0x20) & ~word) | word;
    marks &= highs;
    return marks ? (size_t)__builtin_ctzll(marks) / 8 : sizeof word;
}

// Moves on to the quote or escape that ends a run of plain characters.
static bool run_skip(struct decoder *decoder)
{
    for (;;) {
        uint64_t word;
        size_t span = sizeof word;
        while (span == sizeof word && decoder->end - decoder->at >= (ptrdiff_t)sizeof word) {
            memcpy(&word, decoder->at, sizeof word);
            span = word_span(le64toh(word));
            decoder->at += span;
        }
        unsigned char c = (unsigned char)*decoder->at;
        if (c == '"' || c == '\\') {
            return true;
        }
        if (c < 0x20) {
            bool is_end = decoder->at == decoder->end;
            return complain(decoder, is_end ? "a string has no end" : "a control character");
        }
        uint32_t point;
        size_t left = (size_t)(decoder->end - decoder->at);
        size_t step = c < 0x80 ? 1 : ts_text_read(decoder->at, left, &point);
        if (step == 0) {
            return complain(decoder, NULL); // not UTF-8
        }
        decoder->at += step;
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
static int32_t hex_read(struct decoder *decoder)
{
    int32_t value = 0;
    for (int i = 0; i < 4; i++) {
        int digit = hex_digit(decoder->at[i]); // stops at the NUL
        if (digit < 0) {
            return -1;
        }
        value = value << 4 | digit;
    }
    decoder->at += 4;
    return value;
}

static bool add_point(struct decoder *decoder, luaL_Buffer *out)
{
    int32_t point = hex_read(decoder);
    if (point >= 0xd800 && point < 0xdc00) {
        int32_t low = -1;
        if (decoder->at[0] == '\\' && decoder->at[1] == 'u') {
            decoder->at += 2;
            low = hex_read(decoder);
        }
        bool is_pair = low >= 0xdc00 && low < 0xe000;
        point = is_pair ? 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00) : -1;
    }
    if (point < 0 || (point >= 0xdc00 && point < 0xe000)) {
        return complain(decoder, "a \\u escape that is no character");
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
static bool push_escaped(struct decoder *decoder, const char *run)
{
    static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
    luaL_Buffer out;
    luaL_buffinit(decoder->L, &out);
    for (;;) {
        luaL_addlstring(&out, run, (size_t)(decoder->at - run));
        if (*decoder->at == '"') {
            decoder->at++;
            luaL_pushresult(&out);
            return true;
        }
        char escape = decoder->at[1]; // at worst the NUL
        const char *name = escape ? strchr(names, escape) : NULL;
        if (!name && escape != 'u') {
            return complain(decoder, "an escape that JSON does not have");
        }
        decoder->at += 2;
        if (name) {
            luaL_addchar(&out, values[name - names]);
        } else if (!add_point(decoder, &out)) {
            return false;
        }
        run = decoder->at;
        if (!run_skip(decoder)) {
            return false;
        }
    }
}

static bool push_string(struct decoder *decoder)
{
    const char *run = ++decoder->at;
    if (!run_skip(decoder)) {
        return false;
    }
    if (*decoder->at == '\\') {
        return push_escaped(decoder, run);
    }
    lua_pushlstring(decoder->L, run, (size_t)(decoder->at - run));
    decoder->at++;
    return true;
}

static size_t digits_skip(struct decoder *decoder)
{
    const char *start = decoder->at;
    while (*decoder->at >= '0' && *decoder->at <= '9') {
        decoder->at++;
    }
    return (size_t)(decoder->at - start);
}

// What has a fraction or an exponent, or many digits; whole ones become integers as well. Lua
// reads it, whatever locale a script has set.
static bool push_float(struct decoder *decoder, const char *start)
{
    char text[NUMERAL_MAX];
    size_t len = (size_t)(decoder->at - start);
    if (len >= sizeof text) {
        return complain(decoder, "a number that is too long");
    }
    memcpy(text, start, len);
    text[len] = '\0';
    lua_stringtonumber(decoder->L, text);
    if (lua_isinteger(decoder->L, -1)) {
        return true;
    }
    lua_Number value = lua_tonumber(decoder->L, -1);
    lua_Integer whole;
    if (!isfinite(value)) {
        return complain(decoder, "a number that is too large");
    }
    if (fabs(value) <= WHOLE_MAX && lua_numbertointeger(value, &whole) &&
        (lua_Number)whole == value) {
        lua_pop(decoder->L, 1);
        lua_pushinteger(decoder->L, whole);
    }
    return true;
}

static bool push_number(struct decoder *decoder)
{
    const char *start = decoder->at;
    decoder->at += *decoder->at == '-';
    const char *first = decoder->at;
    size_t digits = digits_skip(decoder);
    bool is_whole = true;
    if (digits == 0 || (digits > 1 && *first == '0')) {
        return complain(decoder, "a number that is not one");
    }
    if (*decoder->at == '.') {
        is_whole = false;
        decoder->at++;
        if (digits_skip(decoder) == 0) {
            return complain(decoder, "a number that is not one");
        }
    }
    if (*decoder->at == 'e' || *decoder->at == 'E') {
        is_whole = false;
        decoder->at++;
        decoder->at += *decoder->at == '+' || *decoder->at == '-';
        if (digits_skip(decoder) == 0) {
            return complain(decoder, "a number that is not one");
        }
    }
    if (is_whole && digits <= DIGITS_MAX) {
        lua_Integer value = 0;
        for (const char *p = first; p < decoder->at; p++) {
            value = value * 10 + (*p - '0');
        }
        lua_pushinteger(decoder->L, *start == '-' ? -value : value);
        return true;
    }
    return push_float(decoder, start);
}

static bool push_literal(struct decoder *decoder)
{
    static const struct {
        const char *text;
        size_t len;
    } literals[] = {{"null", 4}, {"true", 4}, {"false", 5}};
    for (size_t i = 0; i < sizeof literals / sizeof literals[0]; i++) {
        if (strncmp(decoder->at, literals[i].text, literals[i].len) == 0) {
            decoder->at += literals[i].len;
            if (i == 0) {
                lua_pushlightuserdata(decoder->L, NULL);
            } else {
                lua_pushboolean(decoder->L, i == 1);
            }
            return true;
        }
    }
    uint32_t point;
    size_t left = (size_t)(decoder->end - decoder->at);
    if (left == 0) {
        return complain(decoder, "the text ends too early");
    }
    bool is_text = ts_text_read(decoder->at, left, &point) > 0;
    return complain(decoder, is_text ? "a character that has no place here" : NULL);
}

// Moves the members on top of the stack into their table at idx, made for as many when it is the
// first time; then the entries of an array begin at `from`.
static void members_move(lua_State *L, int idx, int count, bool is_array, lua_Integer from)
{
    int base = lua_gettop(L) - count;
    if (!lua_istable(L, idx)) {
        lua_createtable(L, is_array ? count : 0, is_array ? 0 : count / 2);
        lua_replace(L, idx);
    }
    if (is_array) {
        for (int i = count; i > 0; i--) {
            lua_rawseti(L, idx, from + i - 1);
        }
        return;
    }
    for (int i = 1; i < count; i += 2) { // in order: of a name that is there twice the last counts
        lua_pushvalue(L, base + i);
        lua_pushvalue(L, base + i + 1);
        lua_rawset(L, idx);
    }
    lua_settop(L, base);
}

static bool push_member_name(struct decoder *decoder)
{
    if (*decoder->at != '"') {
        return complain(decoder, "a name is missing");
    }
    if (!push_string(decoder)) {
        return false;
    }
    space_skip(decoder);
    if (*decoder->at != ':') {
        return complain(decoder, "a colon is missing");
    }
    decoder->at++;
    space_skip(decoder);
    return true;
}

// From the opening bracket to behind the closing one.
static bool push_members(struct decoder *decoder, char close)
{
    lua_State *L = decoder->L;
    bool is_array = close == ']';
    if (++decoder->depth > LX_JSON_DEPTH_MAX) {
        return complain(decoder, "nested too deep");
    }
    luaL_checkstack(L, 2 * CHUNK + 8, "JSON nested too deep");
    lua_pushnil(L); // the table's place
    int idx = lua_gettop(L), count = 0;
    lua_Integer moved = 1;
    decoder->at++;
    space_skip(decoder);
    bool is_done = *decoder->at == close;
    while (!is_done) {
        if ((!is_array && !push_member_name(decoder)) || !push_value(decoder)) {
            return false;
        }
        count += is_array ? 1 : 2;
        if (count == 2 * CHUNK) {
            members_move(L, idx, count, is_array, moved);
            moved += count;
            count = 0;
        }
        space_skip(decoder);
        is_done = *decoder->at == close;
        if (!is_done && *decoder->at != ',') {
            return complain(decoder, "a comma or closing bracket is missing");
        }
        if (!is_done) {
            decoder->at++;
            space_skip(decoder);
        }
    }
    decoder->at++;
    decoder->depth--;
    members_move(L, idx, count, is_array, moved);
    return true;
}

static bool push_value(struct decoder *decoder)
{
    switch (*decoder->at) {
    case '"':
        return push_string(decoder);
    case '{':
        return push_members(decoder, '}');
    case '[':
        return push_members(decoder, ']');
    case '-':
    case '0':
    case '1':
    case '2':
    case '3':
    case '4':
    case '5':
    case '6':
    case '7':
    case '8':
    case '9':
        return push_number(decoder);
    default:
        return push_literal(decoder);
    }
}

bool push_json(lua_State *L, const char *text, size_t len, char *why)
{
    struct decoder decoder = {.L = L, .start = text, .at = text, .end = text + len};
    int top = lua_gettop(L);
    space_skip(&decoder);
    bool is_good = push_value(&decoder);
    if (is_good) {
        space_skip(&decoder);
        is_good = decoder.at == decoder.end || complain(&decoder, "something follows the value");
    }
    if (is_good) {
        return true;
    }
    lua_settop(L, top);
    snprintf(why, TS_ERROR_MESSAGE_MAX, "%s%s at byte %zu",
        decoder.why ? "not JSON: " : "not valid UTF-8", decoder.why ? decoder.why : "",
        (size_t)(decoder.at - text) + 1);
    return false;
}
