// SPDX-License-Identifier: MIT
// Checking and normalising the fields that scripts pass, before anything is sent: from Lua tables
// into plain values in one userdata. The rules themselves are host/api/widget.c.
#include "bindings/widget.h"

#include <string.h>

#include <lauxlib.h>

#include "bindings/spare.h"
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

// Changes in the making. The bytes of texts and names lie one after the other behind the struct,
// which grows by being copied into a larger userdata at the same index; pointers are set last. Most
// do not grow, and their userdata are used again.
struct draft {
    lua_State *L;
    const char *function; // for messages
    bool is_creation;
    int idx;
    struct lx_changes *changes;
    size_t used, cap;
    size_t texts[TS_WIDGET_FIELD_COUNT]; // where each begins
    size_t lists[LX_LIST_COUNT];         // where the names of each begin
};

enum { DRAFT_ROOM = 256 };

#define CHANGES "turnstile.changes" // those that have not grown

static int changes__gc(lua_State *L)
{
    struct lx_changes *changes = lua_touserdata(L, 1);
    lx_hold_end(&changes->hold);
    return 0;
}

static int changes__close(lua_State *L)
{
    struct lx_changes *changes = lua_touserdata(L, 1);
    lx_hold_end(&changes->hold);
    lx_spare_add(L, 1, LX_SPARE_CHANGES, &changes->is_spare);
    return 0;
}

void lx_open_changes(lua_State *L)
{
    static const luaL_Reg metamethods[] = {
        {"__gc", changes__gc}, {"__close", changes__close}, {NULL, NULL}};
    lx_metatable(L, CHANGES, NULL, metamethods, NULL);
}

static char *draft_bytes(const struct draft *draft)
{
    return (char *)(draft->changes + 1);
}

static void draft_begin(struct draft *draft)
{
    draft->cap = DRAFT_ROOM;
    draft->changes =
        push_spare(draft->L, LX_SPARE_CHANGES, sizeof *draft->changes + draft->cap, CHANGES);
    draft->idx = lua_gettop(draft->L);
}

// Room for that many bytes more.
static char *draft_reserve(struct draft *draft, size_t size)
{
    if (size > draft->cap - draft->used) {
        draft->cap = 2 * draft->cap + size;
        struct lx_changes *larger = lua_newuserdatauv(draft->L, sizeof *larger + draft->cap, 0);
        memcpy(larger, draft->changes, sizeof *larger + draft->used);
        lx_hold_tie(draft->L);
        draft->changes = larger;
        lua_replace(draft->L, draft->idx);
    }
    return draft_bytes(draft) + draft->used;
}

// Adds the bytes of a text; where they begin.
static size_t draft_add_text(struct draft *draft, const char *text, size_t len)
{
    size_t begin = draft->used;
    char *room = draft_reserve(draft, len + 1);
    memcpy(room, text, len);
    room[len] = '\0';
    draft->used += len + 1;
    return begin;
}

static void draft_complain_list(const struct draft *draft)
{
    lx_misuse(draft->L, "%s: domains must be a list without gaps or named keys", draft->function);
}

// The domain on top, which stands at that place of its list.
static void draft_add_domain(struct draft *draft, lua_Integer place)
{
    lua_State *L = draft->L;
    struct ts_error err;
    size_t len;
    if (lua_type(L, -1) != LUA_TSTRING) {
        lx_misuse(L, "%s: domain %d must be a string, is a %s", draft->function, (int)place,
            luaL_typename(L, -1));
    }
    const char *text = lua_tolstring(L, -1, &len);
    char name[TS_WIDGET_DOMAIN_MAX + 1];
    if (ts_domain_normalise(text, len, name, &err)) {
        lx_misuse(L, "%s: %s", draft->function, err.message);
    }
    draft_add_text(draft, name, strlen(name));
}

static void draft_add_domains(struct draft *draft, int idx, enum lx_list list)
{
    lua_State *L = draft->L;
    if (!lua_istable(L, idx)) {
        lx_misuse(L, "%s: domains must be a list of hostnames, is a %s", draft->function,
            luaL_typename(L, idx));
    }
    size_t count = 0, len = lua_rawlen(L, idx);
    draft->lists[list] = draft->used;
    for (lua_pushnil(L); lua_next(L, idx); lua_pop(L, 1)) {
        lua_Unsigned place = lua_isinteger(L, -2) ? (lua_Unsigned)lua_tointeger(L, -2) : 0;
        if (place < 1 || place > len) {
            draft_complain_list(draft);
        }
        draft_add_domain(draft, (lua_Integer)place);
        count++;
    }
    if (count != len) {
        draft_complain_list(draft);
    }
    draft->changes->lists[list].count = count;
}

