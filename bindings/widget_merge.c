// SPDX-License-Identifier: MIT
// Widgets that came back: merging changes, telling conflicts, writing the body.
// The server wants the whole body in an update, so what was not named is sent as it is.
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "bindings/name_set.h"
#include "bindings/widget.h"
#include "host/base/str.h"

void lx_check_body(lua_State *L, enum ts_err code)
{
    if (code == TS_ERR_NOMEM) {
        luaL_error(L, "not enough memory");
    } else if (code) {
        lx_misuse(L, "the request is larger than 1 MiB");
    }
}

// The list at idx as C strings in a userdata, which it pushes; the strings stay the list's.
static const char **push_items(lua_State *L, int idx, size_t *count)
{
    *count = lua_rawlen(L, idx);
    const char **items = lua_newuserdatauv(L, (*count + 1) * sizeof *items, 0);
    size_t kept = 0;
    for (size_t i = 1; i <= *count; i++) {
        if (lua_rawgeti(L, idx, (lua_Integer)i) == LUA_TSTRING) {
            items[kept++] = lua_tostring(L, -1);
        }
        lua_pop(L, 1);
    }
    *count = kept;
    return items;
}

static void add_field(lua_State *L, const struct ts_widget_rule *rule, struct ts_widget_body *body)
{
    size_t len, count;
    int value = lua_gettop(L);
    switch (rule->kind) {
    case TS_WIDGET_LIST:
        if (lua_istable(L, value)) {
            const char **items = push_items(L, value, &count);
            lx_check_body(L, ts_widget_body_add_list(body, rule->name, items, count));
        }
        break;
    case TS_WIDGET_BOOLEAN:
        if (lua_isboolean(L, value)) {
            lx_check_body(L, ts_widget_body_add_bool(body, rule->name, lua_toboolean(L, value)));
        }
        break;
    case TS_WIDGET_TEXT:
        if (lua_type(L, value) == LUA_TSTRING) {
            const char *text = lua_tolstring(L, value, &len);
            lx_check_body(L, ts_widget_body_add_text(body, rule->name, text, len));
        }
    }
}

void lx_add_fields(lua_State *L, int idx, struct ts_widget_body *body)
{
    lx_check_body(L, ts_widget_body_init(body));
    int top = lua_gettop(L);
    for (int i = 0; i < TS_WIDGET_FIELD_COUNT; i++) {
        const struct ts_widget_rule *rule = ts_widget_rule_of((enum ts_widget_field)i);
        lua_getfield(L, idx, rule->name);
        add_field(L, rule, body);
        lua_settop(L, top);
    }
    lx_check_body(L, ts_widget_body_end(body));
}

// Whether the normalised value at idx replaces the domains, and does not change them.
static bool is_whole_list(lua_State *L, int idx)
{
    if (lua_rawlen(L, idx) > 0) {
        return true;
    }
    lua_pushnil(L);
    bool is_empty = !lua_next(L, idx);
    if (!is_empty) {
        lua_pop(L, 2);
    }
    return is_empty;
}

// Pushes the merged domains, sorted, so that equal sets make equal bodies; whether they differ from
// the widget's.
static bool push_merged_domains(lua_State *L, int before, int changes)
{
    int top = lua_gettop(L);
    struct lx_name_set *old = push_name_set(L, before), *new;
    if (is_whole_list(L, changes)) {
        new = push_name_set(L, changes);
    } else {
        lua_getfield(L, changes, "add");
        struct lx_name_set *added = push_name_set(L, lua_gettop(L));
        lua_getfield(L, changes, "remove");
        struct lx_name_set *removed = push_name_set(L, lua_gettop(L));
        new = push_name_merge(L, old, added, removed);
    }
    bool is_changed = !lx_name_set_is_same(old, new);
    push_name_list(L, new);
    lua_replace(L, top + 1);
    lua_settop(L, top + 1);
    return is_changed;
}

static bool is_same_set(lua_State *L, int a, int b)
{
    int top = lua_gettop(L);
    const struct lx_name_set *one = push_name_set(L, a);
    bool is_same = lx_name_set_is_same(one, push_name_set(L, b));
    lua_settop(L, top);
    return is_same;
}

