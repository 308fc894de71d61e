// SPDX-License-Identifier: MIT
// Checking and normalising the fields that scripts pass, before anything is sent.
// The rules themselves are host/api/widget.c; this file walks Lua tables with them.
#include "bindings/widget.h"

#include <string.h>

#include <lauxlib.h>

#include "host/base/suggest.h"
#include "host/base/str.h"

void check_sitekey(lua_State *L, int arg, const char *function, char out[TS_WIDGET_SITEKEY_MAX + 1])
{
    check_dot(L, arg, function);
    bool is_widget = lua_istable(L, arg);
    if (is_widget) {
        lua_getfield(L, arg, "sitekey");
    } else {
        lua_pushvalue(L, arg);
    }
    if (lua_type(L, -1) != LUA_TSTRING) {
        lx_misuse(L, "%s: a sitekey or a widget expected, got %s%s", function,
            is_widget ? "a table whose `sitekey` is a " : "a ", luaL_typename(L, -1));
    }
    size_t len;
    const char *text = lua_tolstring(L, -1, &len);
    struct ts_error err;
    if (ts_widget_check_sitekey(text, len, &err)) {
        lx_misuse(L, "%s: %s", function, err.message);
    }
    memcpy(out, text, len + 1);
    lua_pop(L, 1);
}

