// SPDX-License-Identifier: MIT
// Widgets that are decoded in one go are what they would be if decoded first and adopted then,
// whatever came before them: push_json and a walk over its table are the judge.
#include "bindings/widget_decode.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <lauxlib.h>

#include "bindings/digest.h"
#include "bindings/host.h"
#include "bindings/json.h"
#include "bindings/json_decode.h"
#include "bindings/secret.h"
#include "bindings/widget_words.h"
#include "tests/unit/bindings/same.h"

#define ROUNDS 60000

struct fixture {
    struct ts_host host;
    lua_State *L;
};

static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    struct ts_error err;
    assert_non_null(fixture);
    assert_int_equal(ts_secret_pool_create(&fixture->host.secrets, &err), TS_OK);
    ts_secret_pool_defer(fixture->host.secrets);
    fixture->L = luaL_newstate();
    ts_host_attach(fixture->L, &fixture->host);
    lua_gc(fixture->L, LUA_GCGEN, 0, 0);
    lx_open_secret(fixture->L);
    lx_open_words(fixture->L);
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    lua_close(fixture->L);
    assert_int_equal(ts_secret_pool_count(fixture->host.secrets), 0);
    ts_secret_pool_destroy(fixture->host.secrets);
    free(fixture);
    return 0;
}

// Does to the table at idx what is to be done to one that came, but for the secret.
static void adopt(lua_State *L, int idx)
{
    for (lua_pushnil(L); lua_next(L, idx); lua_pop(L, 1)) {
        if (lx_is_null(L, -1)) {
            lua_pushvalue(L, -2);
            lua_pushnil(L);
            lua_rawset(L, idx);
        }
    }
}

// The secret of the table at a is a handle for the text in the one at b. Takes both out.
static void check_secret_is(lua_State *L, int a, int b)
{
    if (lua_getfield(L, b, "secret") == LUA_TSTRING) {
        size_t len, other;
        lua_getfield(L, a, "secret");
        struct ts_secret *secret = lx_test_secret(L, -1);
        assert_non_null(secret);
        const char *text = lua_tolstring(L, -2, &len);
        const char *bytes = ts_secret_borrow(secret, &other);
        assert_int_equal(len, other);
        assert_memory_equal(text, bytes, len);
        ts_secret_return(secret);
        lua_pushnil(L);
        lua_setfield(L, a, "secret");
        lua_pushnil(L);
        lua_setfield(L, b, "secret");
    }
    lua_settop(L, b);
}

// Whether the text is JSON. Holds the widget in it against the judge's.
static bool is_decoded(lua_State *L, const char *text, size_t len)
{
    char why[TS_ERROR_MESSAGE_MAX] = "", other[TS_ERROR_MESSAGE_MAX] = "";
    struct lx_decoded out;
    struct lx_json json;
    char *copy = copy_of(text, len);
    lua_settop(L, 0);
    push_words(L); // 1
    lx_json_begin(&json, L, copy, len);
    bool is_good = *json.at == '{';
    if (is_good) {
        is_good = push_widget(&json, 1, &out) && lx_json_end(&json);
        if (!is_good) {
            lx_json_explain(&json, why);
            assert_false(push_json(L, copy, len, other));
            assert_string_equal(why, other);
        }
    }
    if (!is_good) {
        free(copy);
        return false;
    }
    assert_int_equal(lua_gettop(L), 2);
    assert_true(push_json(L, copy, len, other)); // 3
    free(copy);
    adopt(L, 3);
    assert_true(out.digest == lx_digest_widget(L, 3));
    assert_true(out.digest == lx_digest_widget(L, 2));
    check_secret_is(L, 2, 3);
    if (!is_same(L, 2, 3)) {
        fail_msg("another widget for %.*s", (int)len, text);
    }
    assert_int_equal(
        out.has_sitekey, lua_getfield(L, 3, "sitekey") == LUA_TSTRING && lua_rawlen(L, -1) > 0);
    return true;
}

static const char widget[] =
    "{\"sitekey\":\"0x4AAAAAAABkMYinukE8nzYS\",\"name\":\"caf\xc3\xa9\",\"domains\":[\"a.example\","
    "\"b.example\"],\"mode\":\"managed\",\"region\":\"world\",\"clearance_level\":\"no_clearance\","
    "\"bot_fight_mode\":false,\"ephemeral_id\":true,\"offlabel\":false,\"deployed_via\":\"api\","
    "\"last_modified_via\":\"dash\",\"created_on\":\"2026-01-02T03:04:05.123456Z\",\"modified_on\":"
    "\"2026-01-02T03:04:05.123456Z\",\"secret\":\"0x4-made-up\",\"count\":-12.5e3,\"more\":null}";

