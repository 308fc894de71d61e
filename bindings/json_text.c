// SPDX-License-Identifier: MIT
// Steps, numbers, literals, and values that are passed over.
#include "bindings/json_text.h"

#include <stdint.h>
#include <stdio.h>

#include <lauxlib.h>

#include "host/base/text.h"

#define NAME_MISSING "not JSON: a name is missing"

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

bool lx_json_read_colon_spaced(struct lx_json *json)
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
        return lx_json_complain(json, NAME_MISSING);
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

bool lx_json_more_spaced(struct lx_json *json, char close)
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

static size_t digits_skip(struct lx_json *json)
{
    const char *start = json->at;
    while (*json->at >= '0' && *json->at <= '9') {
        json->at++;
    }
    return (size_t)(json->at - start);
}

bool lx_json_read_number(struct lx_json *json, struct lx_json_number *out)
{
    out->start = json->at;
    json->at += *json->at == '-';
    const char *first = json->at;
    out->digits = digits_skip(json);
    out->is_whole = true;
    bool is_good = out->digits > 0 && (out->digits == 1 || *first != '0');
    if (is_good && *json->at == '.') {
        out->is_whole = false;
        json->at++;
        is_good = digits_skip(json) > 0;
    }
    if (is_good && (*json->at == 'e' || *json->at == 'E')) {
        out->is_whole = false;
        json->at++;
        json->at += *json->at == '+' || *json->at == '-';
        is_good = digits_skip(json) > 0;
    }
    return is_good || lx_json_complain(json, "not JSON: a number that is not one");
}

bool lx_json_read_literal(struct lx_json *json, enum lx_json_literal *out)
{
    *out = lx_json_match(json, "false", 5)  ? LX_JSON_FALSE
           : lx_json_match(json, "true", 4) ? LX_JSON_TRUE
           : lx_json_match(json, "null", 4) ? LX_JSON_NULL
                                            : LX_JSON_NONE;
    if (*out != LX_JSON_NONE) {
        return true;
    }
    uint32_t point;
    size_t left = (size_t)(json->end - json->at);
    if (left == 0) {
        return lx_json_complain(json, "not JSON: the text ends too early");
    }
    bool is_text = ts_text_read(json->at, left, &point) > 0;
    return lx_json_complain(
        json, is_text ? "not JSON: a character that has no place here" : "not valid UTF-8");
}

static bool object_skip(struct lx_json *json)
{
    for (bool is_more = lx_json_open(json, '}'); is_more; is_more = lx_json_more(json, '}')) {
        if (*json->at != '"') {
            return lx_json_complain(json, NAME_MISSING);
        }
        if (!lx_json_skip_string(json) || !lx_json_read_colon(json) || !lx_json_skip(json)) {
            return false;
        }
    }
    return !json->why;
}

static bool array_skip(struct lx_json *json)
{
    for (bool is_more = lx_json_open(json, ']'); is_more; is_more = lx_json_more(json, ']')) {
        if (!lx_json_skip(json)) {
            return false;
        }
    }
    return !json->why;
}

bool lx_json_skip(struct lx_json *json)
{
    struct lx_json_number number;
    enum lx_json_literal literal;
    switch (*json->at) {
    case '"':
        return lx_json_skip_string(json);
    case '{':
        return object_skip(json);
    case '[':
        return array_skip(json);
    default:
        return lx_json_is_numeral(json) ? lx_json_read_number(json, &number)
                                        : lx_json_read_literal(json, &literal);
    }
}
