// SPDX-License-Identifier: MIT
// Changes are put over a widget as it was read, also while a finalizer of the script changes it.
#include "bindings/widget.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <lauxlib.h>
#include <lualib.h>

#include "bindings/host.h"
#include "bindings/image.h"
#include "bindings/widget_words.h"

#define DOMAINS 30 // so few that no memory is asked for before they are read

struct fixture {
    struct ts_host host;
    lua_State *L;
};

// What is freed does not keep its bytes.
static void *scribbling_alloc(void *self, void *old, size_t old_size, size_t size)
{
    (void)self;
    void *new = size ? malloc(size) : NULL;
    if (old && (new || size == 0)) {
        if (new) {
            memcpy(new, old, old_size < size ? old_size : size);
        }
        memset(old, 'Z', old_size);
        free(old);
    }
    return new;
}

static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    assert_non_null(fixture);
    fixture->L = lua_newstate(scribbling_alloc, NULL);
    ts_host_attach(fixture->L, &fixture->host);
    luaL_openlibs(fixture->L);
    lx_open_words(fixture->L);
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    lua_close(fixture->L);
    free(fixture);
    return 0;
}

// Gives the widget, as no list of ours would have it, and the changes. Nothing is collected before
// the caller wants it; then the widget is emptied, and what was in it collected soon.
static const char script[] =
    "collectgarbage('stop')\n"
    "collectgarbage('generational', 1, 100)\n"
    "local count = ...\n"
    "local widget = { name = ('n'):rep(60), mode = 'managed', domains = {} }\n"
    "for i = 1, count do\n"
    "  widget.domains[i] = ('%s.%s.%s.D%03d.EXAMPLE')\n"
    "    :format(('A'):rep(60), ('B'):rep(60), ('C'):rep(60), i)\n"
    "end\n"
    "setmetatable({}, { __gc = function()\n"
    "  widget.name, widget.mode = nil, nil\n"
    "  for i = 1, count do widget.domains[i] = nil end\n"
    "end })\n"
    "return widget, { domains = { add = { 'c.example' } } }\n";

static void test_finalizer_during_merge(void **state)
{
    struct fixture *fixture = *state;
    lua_State *L = fixture->L;
    struct ts_widget_body body;
    ts_widget_body_init(&body, NULL);
    struct lx_image before;
    lx_image_init(&before, NULL);
    struct lx_merged merged;
    assert_int_equal(luaL_loadstring(L, script), LUA_OK);
    lua_pushinteger(L, DOMAINS);
    assert_int_equal(lua_pcall(L, 1, 2, 0), LUA_OK);
    const struct lx_changes *changes = push_changes(L, 2, "test", false);
    lua_gc(L, LUA_GCRESTART);
    lx_merge(L, 1, changes, &body, &before, &merged);
    assert_int_equal(merged.changed, 1u << TS_WIDGET_DOMAINS);
    assert_null(merged.unfit);
    lua_getfield(L, 1, "name");
    assert_true(lua_isnil(L, -1)); // the finalizer did run meanwhile

    const char *text = ts_buf_text(&body.json);
    char expected[256];
    snprintf(expected, sizeof expected, "\"%060d\"", 0);
    for (char *p = expected; *p; p++) {
        *p = (char)(*p == '0' ? 'n' : *p);
    }
    assert_non_null(strstr(text, expected));
    for (int i = 1; i <= DOMAINS; i++) {
        snprintf(expected, sizeof expected, "c.d%03d.example\"", i);
        assert_non_null(strstr(text, expected));
    }
    assert_null(strchr(text, 'Z'));
    text = ts_buf_text(&before.json.json); // the widget as it was read, before the finalizer ran
    assert_non_null(strstr(text, "\"name\":\"n"));
    assert_null(strstr(text, "c.example"));
    lx_image_fini(&before);
    ts_widget_body_fini(&body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_finalizer_during_merge, setup, teardown)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