// The list at idx (absolute) as a new list on the stack: checked, normalised, without repeats.
static void push_domains(lua_State *L, int idx, const char *function)
{
    if (!lua_istable(L, idx)) {
        lx_misuse(
            L, "%s: domains must be a list of hostnames, is a %s", function, luaL_typename(L, idx));
    }
    lua_Integer count = (lua_Integer)lua_rawlen(L, idx);
    lua_Integer keys = 0;
    for (lua_pushnil(L); lua_next(L, idx); lua_pop(L, 1)) {
        keys++;
    }
    if (keys != count) {
        lx_misuse(L, "%s: domains must be a list without gaps or named keys", function);
    }
    lua_createtable(L, (int)count, 0);
    lua_newtable(L); // seen
    lua_Integer kept = 0;
    for (lua_Integer i = 1; i <= count; i++) {
        char name[TS_WIDGET_DOMAIN_MAX + 1];
        struct ts_error err;
        size_t len;
        if (lua_rawgeti(L, idx, i) != LUA_TSTRING) {
            lx_misuse(L, "%s: domain %d must be a string, is a %s", function, (int)i,
                luaL_typename(L, -1));
        }
        const char *text = lua_tolstring(L, -1, &len);
        if (ts_domain_normalise(text, len, name, &err)) {
            lx_misuse(L, "%s: %s", function, err.message);
        }
        lua_pop(L, 1);
        if (lua_getfield(L, -1, name) == LUA_TNIL) {
            lua_pushstring(L, name);
            lua_rawseti(L, -4, ++kept);
            lua_pushboolean(L, 1);
            lua_setfield(L, -3, name);
        }
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

// Misuse when a name stands in both lists of the changes at idx: which was meant?
static void check_no_overlap(lua_State *L, int idx, const char *function)
{
    int top = lua_gettop(L);
    bool has_both = lua_getfield(L, idx, "add") == LUA_TTABLE;
    has_both = lua_getfield(L, idx, "remove") == LUA_TTABLE && has_both;
    if (has_both) {
        lua_newtable(L);
        for (lua_Integer i = 1; lua_rawgeti(L, top + 1, i) != LUA_TNIL; i++) {
            lua_pushboolean(L, 1);
            lua_rawset(L, top + 3);
        }
        lua_settop(L, top + 3);
        for (lua_Integer i = 1; lua_rawgeti(L, top + 2, i) != LUA_TNIL; i++) {
            const char *name = lua_tostring(L, -1);
            if (lua_getfield(L, top + 3, name) != LUA_TNIL) {
                lx_misuse(L, "%s: domain \"%s\" is both added and removed", function, name);
            }
            lua_settop(L, top + 3);
        }
    }
    lua_settop(L, top);
}

// domains = { add = {...}, remove = {...} }
static void push_domain_changes(lua_State *L, int idx, const char *function)
{
    static const char *const names[] = {"add", "remove", NULL};
    check_options(L, idx, function, names, false);
    lua_createtable(L, 0, 2);
    for (const char *const *name = names; *name; name++) {
        if (push_member(L, idx, *name) != LUA_TNIL) {
            push_domains(L, lua_gettop(L), function);
            lua_setfield(L, -3, *name);
        }
        lua_pop(L, 1);
    }
    check_no_overlap(L, lua_gettop(L), function);
}

static bool is_change_table(lua_State *L, int idx)
{
    if (!lua_istable(L, idx)) {
        return false;
    }
    lua_pushnil(L);
    if (!lua_next(L, idx)) {
        return false; // {} is an empty list
    }
    bool is_named = lua_type(L, -2) == LUA_TSTRING;
    lua_pop(L, 2);
    return is_named;
}

// Pushes the normalised form of the value at idx for a field.
static void push_field_value(
    lua_State *L, enum ts_widget_field field, int idx, const char *function, bool is_creation)
{
    const struct ts_widget_rule *rule = ts_widget_rule_of(field);
    struct ts_error err;
    size_t len;
    switch (rule->kind) {
    case TS_WIDGET_LIST:
        if (!is_creation && is_change_table(L, idx)) {
            push_domain_changes(L, idx, function);
        } else {
            push_domains(L, idx, function);
        }
        return;
    case TS_WIDGET_BOOLEAN:
        if (!lua_isboolean(L, idx)) {
            lx_misuse(L, "%s: `%s` must be a boolean, is a %s", function, rule->name,
                luaL_typename(L, idx));
        }
        lua_pushvalue(L, idx);
        return;
    case TS_WIDGET_TEXT:
        if (lua_type(L, idx) != LUA_TSTRING) {
            lx_misuse(L, "%s: `%s` must be a string, is a %s", function, rule->name,
                luaL_typename(L, idx));
        }
        const char *text = lua_tolstring(L, idx, &len);
        if (ts_widget_check_text(field, text, len, &err)) {
            lx_misuse(L, "%s: %s", function, err.message);
        }
        lua_pushvalue(L, idx);
    }
}

// Misuse for a key that is no writable field, with the reason where there is a special one.
static void complain_key(lua_State *L, const char *function, const char *key)
{
    static const char *const read_only[] = {"sitekey", "secret", "created_on", "modified_on",
        "deployed_via", "last_modified_via", NULL};
    for (const char *const *name = read_only; *name; name++) {
        if (ts_str_is(*name, key)) {
            lx_misuse(L, "%s: `%s` is set by the service, it cannot be written", function, key);
        }
    }
    const char *names[TS_WIDGET_FIELD_COUNT + 1] = {NULL};
    for (int i = 0; i < TS_WIDGET_FIELD_COUNT; i++) {
        names[i] = ts_widget_rule_of((enum ts_widget_field)i)->name;
    }
    char hint[TS_SUGGEST_MAX];
    ts_suggest(key, names, hint);
    lx_misuse(L, "%s: a widget has no field `%s`%s", function, key, hint);
}

void push_fields(lua_State *L, int arg, const char *function, bool is_creation)
{
    check_dot(L, arg, function);
    if (!lua_istable(L, arg)) {
        lx_misuse(L, "%s: a table of fields expected, got %s", function, luaL_typename(L, arg));
    }
    lua_createtable(L, 0, TS_WIDGET_FIELD_COUNT);
    int fields = lua_gettop(L);
    for (lua_pushnil(L); lua_next(L, arg); lua_pop(L, 1)) {
        if (lua_type(L, -2) != LUA_TSTRING) {
            lx_misuse(
                L, "%s: fields are named, but there is a %s key", function, luaL_typename(L, -2));
        }
        const char *key = lua_tostring(L, -2);
        enum ts_widget_field field = ts_widget_field_of(key);
        if (field == TS_WIDGET_FIELD_COUNT) {
            complain_key(L, function, key);
        }
        if (!is_creation && ts_widget_rule_of(field)->is_fixed) {
            lx_misuse(L, "%s: `%s` is fixed when a widget is created", function, key);
        }
        push_field_value(L, field, lua_gettop(L), function, is_creation);
        lua_setfield(L, fields, key);
    }
    for (int i = 0; is_creation && i < TS_WIDGET_FIELD_COUNT; i++) {
        const struct ts_widget_rule *rule = ts_widget_rule_of((enum ts_widget_field)i);
        if (rule->is_required && lua_getfield(L, fields, rule->name) == LUA_TNIL) {
            lx_misuse(L, "%s: `%s` is missing", function, rule->name);
        }
        lua_settop(L, fields);
    }
}

bool lx_is_any_hostname(lua_State *L, int idx)
{
    bool is_open = lua_getfield(L, idx, "domains") == LUA_TTABLE && lua_rawlen(L, -1) == 0;
    lua_pop(L, 1);
    return is_open;
}
