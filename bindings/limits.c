// SPDX-License-Identifier: MIT
// A Lua face for host/api/widget.h: one field at a time, nothing sent.
// What is wrong comes back as nil and a line of text; only a wrong call raises.
#include "bindings/limits.h"

#include <lauxlib.h>

#include "host/api/widget.h"

#define DOMAIN "limits.domain"
#define TEXT "limits.text"

TS_RAISES static const char *check_string(lua_State *L, int arg, const char *function, size_t *len)
{
    if (lua_type(L, arg) != LUA_TSTRING) {
        lx_misuse(L, "%s: a string expected, got %s", function, luaL_typename(L, arg));
    }
    return lua_tolstring(L, arg, len);
}

TS_RAISES static int push_reason(lua_State *L, const struct ts_error *err)
{
    lua_pushnil(L);
    lua_pushstring(L, err->message);
    return 2;
}

// limits.domain(text) -> the domain as the API keeps it | nil, message
static int limits_domain(lua_State *L)
{
    size_t len;
    const char *text = check_string(L, 1, DOMAIN, &len);
    char domain[TS_WIDGET_DOMAIN_MAX + 1];
    struct ts_error err;
    if (ts_domain_normalise(text, len, domain, &err)) {
        return push_reason(L, &err);
    }
    lua_pushstring(L, domain);
    return 1;
}

// limits.text(field, text) -> text | nil, message
static int limits_text(lua_State *L)
{
    size_t len;
    const char *name = check_string(L, 1, TEXT, &len);
    const char *text = check_string(L, 2, TEXT, &len);
    enum ts_widget_field field = ts_widget_field_of(name);
    if (field == TS_WIDGET_FIELD_COUNT || ts_widget_rule_of(field)->kind != TS_WIDGET_TEXT) {
        lx_misuse(L, "%s: a widget has no text field `%s`", TEXT, name);
    }
    struct ts_error err;
    if (ts_widget_check_text(field, text, len, &err)) {
        return push_reason(L, &err);
    }
    lua_settop(L, 2);
    return 1;
}

int luaopen_limits(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"domain", limits_domain}, {"text", limits_text}, {NULL, NULL}};
    luaL_newlib(L, functions);
    return 1;
}
