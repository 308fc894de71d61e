// SPDX-License-Identifier: MIT
// A recursive descent over the text. lua-cjson would do, but took a quarter of all instructions of
// a GET: tables that grow entry by entry, every number a float; and where memory runs out in its
// buffer it ends the process. What it accepts is compared with this in tests/unit/bindings.
#include "bindings/json_decode.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#include <lauxlib.h>

#define CHUNK 64      // values on the stack before they move into their table
#define DIGITS_MAX 18 // of an integer that surely fits
#define WHOLE_MAX 9007199254740992.0
#define NUMERAL_MAX 512

// What has a fraction or an exponent, or many digits; whole ones become integers as well. Lua
// reads it, whatever locale a script has set.
static bool push_float(struct lx_json *json, const char *start)
{
    char text[NUMERAL_MAX];
    size_t len = (size_t)(json->at - start);
    if (len >= sizeof text) {
        return lx_json_complain(json, "not JSON: a number that is too long");
    }
    memcpy(text, start, len);
    text[len] = '\0';
    lua_stringtonumber(json->L, text);
    if (lua_isinteger(json->L, -1)) {
        return true;
    }
    lua_Number value = lua_tonumber(json->L, -1);
    lua_Integer whole;
    if (!isfinite(value)) {
        return lx_json_complain(json, "not JSON: a number that is too large");
    }
    if (fabs(value) <= WHOLE_MAX && lua_numbertointeger(value, &whole) &&
        (lua_Number)whole == value) {
        lua_pop(json->L, 1);
        lua_pushinteger(json->L, whole);
    }
    return true;
}

static bool push_number(struct lx_json *json)
{
    struct lx_json_number number;
    if (!lx_json_read_number(json, &number)) {
        return false;
    }
    if (!number.is_whole || number.digits > DIGITS_MAX) {
        return push_float(json, number.start);
    }
    bool is_negative = *number.start == '-';
    lua_Integer value = 0;
    for (const char *digit = number.start + is_negative; digit < json->at; digit++) {
        value = value * 10 + (*digit - '0');
    }
    lua_pushinteger(json->L, is_negative ? -value : value);
    return true;
}

static bool push_string(struct lx_json *json)
{
    struct lx_json_string string;
    if (!lx_json_read(json, &string)) {
        return false;
    }
    if (!string.is_pushed) {
        lua_pushlstring(json->L, string.bytes, string.len);
    }
    return true;
}

static bool push_literal(struct lx_json *json)
{
    enum lx_json_literal literal;
    if (!lx_json_read_literal(json, &literal)) {
        return false;
    }
    if (literal == LX_JSON_NULL) {
        lua_pushlightuserdata(json->L, NULL);
    } else {
        lua_pushboolean(json->L, literal == LX_JSON_TRUE);
    }
    return true;
}

// Moves the items on top of the stack into their array at idx, made for as many when it is the
// first time, behind those that were moved before.
static void items_move(lua_State *L, int idx, int count, lua_Integer moved)
{
    if (!lua_istable(L, idx)) {
        lua_createtable(L, count, 0);
        lua_replace(L, idx);
    }
    for (int i = count; i > 0; i--) {
        lua_rawseti(L, idx, moved + i);
    }
}

bool push_json_array(
    struct lx_json *json, bool (*push)(struct lx_json *json, void *self), void *self)
{
    lua_State *L = json->L;
    luaL_checkstack(L, CHUNK + LUA_MINSTACK, "JSON nested too deep");
    lua_pushnil(L); // the table's place
    int idx = lua_gettop(L), count = 0;
    lua_Integer moved = 0;
    for (bool is_more = lx_json_open(json, ']'); is_more; is_more = lx_json_more(json, ']')) {
        if (!push(json, self)) {
            return false;
        }
        if (++count == CHUNK) {
            items_move(L, idx, count, moved);
            moved += count;
            count = 0;
        }
    }
    if (json->why) {
        return false;
    }
    items_move(L, idx, count, moved);
    return true;
}

static bool push_item(struct lx_json *json, void *self)
{
    (void)self;
    return push_json_value(json);
}

// The same for names and their values on top, `count` of both together.
static void members_move(lua_State *L, int idx, int count)
{
    int base = lua_gettop(L) - count;
    if (!lua_istable(L, idx)) {
        lua_createtable(L, 0, count / 2);
        lua_replace(L, idx);
    }
    for (int i = 1; i < count; i += 2) { // in order: of a name that is there twice the last counts
        lua_pushvalue(L, base + i);
        lua_pushvalue(L, base + i + 1);
        lua_rawset(L, idx);
    }
    lua_settop(L, base);
}

static bool push_member_name(struct lx_json *json)
{
    struct lx_json_string name;
    if (!lx_json_read_name(json, &name)) {
        return false;
    }
    if (!name.is_pushed) {
        lua_pushlstring(json->L, name.bytes, name.len);
    }
    return true;
}

static bool push_object(struct lx_json *json)
{
    lua_State *L = json->L;
    luaL_checkstack(L, CHUNK + LUA_MINSTACK, "JSON nested too deep");
    lua_pushnil(L); // the table's place
    int idx = lua_gettop(L), count = 0;
    for (bool is_more = lx_json_open(json, '}'); is_more; is_more = lx_json_more(json, '}')) {
        if (!push_member_name(json) || !push_json_value(json)) {
            return false;
        }
        count += 2;
        if (count == CHUNK) {
            members_move(L, idx, count);
            count = 0;
        }
    }
    if (json->why) {
        return false;
    }
    members_move(L, idx, count);
    return true;
}

bool push_json_value(struct lx_json *json)
{
    switch (*json->at) {
    case '"':
        return push_string(json);
    case '{':
        return push_object(json);
    case '[':
        return push_json_array(json, push_item, NULL);
    default:
        return lx_json_is_numeral(json) ? push_number(json) : push_literal(json);
    }
}

bool push_json(lua_State *L, const char *text, size_t len, char *why)
{
    struct lx_json json;
    int top = lua_gettop(L);
    lx_json_begin(&json, L, text, len);
    if (push_json_value(&json) && lx_json_end(&json)) {
        return true;
    }
    lua_settop(L, top);
    lx_json_explain(&json, why);
    return false;
}