lua_Integer lx_named_fields(lua_State *L, int idx)
{
    lua_Integer fields = 0;
    for (int i = 0; i < TS_WIDGET_FIELD_COUNT; i++) {
        if (lua_getfield(L, idx, ts_widget_rule_of((enum ts_widget_field)i)->name) != LUA_TNIL) {
            fields |= (lua_Integer)1 << i;
        }
        lua_pop(L, 1);
    }
    return fields;
}

// Whether a field's values at the two indices are the same.
static bool is_same_value(lua_State *L, const struct ts_widget_rule *rule, int a, int b)
{
    return rule->kind == TS_WIDGET_LIST ? is_same_set(L, a, b) : lua_rawequal(L, a, b);
}

const char *lx_stale_field(lua_State *L, int base, int live, int changes, lua_Integer but)
{
    const char *stale = NULL;
    int top = lua_gettop(L);
    for (int i = 0; i < TS_WIDGET_FIELD_COUNT && !stale; i++) {
        const struct ts_widget_rule *rule = ts_widget_rule_of((enum ts_widget_field)i);
        bool is_named = lua_getfield(L, changes, rule->name) != LUA_TNIL; // top + 1
        bool is_relative = is_named && rule->kind == TS_WIDGET_LIST && !is_whole_list(L, top + 1);
        lua_getfield(L, base, rule->name); // top + 2
        lua_getfield(L, live, rule->name); // top + 3
        if (is_named && !is_relative && !(but & (lua_Integer)1 << i) &&
            !is_same_value(L, rule, top + 2, top + 3) &&
            !is_same_value(L, rule, top + 1, top + 3)) {
            stale = rule->name;
        }
        lua_settop(L, top);
    }
    return stale;
}

static bool is_name_list(lua_State *L, int idx)
{
    lua_Unsigned names = 0;
    for (lua_pushnil(L); lua_next(L, idx); lua_pop(L, 1)) {
        if (lua_type(L, -1) != LUA_TSTRING || strlen(lua_tostring(L, -1)) != lua_rawlen(L, -1)) {
            lua_pop(L, 2);
            return false;
        }
        names++;
    }
    return names == lua_rawlen(L, idx);
}

// Whether the field as read can be sent back: required ones must be there, and each in a form that
// is known. What is not understood would be dropped from the body, and a list of domains that comes
// out empty admits any hostname.
static bool is_returnable(lua_State *L, int idx, const struct ts_widget_rule *rule)
{
    if (lua_isnil(L, idx)) {
        return !rule->is_required;
    }
    switch (rule->kind) {
    case TS_WIDGET_LIST:
        return lua_istable(L, idx) && is_name_list(L, idx);
    case TS_WIDGET_BOOLEAN:
        return lua_isboolean(L, idx);
    default:
        return lua_type(L, idx) == LUA_TSTRING;
    }
}

bool push_merged(lua_State *L, int widget, int changes, const char **unfit)
{
    bool is_changed = false;
    *unfit = NULL;
    lua_createtable(L, 0, TS_WIDGET_FIELD_COUNT);
    int merged = lua_gettop(L);
    for (int i = 0; i < TS_WIDGET_FIELD_COUNT; i++) {
        const struct ts_widget_rule *rule = ts_widget_rule_of((enum ts_widget_field)i);
        if (rule->is_fixed) {
            continue;
        }
        lua_getfield(L, widget, rule->name);
        int before = lua_gettop(L);
        if (!is_returnable(L, before, rule)) {
            *unfit = rule->name;
        }
        if (lua_getfield(L, changes, rule->name) == LUA_TNIL) {
            lua_pop(L, 1);
        } else if (rule->kind == TS_WIDGET_LIST) {
            is_changed = push_merged_domains(L, before, lua_gettop(L)) || is_changed;
        } else {
            is_changed = !lua_rawequal(L, before, -1) || is_changed;
        }
        lua_setfield(L, merged, rule->name);
        lua_settop(L, merged);
    }
    return is_changed;
}
