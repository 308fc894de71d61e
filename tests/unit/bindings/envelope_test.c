// SPDX-License-Identifier: MIT
// Walking the envelope gives what its table would: push_json is the judge, of values, of what is
// refused, and of the reason.
#include "bindings/envelope.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <lauxlib.h>

#include "bindings/json_decode.h"
#include "tests/unit/bindings/same.h"

#define ROUNDS 100000

static int setup(void **state)
{
    *state = luaL_newstate();
    return 0;
}

static int teardown(void **state)
{
    lua_close(*state);
    return 0;
}

// The member of the table at idx, -1 when it is no count.
static lua_Integer count_of(lua_State *L, int idx, const char *name)
{
    lua_Integer count = -1;
    if (lua_istable(L, idx)) {
        lua_getfield(L, idx, name);
        lua_Number number = lua_tonumber(L, -1);
        bool is_number = lua_type(L, -1) == LUA_TNUMBER;
        count = is_number && number >= 0 && number < 1e15 ? (lua_Integer)number : -1;
        lua_pop(L, 1);
    }
    return count;
}

static bool is_empty(lua_State *L, int idx)
{
    lua_pushnil(L);
    if (!lua_istable(L, idx) || lua_next(L, idx) == 0) {
        lua_settop(L, idx);
        return lua_istable(L, idx);
    }
    lua_settop(L, idx);
    return false;
}

// Whether the text is an envelope. Holds it against its table.
static bool is_envelope(lua_State *L, const char *text, size_t len)
{
    char why[TS_ERROR_MESSAGE_MAX] = "", other[TS_ERROR_MESSAGE_MAX] = "";
    struct lx_result result = {0};
    struct lx_envelope envelope;
    char *copy = copy_of(text, len);
    lua_settop(L, 0);
    bool is_json = push_envelope(L, copy, len, &result, &envelope, why);
    assert_int_equal(lua_gettop(L), is_json ? 2 : 0);
    assert_int_equal(push_json(L, copy, len, other), is_json);
    assert_string_equal(why, other);
    free(copy);
    if (!is_json || !lua_istable(L, 3)) {
        return false;
    }
    lua_getfield(L, 3, "success");
    assert_int_equal(envelope.is_one, lua_isboolean(L, 4));
    if (!envelope.is_one) {
        return false;
    }
    assert_int_equal(envelope.is_success, lua_toboolean(L, 4));
    lua_getfield(L, 3, "result_info");
    assert_true(result.per_page == count_of(L, 5, "per_page"));
    assert_true(result.total_count == count_of(L, 5, "total_count"));
    lua_getfield(L, 3, "result"); // 6
    if (!is_same(L, 1, 6)) {
        fail_msg("another result for %.*s", (int)len, text);
    }
    lua_getfield(L, 3, "errors"); // 7
    if (!is_same(L, 2, 7) && !(lua_isnil(L, 2) && is_empty(L, 7))) {
        fail_msg("other errors for %.*s", (int)len, text);
    }
    return true;
}

// Members in any order, missing, or there more than once; and tails that do not belong.
static void members_in_any_order(void **state)
{
    static const char *const members[] = {"\"success\":true", "\"success\" : true ",
        "\"success\":false", "\"success\":null", "\"success\":[]", "\"suc\\u0063ess\":true",
        "\"result\":{\"sitekey\":\"k\",\"domains\":[\"a\",\"b\"],\"x\":null}", "\"result\":null",
        "\"result\":[]", "\"result\":[{\"a\":1},2]", "\"res\\u0075lt\":7", "\"errors\":[]",
        "\"errors\":[ ]", "\"errors\":[{\"code\":10404,\"message\":\"no\"}]", "\"errors\":{}",
        "\"errors\":null", "\"messages\":[]", "\"messages\":[{\"code\":1}]",
        "\"result_info\":{\"per_page\":25,\"total_count\":50.0,\"page\":1}",
        "\"result_info\":{\"per_page\":-1,\"total_count\":\"9\"}", "\"result_info\":[]",
        "\"result_info\":{\"total_count\":1e15}", "\"results\":1", "\"\":{\"success\":false}"};
    static const char *const tails[] = {"", "", "", "", " \n", ",", "}", "]", "\0", "x", "{}"};
    unsigned seed = 20260102;
    size_t accepted = 0;
    for (int round = 0; round < ROUNDS; round++) {
        char text[2048] = "{";
        size_t len = 1;
        unsigned count = next(&seed) % 9;
        for (unsigned i = 0; i < count; i++) {
            const char *member = members[next(&seed) % (sizeof members / sizeof members[0])];
            len +=
                (size_t)snprintf(text + len, sizeof text - len, "%s%s", i > 0 ? "," : "", member);
        }
        const char *tail = tails[next(&seed) % (sizeof tails / sizeof tails[0])];
        len += (size_t)snprintf(text + len, sizeof text - len, "}%s", tail);
        if (next(&seed) % 8 == 0) {
            len = next(&seed) % len;
        }
        accepted += is_envelope(*state, text, len);
    }
    assert_in_range(accepted, ROUNDS / 20, ROUNDS - ROUNDS / 20); // both ways were tried
}

