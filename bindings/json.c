// SPDX-License-Identifier: MIT
// The module that scripts get as `require "cjson"`: lua-cjson with secrets masked, empty `domains`
// as [], and integers kept integers.
#include "bindings/json.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include <lauxlib.h>
#include <lua-cjson.h>

#include "bindings/modules.h"
#include "bindings/secret.h"

#define ENCODE_DEPTH_MAX 200

// What lua-cjson is given to encode, in bytes of text. It may become six times as much, and
// lua-cjson counts in an int that it doubles: it would crash, or end the process.
#define ENCODE_MAX (128 * 1024 * 1024)
#define VALUE_SIZE 24               // what any other value is counted as
#define TEXT_MAX (64 * 1024 * 1024) // lua-cjson overflows an int near 358 MB (CVE-2022-24834)

// Pushes a fresh instance: its settings are its own.
static void push_instance(lua_State *L)
{
    luaL_requiref(L, "cjson", luaopen_cjson, 0);
    lua_getfield(L, -1, "new");
    lua_remove(L, -2);
    lua_call(L, 0, 1);
    lua_getfield(L, -1, "decode_invalid_numbers");
    lua_pushboolean(L, 0);
    lua_call(L, 1, 0);
}

bool lx_is_null(lua_State *L, int idx)
{
    return lua_islightuserdata(L, idx) && !lua_touserdata(L, idx);
}

static bool number_is_whole(lua_State *L, int idx, lua_Integer *whole)
{
    lua_Number number = lua_tonumber(L, idx);
    return !lua_isinteger(L, idx) && fabs(number) <= 9007199254740992.0 &&
           lua_numbertointeger(number, whole) && (lua_Number)*whole == number;
}

// Turns floats without a fraction into integers, in the value on top of the stack and all below it.
static void integers_restore(lua_State *L)
{
    lua_Integer whole;
    if (lua_type(L, -1) == LUA_TNUMBER) {
        if (number_is_whole(L, -1, &whole)) {
            lua_pop(L, 1);
            lua_pushinteger(L, whole);
        }
        return;
    }
    if (!lua_istable(L, -1)) {
        return;
    }
    luaL_checkstack(L, 4, "JSON nested too deep");
    for (lua_pushnil(L); lua_next(L, -2);) {
        int type = lua_type(L, -1);
        if (type == LUA_TNUMBER && number_is_whole(L, -1, &whole)) {
            lua_pop(L, 1);
            lua_pushvalue(L, -1);
            lua_pushinteger(L, whole);
            lua_rawset(L, -4); // assigning to a field that exists is allowed while iterating
        } else {
            if (type == LUA_TTABLE) {
                integers_restore(L);
            }
            lua_pop(L, 1);
        }
    }
}

static int cjson_decode(lua_State *L)
{
    size_t len;
    if (lua_type(L, 1) != LUA_TSTRING) {
        lx_misuse(L, "cjson.decode: a string expected, got %s", luaL_typename(L, 1));
    }
    lua_tolstring(L, 1, &len);
    if (len > TEXT_MAX) {
        lx_misuse(L, "cjson.decode: the text is larger than 64 MiB");
    }
    lua_settop(L, 1);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, 1, 1);
    integers_restore(L);
    return 1;
}

// Upvalues of encode: 1 lua-cjson's encode, 2 the mark. lua-cjson cannot write an empty list, nor
// an integer of more than 14 digits; both are encoded as a string of the mark and the text that is
// meant, and unwrapped in the result. The mark holds an address, so no text is taken for it by
// chance.
struct plain {
    int depth;
    size_t left; // of ENCODE_MAX
};

static void push_plain(lua_State *L, int idx, struct plain *plain, bool is_domains);

static void plain_count(lua_State *L, int idx, struct plain *plain)
{
    bool is_text = lua_type(L, idx) == LUA_TSTRING;
    size_t size = is_text ? lua_rawlen(L, idx) : VALUE_SIZE;
    if (size > plain->left) {
        lx_misuse(L, "cjson.encode: the value is larger than %d MiB", ENCODE_MAX / 1024 / 1024);
    }
    plain->left -= size;
}

