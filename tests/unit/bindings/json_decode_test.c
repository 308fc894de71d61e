// SPDX-License-Identifier: MIT
// What is read as JSON, and what is not. lua-cjson is the judge of values: whatever is accepted
// here it accepts too, as the same value. It is laxer, so what is refused is listed.
#include "bindings/json_decode.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <lauxlib.h>
#include <lua-cjson.h>
#include <lualib.h>

#include "tests/unit/bindings/same.h"

#define ROUNDS 200000

static int setup(void **state)
{
    lua_State *L = luaL_newstate();
    luaL_openlibs(L);
    luaL_requiref(L, "cjson", luaopen_cjson, 0);
    lua_getfield(L, -1, "decode_invalid_numbers");
    lua_pushboolean(L, 0);
    lua_call(L, 1, 0);
    lua_getfield(L, -1, "decode");
    lua_replace(L, 1); // the judge stays at 1
    lua_settop(L, 1);
    *state = L;
    return 0;
}

static int teardown(void **state)
{
    lua_close(*state);
    return 0;
}

// What passes over a value is as strict as what reads it, and complains of the same at the same
// place, but for numbers that are too large or too long.
static void check_skipped(lua_State *L, const char *text, size_t len, bool is_read, const char *why)
{
    struct lx_json json;
    char other[TS_ERROR_MESSAGE_MAX] = "";
    char *copy = copy_of(text, len);
    lx_json_begin(&json, L, copy, len);
    bool is_good = lx_json_skip(&json) && lx_json_end(&json);
    if (!is_good) {
        lx_json_explain(&json, other);
    }
    free(copy);
    if (strstr(why, "a number that is too l")) {
        return;
    }
    if (is_good != is_read) {
        fail_msg("passing over %.*s: %s", (int)len, text, is_good ? "accepted" : other);
    }
    if (!is_good) {
        assert_string_equal(other, why);
    }
}

static bool is_accepted(lua_State *L, const char *text, size_t len)
{
    char why[TS_ERROR_MESSAGE_MAX] = "";
    char *copy = copy_of(text, len);
    int top = lua_gettop(L);
    bool is_good = push_json(L, copy, len, why);
    free(copy);
    assert_int_equal(lua_gettop(L), top + is_good);
    assert_true(is_good || strstr(why, " at byte "));
    check_skipped(L, text, len, is_good, why);
    if (!is_good) {
        return false;
    }
    lua_pushvalue(L, 1);
    lua_pushlstring(L, text, len);
    if (lua_pcall(L, 1, 1, 0) != LUA_OK) {
        fail_msg("the judge refuses %.*s: %s", (int)len, text, lua_tostring(L, -1));
    }
    if (!is_same(L, top + 1, top + 2)) {
        fail_msg("another value for %.*s", (int)len, text);
    }
    lua_settop(L, top);
    return true;
}

static void what_is_json(void **state)
{
    static const char *const texts[] = {"{}", "[]", " [ ] ", "null", "true", "false", "0", "-0",
        "12", "-7", "123456789012345678", "1234567890123456789", "99999999999999999999", "1.5",
        "-0.25e-3", "1E5", "1e+2", "\"\"", "\"a\"", "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"",
        "\"\\u0041\\u00e9\\u20ac\\ud83d\\ude00\\u0000\"",
        "\"\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80\"", "\"exactly8\"", "\"exactly 16 chars\"",
        "\"seven b\\n\"", "[1,2,3]", "[[],[[]],{}]", "{\"a\":1,\"b\":[true,null],\"a\":2}",
        "\t\r\n {\"\" : \"\x7f\" } \n", "{\"a\":{\"b\":{\"c\":{\"d\":[{\"e\":[]}]}}}}"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (!is_accepted(*state, texts[i], strlen(texts[i]))) {
            fail_msg("refused: %s", texts[i]);
        }
    }
}

static void what_is_not(void **state)
{
    static const char *const texts[] = {"", " ", "{", "[", "[1", "[1,", "[1,]", "[,1]", "[1 2]",
        "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}", "{1:2}", "{\"a\" 1}", "{\"a\":1 \"b\":2}",
        "]", "}", "[}", "{]", "nul", "nulll", "True", "NaN", "Infinity", "-", "+1", ".5", "1.",
        "01", "-01", "1e", "1e+", "0x10", "1.e5", "--1", "1e999", "\"", "\"a", "'a'", "\"\\",
        "\"\\x\"", "\"\\u12\"", "\"\\u12g4\"", "\"\\ud800\"", "\"\\udc00\"", "\"\\ud800\\u0041\"",
        "\"\\ud800x\"", "\"\n\"", "\"\x01\"", "\"\x80\"", "\"\xc0\xaf\"", "\"\xed\xa0\x80\"",
        "\"\xf4\x90\x80\x80\"", "\"\xe2\x82", "\xef\xbb\xbf{}", "1 2", "{} {}", "[] x", "//x\n1",
        "/**/1"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (is_accepted(*state, texts[i], strlen(texts[i]))) {
            fail_msg("accepted: %s", texts[i]);
        }
    }
    assert_false(is_accepted(*state, "1\0", 2));
    assert_false(is_accepted(*state, "\"a\0b\"", 5));
    assert_false(is_accepted(*state, "[1,\0]", 5));
}