// In any order, missing, there twice, of other types, with escapes, with words that change.
static void members_in_any_order(void **state)
{
    static const char *const members[] = {"\"sitekey\":\"0x4AAAAAAABkMYinukE8nzYS\"",
        "\"sitekey\":\"\"", "\"sitekey\":7", "\"sitekey\":null", "\"name\":\"a\"",
        "\"name\":\"a longer name, of more than forty characters\"", "\"name\":\"\\u00e9\"",
        "\"n\\u0061me\":\"b\"", "\"name\" : null", "\"domains\":[]",
        "\"domains\":[\"a.example\",\"b.example\"]", "\"domains\":[\"a.example\",1]",
        "\"domains\":{}", "\"domains\":null", "\"mode\":\"managed\"", "\"mode\":\"invisible\"",
        "\"mode\":\"non-interactive\"", "\"mode\":\"man\\u0061ged\"", "\"mode\":\"\"",
        "\"mode\":\"a word that is too long to be kept\"", "\"mode\":true", "\"region\":\"world\"",
        "\"region\":\"china\"", "\"clearance_level\":\"managed\"",
        "\"clearance_level\":\"interactive\"", "\"bot_fight_mode\":true",
        "\"bot_fight_mode\":false", "\"ephemeral_id\":1", "\"offlabel\":\"x\"",
        "\"deployed_via\":\"api\"", "\"deployed_via\":\"dash\"", "\"last_modified_via\":\"api\"",
        "\"created_on\":\"2026-01-02T03:04:05Z\"", "\"modified_on\":\"2026-01-02T03:04:05Z\"",
        "\"modified_on\":\"\"", "\"modified_on\":false", "\"secret\":\"0x4-made-up\"",
        "\"secret\":\"\"", "\"secret\":\"with \\\"escapes\\\"\"", "\"s\\u0065cret\":\"hidden\"",
        "\"secret\":null", "\"secret\":7", "\"count\":12", "\"count\":null",
        "\"other\":{\"secret\":\"x\",\"y\":null}", "\"mod\":1", "\"\":2"};
    struct fixture *fixture = *state;
    unsigned seed = 20260104;
    for (int round = 0; round < ROUNDS; round++) {
        char text[4096] = "{";
        size_t len = 1;
        unsigned count = next(&seed) % 20;
        for (unsigned i = 0; i < count; i++) {
            const char *member = members[next(&seed) % (sizeof members / sizeof members[0])];
            len +=
                (size_t)snprintf(text + len, sizeof text - len, "%s%s", i > 0 ? "," : "", member);
        }
        text[len++] = '}';
        assert_true(is_decoded(fixture->L, text, len));
        if (round % 4 == 0) { // so that names come in the usual order too
            assert_true(is_decoded(fixture->L, widget, sizeof widget - 1));
        }
    }
}

static void damaged_widgets(void **state)
{
    struct fixture *fixture = *state;
    unsigned seed = 20260105;
    size_t accepted = 0;
    for (int round = 0; round < ROUNDS; round++) {
        char text[sizeof widget + 8];
        size_t len = sizeof widget - 1;
        memcpy(text, widget, len);
        damage(&seed, text, &len);
        accepted += is_decoded(fixture->L, text, len);
    }
    assert_in_range(accepted, ROUNDS / 20, ROUNDS - ROUNDS / 20); // both ways were tried
}

// One that claims to have very many members does not make every later table as large.
static void many_members(void **state)
{
    struct fixture *fixture = *state;
    lua_State *L = fixture->L;
    static char text[1 << 20];
    size_t len = (size_t)snprintf(text, sizeof text, "{\"sitekey\":\"k\"");
    for (int i = 0; i < 50000; i++) {
        len += (size_t)snprintf(text + len, sizeof text - len, ",\"m%d\":1", i);
    }
    text[len++] = '}';
    assert_true(is_decoded(L, text, len));
    lua_settop(L, 0);
    lua_gc(L, LUA_GCCOLLECT);
    int before = lua_gc(L, LUA_GCCOUNT);
    for (int i = 0; i < 100; i++) {
        assert_true(is_decoded(L, "{\"sitekey\":\"k\"}", 15));
        lua_settop(L, 0);
        assert_in_range(lua_gc(L, LUA_GCCOUNT), 0, before + 100);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_in_any_order),
        cmocka_unit_test(damaged_widgets),
        cmocka_unit_test(many_members),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