static void damaged_answers(void **state)
{
    static const char answer[] =
        "{\"result\":[{\"sitekey\":\"0x4\",\"domains\":[\"a.example\"]}],\"success\":true,"
        "\"errors\":[],\"messages\":[],\"result_info\":{\"per_page\":1000,\"total_count\":1}}";
    unsigned seed = 20260103;
    size_t accepted = 0;
    for (int round = 0; round < ROUNDS; round++) {
        char text[sizeof answer + 8];
        size_t len = sizeof answer - 1;
        memcpy(text, answer, len);
        damage(&seed, text, &len);
        accepted += is_envelope(*state, text, len);
    }
    assert_in_range(accepted, ROUNDS / 20, ROUNDS - ROUNDS / 20);
}

static void what_is_none(void **state)
{
    static const char *const texts[] = {"", "{}", "[]", "[{\"success\":true}]", "true",
        "\"success\"", "{\"success\":1}", "{\"success\":\"true\"}", "{\"success\":true",
        "{\"success\":true,}", "{\"success\":true}}", "{success:true}"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        assert_false(is_envelope(*state, texts[i], strlen(texts[i])));
    }
    assert_true(is_envelope(*state, " {\"success\":true} ", 18));
}

// The envelope counts as one of the levels, as ever.
static void depth(void **state)
{
    static char text[2 * LX_JSON_DEPTH_MAX + 64];
    for (size_t over = 0; over < 2; over++) {
        size_t depth = LX_JSON_DEPTH_MAX - 1 + over;
        size_t len = (size_t)snprintf(text, sizeof text, "{\"success\":true,\"result\":");
        memset(text + len, '[', depth);
        memset(text + len + depth, ']', depth);
        len += 2 * depth;
        text[len++] = '}';
        assert_int_equal(is_envelope(*state, text, len), over == 0);
    }
}

struct pushed {
    int calls;
};

static bool push_seven(struct lx_json *json, void *self)
{
    struct pushed *pushed = self;
    pushed->calls++;
    if (!push_json_value(json)) {
        return false;
    }
    lua_pushinteger(json->L, 7);
    return true;
}

static void who_asks_decodes_the_result(void **state)
{
    static const char text[] =
        "{\"result\":{\"result\":1},\"x\":{\"result\":2},\"result\":3,\"success\":true}";
    lua_State *L = *state;
    char why[TS_ERROR_MESSAGE_MAX];
    struct pushed pushed = {0};
    struct lx_result result = {.push = push_seven, .self = &pushed};
    struct lx_envelope envelope;
    lua_settop(L, 0);
    assert_true(push_envelope(L, text, sizeof text - 1, &result, &envelope, why));
    assert_int_equal(lua_gettop(L), 2);
    assert_int_equal(lua_tointeger(L, 1), 7);
    assert_int_equal(pushed.calls, 2);
    assert_true(envelope.is_one && envelope.is_success);
    assert_true(result.per_page == -1 && result.total_count == -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_in_any_order),
        cmocka_unit_test(damaged_answers),
        cmocka_unit_test(what_is_none),
        cmocka_unit_test(depth),
        cmocka_unit_test(who_asks_decodes_the_result),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