// Strings are looked through many bytes at a time, and each byte of those may be the one.
static void every_place_in_a_string(void **state)
{
    static const struct {
        const char *bytes;
        bool is_good;
    } cases[] = {{"\"", false}, {"\\", false}, {"\x1f", false}, {"\x80", false}, {"\xff", false},
        {" ", true}, {"\x7f", true}, {"\\n", true}, {"\xc3\xa9", true}};
    for (size_t len = 1; len < 40; len++) {
        for (size_t at = 0; at < len; at++) {
            for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                char text[64];
                size_t size = strlen(cases[i].bytes);
                memset(text, 'x', sizeof text);
                text[0] = '"';
                memcpy(text + 1 + at, cases[i].bytes, size);
                text[len + size] = '"';
                assert_int_equal(is_accepted(*state, text, len + size + 1), cases[i].is_good);
            }
        }
    }
}

static void integers_are_exact(void **state)
{
    lua_State *L = *state;
    static const struct {
        const char *text;
        lua_Integer value;
    } cases[] = {{"0", 0}, {"-0", 0}, {"999999999999999999", 999999999999999999},
        {"-999999999999999999", -999999999999999999}, {"9223372036854775807", INT64_MAX},
        {"1000.0", 1000}, {"1e3", 1000}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char why[TS_ERROR_MESSAGE_MAX];
        assert_true(push_json(L, cases[i].text, strlen(cases[i].text), why));
        assert_true(lua_isinteger(L, -1));
        assert_true(lua_tointeger(L, -1) == cases[i].value);
        lua_pop(L, 1);
    }
}

// Members stand on the stack in groups before they move into their table.
static void long_lists_and_objects(void **state)
{
    lua_State *L = *state;
    for (int count = 0; count < 300; count += count < 70 ? 1 : 37) {
        char text[8192];
        size_t array = (size_t)snprintf(text, sizeof text, "[");
        for (int i = 0; i < count; i++) {
            array += (size_t)snprintf(text + array, sizeof text - array, "%s%d", i ? "," : "", i);
        }
        array += (size_t)snprintf(text + array, sizeof text - array, "]");
        assert_true(is_accepted(L, text, array));
        size_t object = (size_t)snprintf(text, sizeof text, "{");
        for (int i = 0; i < count; i++) {
            object += (size_t)snprintf(
                text + object, sizeof text - object, "%s\"k%d\":[%d]", i ? "," : "", i, i);
        }
        object += (size_t)snprintf(text + object, sizeof text - object, "}");
        assert_true(is_accepted(L, text, object));
    }
}

static void depth(void **state)
{
    static char text[2 * LX_JSON_DEPTH_MAX + 8];
    for (int over = 0; over < 2; over++) {
        size_t depth = LX_JSON_DEPTH_MAX + (size_t)over;
        memset(text, '[', depth);
        memset(text + depth, ']', depth);
        assert_int_equal(is_accepted(*state, text, 2 * depth), over == 0);
    }
}

// Damaged answers: a few bytes changed, taken out, or copied to elsewhere.
static void damaged_texts(void **state)
{
    static const char answer[] =
        "{\"success\":true,\"errors\":[{\"code\":10404,\"message\":\"n\\u00f6 \\\"x\\\"\"}],"
        "\"messages\":[],\"result\":{\"sitekey\":\"0x4AAAAAAABkMYinukE8nzYS\",\"domains\":[\"a."
        "example\","
        "\"b.example\"],\"mode\":null,\"count\":-12.5e3,\"ok\":false,\"name\":\"caf\xc3\xa9 "
        "\xf0\x9f\x98\x80\"}}";
    unsigned seed = 20260102;
    size_t accepted = 0;
    for (int round = 0; round < ROUNDS; round++) {
        char text[sizeof answer + 8];
        size_t len = sizeof answer - 1;
        memcpy(text, answer, len);
        damage(&seed, text, &len);
        accepted += is_accepted(*state, text, len);
    }
    assert_in_range(accepted, ROUNDS / 20, ROUNDS - ROUNDS / 20); // both ways were tried
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_json),
        cmocka_unit_test(what_is_not),
        cmocka_unit_test(every_place_in_a_string),
        cmocka_unit_test(integers_are_exact),
        cmocka_unit_test(long_lists_and_objects),
        cmocka_unit_test(depth),
        cmocka_unit_test(damaged_texts),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