// domains = { add = {...}, remove = {...} }
static void draft_add_domain_changes(struct draft *draft, int idx)
{
    static const char *const names[] = {[LX_ADDED] = "add", [LX_REMOVED] = "remove", NULL};
    lua_State *L = draft->L;
    draft->changes->is_relative = true;
    for (lua_pushnil(L); lua_next(L, idx); lua_pop(L, 1)) {
        const char *key = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "";
        if (ts_str_is(key, names[LX_ADDED])) {
            draft_add_domains(draft, lua_gettop(L), LX_ADDED);
        } else if (ts_str_is(key, names[LX_REMOVED])) {
            draft_add_domains(draft, lua_gettop(L), LX_REMOVED);
        } else {
            check_options(L, idx, draft->function, names, false); // raises, with a suggestion
        }
    }
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

static void draft_add_text_field(struct draft *draft, enum ts_widget_field field, int idx)
{
    lua_State *L = draft->L;
    struct ts_error err;
    size_t len;
    const char *text = lua_tolstring(L, idx, &len);
    if (ts_widget_check_text(field, text, len, &err)) {
        lx_misuse(L, "%s: %s", draft->function, err.message);
    }
    draft->texts[field] = draft_add_text(draft, text, len);
    draft->changes->fields.texts[field].len = len;
}

static void draft_check_type(const struct draft *draft, int idx, int type, const char *field)
{
    if (lua_type(draft->L, idx) != type) {
        lx_misuse(draft->L, "%s: `%s` must be a %s, is a %s", draft->function, field,
            lua_typename(draft->L, type), luaL_typename(draft->L, idx));
    }
}

// The value at idx, for that field.
static void draft_add_field(struct draft *draft, enum ts_widget_field field, int idx)
{
    const struct ts_widget_rule *rule = ts_widget_rule_of(field);
    switch (rule->kind) {
    case TS_WIDGET_LIST:
        if (!draft->is_creation && is_change_table(draft->L, idx)) {
            draft_add_domain_changes(draft, idx);
        } else {
            draft_add_domains(draft, idx, LX_ADDED);
        }
        break;
    case TS_WIDGET_BOOLEAN:
        draft_check_type(draft, idx, LUA_TBOOLEAN, rule->name);
        draft->changes->fields.truths |= (unsigned)lua_toboolean(draft->L, idx) << field;
        break;
    case TS_WIDGET_TEXT:
        draft_check_type(draft, idx, LUA_TSTRING, rule->name);
        draft_add_text_field(draft, field, idx);
    }
    draft->changes->fields.there |= 1u << field;
}

// Sets the pointers, now that nothing moves any more.
static void draft_end(struct draft *draft)
{
    size_t count = draft->changes->lists[LX_ADDED].count + draft->changes->lists[LX_REMOVED].count;
    size_t gap = -draft->used % sizeof(char *);
    const char **names =
        (const char **)(void *)(draft_reserve(draft, gap + count * sizeof *names) + gap);
    char *bytes = draft_bytes(draft);
    struct lx_changes *changes = draft->changes;
    for (int field = 0; field < TS_WIDGET_FIELD_COUNT; field++) {
        changes->fields.texts[field].text = bytes + draft->texts[field];
    }
    for (int list = 0; list < LX_LIST_COUNT; list++) {
        struct lx_names *set = &changes->lists[list];
        const char *name = bytes + draft->lists[list];
        set->names = names;
        for (size_t i = 0; i < set->count; i++, name += strlen(name) + 1) {
            *names++ = name;
        }
        lx_names_sort(set);
    }
    changes->fields.domains = changes->lists[LX_ADDED];
}

// Misuse when a name is both added and removed: which was meant?
static void check_no_overlap(const struct draft *draft)
{
    const struct lx_names *lists = draft->changes->lists;
    const char *name = lx_names_common(&lists[LX_ADDED], &lists[LX_REMOVED]);
    if (name) {
        lx_misuse(draft->L, "%s: domain \"%s\" is both added and removed", draft->function, name);
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

struct lx_changes *push_changes(lua_State *L, int arg, const char *function, bool is_creation)
{
    check_dot(L, arg, function);
    if (!lua_istable(L, arg)) {
        lx_misuse(L, "%s: a table of fields expected, got %s", function, luaL_typename(L, arg));
    }
    struct draft draft = {.L = L, .function = function, .is_creation = is_creation};
    draft_begin(&draft);
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
        draft_add_field(&draft, field, lua_gettop(L));
    }
    for (int i = 0; is_creation && i < TS_WIDGET_FIELD_COUNT; i++) {
        const struct ts_widget_rule *rule = ts_widget_rule_of((enum ts_widget_field)i);
        if (rule->is_required && !(draft.changes->fields.there & 1u << i)) {
            lx_misuse(L, "%s: `%s` is missing", function, rule->name);
        }
    }
    draft_end(&draft);
    check_no_overlap(&draft);
    return draft.changes;
}