static void push_marked(lua_State *L, const char *text)
{
    lua_pushfstring(L, "%s%s", lua_tostring(L, lua_upvalueindex(2)), text);
}

// Replaces "MARKtext" by text, in the JSON on top of the stack.
static void unwrap_marked(lua_State *L)
{
    size_t mark_len;
    const char *mark = lua_tolstring(L, lua_upvalueindex(2), &mark_len);
    const char *json = lua_tostring(L, -1); // JSON has no raw NUL
    const char *found = strstr(json, mark);
    if (!found) {
        return;
    }
    luaL_Buffer out;
    luaL_buffinit(L, &out);
    for (; found; found = strstr(json, mark)) {
        const char *text = found + mark_len;
        size_t len = strcspn(text, "\"");
        luaL_addlstring(&out, json, (size_t)(found - json) - 1); // without the opening quote
        luaL_addlstring(&out, text, len);
        json = text + len + 1;
    }
    luaL_addstring(&out, json);
    luaL_pushresult(&out);
}

static void push_plain_table(lua_State *L, int idx, struct plain *plain, bool is_domains)
{
    if (plain->depth == ENCODE_DEPTH_MAX) {
        lx_misuse(L, "cjson.encode: nested deeper than %d levels", ENCODE_DEPTH_MAX);
    }
    luaL_checkstack(L, 8, "cjson.encode: nested too deep");
    if (is_domains) {
        lua_pushnil(L);
        if (!lua_next(L, idx)) {
            push_marked(L, "[]");
            return;
        }
        lua_pop(L, 2);
    }
    plain->depth++;
    lua_newtable(L);
    for (lua_pushnil(L); lua_next(L, idx); lua_pop(L, 1)) {
        plain_count(L, -2, plain);
        bool is_list =
            lua_type(L, -2) == LUA_TSTRING && strcmp(lua_tostring(L, -2), "domains") == 0;
        lua_pushvalue(L, -2);
        push_plain(L, lua_gettop(L) - 1, plain, is_list);
        lua_rawset(L, -5);
    }
    plain->depth--;
}

// More than 14 digits.
static bool is_long_integer(lua_State *L, int idx)
{
    lua_Integer value = lua_tointeger(L, idx);
    return lua_isinteger(L, idx) && (value >= 100000000000000 || value <= -100000000000000);
}

// Pushes a copy of the value at idx that lua-cjson can encode and that holds no secret.
static void push_plain(lua_State *L, int idx, struct plain *plain, bool is_domains)
{
    plain_count(L, idx, plain);
    if (lua_istable(L, idx)) {
        push_plain_table(L, idx, plain, is_domains);
    } else if (is_long_integer(L, idx)) {
        char digits[32];
        snprintf(digits, sizeof digits, "%lld", (long long)lua_tointeger(L, idx));
        push_marked(L, digits);
    } else if (lx_is_secret(L, idx)) {
        lua_pushliteral(L, TS_SECRET_MASK);
    } else {
        lua_pushvalue(L, idx);
    }
}

static int cjson_encode(lua_State *L)
{
    luaL_checkany(L, 1);
    lua_settop(L, 1);
    struct plain plain = {.left = ENCODE_MAX};
    push_plain(L, 1, &plain, false);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, -2);
    lua_call(L, 1, 1);
    unwrap_marked(L);
    return 1;
}

int luaopen_ts_cjson(lua_State *L)
{
    push_instance(L);
    int instance = lua_gettop(L);
    lua_createtable(L, 0, 4);
    lua_getfield(L, instance, "encode");
    char mark[64];
    snprintf(mark, sizeof mark, "tshost-mark-%p-%p-", (void *)L, (const void *)mark);
    lua_pushstring(L, mark);
    lua_pushcclosure(L, cjson_encode, 2);
    lua_setfield(L, -2, "encode");
    lua_getfield(L, instance, "decode");
    lua_pushcclosure(L, cjson_decode, 1);
    lua_setfield(L, -2, "decode");
    lua_pushlightuserdata(L, NULL);
    lua_setfield(L, -2, "null");
    lua_remove(L, instance);
    return 1;
}
