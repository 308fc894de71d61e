// SPDX-License-Identifier: MIT
// Widgets that came back: merging changes, telling conflicts, writing the body.
// The server wants the whole body in an update, so what was not named is sent as it is.
#include <string.h>

#include <lauxlib.h>

#include "bindings/widget.h"
#include "bindings/widget_words.h"
#include "host/base/str.h"

enum {
    FEW = 96, // names that need no memory of their own
    ALL_FIELDS = (1 << TS_WIDGET_FIELD_COUNT) - 1,
    DOMAINS_BIT = 1 << TS_WIDGET_DOMAINS,
};

// A widget's fields as its table has them. Their strings are pushed and stay on the stack: wherever
// memory is asked for, a finalizer of the script's may run and change the table. The array of names
// is here while they are few, else in a userdata that is pushed.
struct view {
    struct lx_fields fields;
    const char **spare; // room for the names twice more, and for those that come in addition
    const char *few[FEW];
};

void lx_check_body(lua_State *L, enum ts_err code)
{
    if (code == TS_ERR_NOMEM) {
        luaL_error(L, "not enough memory");
    } else if (code) {
        lx_misuse(L, "the request is larger than 1 MiB");
    }
}

static bool is_c_string(lua_State *L, int idx)
{
    return lua_type(L, idx) == LUA_TSTRING && strlen(lua_tostring(L, idx)) == lua_rawlen(L, idx);
}

// Fills the array with the names of the list at idx, as they are, and leaves them on the stack;
// whether it is that and nothing else: what is not understood would be dropped from the body, and a
// list of domains that comes out empty admits any hostname.
static bool list_read(lua_State *L, int idx, const char **names, size_t count)
{
    size_t met = 0;
    for (lua_pushnil(L); lua_next(L, idx); lua_insert(L, -2)) { // each name under the key
        lua_Unsigned place = lua_isinteger(L, -2) ? (lua_Unsigned)lua_tointeger(L, -2) : 0;
        if (place < 1 || place > count || !is_c_string(L, -1)) {
            lua_pop(L, 2);
            return false;
        }
        names[place - 1] = lua_tostring(L, -1);
        met++;
    }
    return met == count;
}

// The domains of the widget at idx. `more` names may be added to them.
static void view_read_domains(lua_State *L, int idx, int words, struct view *view, size_t more)
{
    push_member_name(L, words, TS_WIDGET_DOMAINS);
    int type = lua_rawget(L, idx);
    int list = lua_gettop(L);
    size_t count = type == LUA_TTABLE ? lua_rawlen(L, list) : 0;
    struct lx_names *domains = &view->fields.domains;
    size_t room = 3 * count + more;
    domains->names =
        room <= FEW ? view->few : lua_newuserdatauv(L, room * sizeof *domains->names, 0);
    view->spare = domains->names + count;
    luaL_checkstack(L, (int)count + LUA_MINSTACK, "too many domains");
    if (type == LUA_TTABLE && list_read(L, list, domains->names, count)) {
        domains->count = count;
        view->fields.there |= DOMAINS_BIT;
    } else if (type != LUA_TNIL) {
        view->fields.odd |= DOMAINS_BIT;
    }
}

// The value on top, as that field. A text stays there.
static void view_take(lua_State *L, struct lx_fields *fields, enum ts_widget_field field)
{
    int type = lua_type(L, -1);
    bool is_text = ts_widget_rule_of(field)->kind == TS_WIDGET_TEXT;
    bool is_good = type == (is_text ? LUA_TSTRING : LUA_TBOOLEAN);
    fields->there |= (unsigned)is_good << field;
    fields->odd |= (unsigned)(!is_good && type != LUA_TNIL) << field;
    if (is_good && is_text) {
        fields->texts[field].text = lua_tolstring(L, -1, &fields->texts[field].len);
        return;
    }
    fields->truths |= (unsigned)(is_good && lua_toboolean(L, -1)) << field;
    lua_pop(L, 1);
}

// Reads those fields of the widget at idx whose bits are set. Domains first: only their array may
// need memory, so that the fields are read without a finalizer in between.
static void view_read(lua_State *L, int idx, unsigned bits, size_t more, struct view *view)
{
    view->fields = (struct lx_fields){0};
    view->spare = view->few;
    luaL_checkstack(L, LUA_MINSTACK, NULL);
    push_words(L);
    int words = lua_gettop(L);
    if (bits & DOMAINS_BIT) {
        view_read_domains(L, idx, words, view, more);
    }
    for (int i = 0; i < TS_WIDGET_FIELD_COUNT; i++) {
        if (bits & ~(unsigned)DOMAINS_BIT & 1u << i) {
            push_member_name(L, words, i);
            lua_rawget(L, idx);
            view_take(L, &view->fields, (enum ts_widget_field)i);
        }
    }
}

// Makes the domains a set, to be compared.
static void view_normalise(lua_State *L, struct view *view)
{
    struct lx_names set = {.names = view->spare};
    view->spare += view->fields.domains.count;
    lx_names_normalise(L, &view->fields.domains, &set);
    view->fields.domains = set;
}

static bool is_same_value(
    const struct lx_fields *a, const struct lx_fields *b, enum ts_widget_field field)
{
    unsigned bit = 1u << field;
    const struct lx_text *one = &a->texts[field], *other = &b->texts[field];
    if ((a->odd ^ b->odd) & bit) {
        return false;
    }
    switch (ts_widget_rule_of(field)->kind) {
    case TS_WIDGET_LIST:
        return lx_names_is_same(&a->domains, &b->domains);
    case TS_WIDGET_BOOLEAN:
        return !((a->there ^ b->there) & bit) && !((a->truths ^ b->truths) & bit);
    default:
        return !((a->there ^ b->there) & bit) && one->len == other->len &&
               (one->len == 0 || memcmp(one->text, other->text, one->len) == 0);
    }
}

// Those of the fields whose bits are set that are not the same. Domains are compared as sets.
static unsigned fields_differing(
    const struct lx_fields *a, const struct lx_fields *b, unsigned bits)
{
    for (int i = 0; i < TS_WIDGET_FIELD_COUNT; i++) {
        if (bits & 1u << i && is_same_value(a, b, (enum ts_widget_field)i)) {
            bits &= ~(1u << i);
        }
    }
    return bits;
}

bool lx_is_any_hostname(const struct lx_fields *fields)
{
    return fields->there & DOMAINS_BIT && fields->domains.count == 0;
}

static enum ts_err body_add_field(
    struct ts_widget_body *body, const struct lx_fields *fields, enum ts_widget_field field)
{
    const struct ts_widget_rule *rule = ts_widget_rule_of(field);
    const struct lx_text *text = &fields->texts[field];
    switch (rule->kind) {
    case TS_WIDGET_LIST:
        return ts_widget_body_add_list(
            body, rule->name, fields->domains.names, fields->domains.count);
    case TS_WIDGET_BOOLEAN:
        return ts_widget_body_add_bool(body, rule->name, fields->truths & 1u << field);
    default:
        return ts_widget_body_add_text(body, rule->name, text->text, text->len);
    }
}

void lx_add_fields(lua_State *L, const struct lx_fields *fields, struct ts_widget_body *body)
{
    for (int i = 0; i < TS_WIDGET_FIELD_COUNT; i++) {
        if (fields->there & 1u << i) {
            lx_check_body(L, body_add_field(body, fields, (enum ts_widget_field)i));
        }
    }
    lx_check_body(L, ts_widget_body_end(body));
}

// Puts the changes over what was read.
static void view_change(
    const struct view *view, const struct lx_changes *changes, struct lx_fields *out)
{
    const struct lx_fields *fields = &changes->fields;
    unsigned named = fields->there;
    *out = view->fields;
    out->there |= named;
    out->odd &= ~named;
    out->truths = (out->truths & ~named) | fields->truths;
    for (int i = 0; i < TS_WIDGET_FIELD_COUNT; i++) {
        if (named & 1u << i) {
            out->texts[i] = fields->texts[i];
        }
    }
    if (named & DOMAINS_BIT && changes->is_relative) {
        out->domains.names = view->spare;
        lx_names_merge(&view->fields.domains, &changes->lists[LX_ADDED],
            &changes->lists[LX_REMOVED], &out->domains);
    } else if (named & DOMAINS_BIT) {
        out->domains = fields->domains;
    }
}

// The name of a field that cannot be sent back: a required one that is not there, or one that is in
// a form that is not known. NULL when there is none.
static const char *unfit_field(const struct lx_fields *fields)
{
    for (int i = 0; i < TS_WIDGET_FIELD_COUNT; i++) {
        const struct ts_widget_rule *rule = ts_widget_rule_of((enum ts_widget_field)i);
        if (fields->odd & 1u << i || (rule->is_required && !(fields->there & 1u << i))) {
            return rule->name;
        }
    }
    return NULL;
}

void lx_merge(lua_State *L, int idx, const struct lx_changes *changes, struct ts_widget_body *body,
    struct lx_merged *out)
{
    int top = lua_gettop(L);
    struct view view;
    struct lx_fields merged;
    unsigned named = changes->fields.there;
    unsigned bits = body ? ALL_FIELDS & ~(1u << TS_WIDGET_REGION) : named; // fixed: never sent
    view_read(L, idx, bits, changes->lists[LX_ADDED].count, &view);
    bool was_open = lx_is_any_hostname(&view.fields);
    if (named & DOMAINS_BIT) {
        view_normalise(L, &view);
    }
    view_change(&view, changes, &merged);
    *out = (struct lx_merged){
        .changed = fields_differing(&view.fields, &merged, named),
        .unfit = body ? unfit_field(&view.fields) : NULL,
        .is_opened = lx_is_any_hostname(&merged) && !was_open,
    };
    if (body && out->changed && !out->unfit) {
        lx_add_fields(L, &merged, body);
    }
    lua_settop(L, top);
}

const char *lx_stale_field(
    lua_State *L, int base, int live, const struct lx_changes *changes, unsigned but)
{
    int top = lua_gettop(L);
    struct view old, now;
    unsigned bits = changes->fields.there & ~but;
    if (changes->is_relative) {
        bits &= ~(unsigned)DOMAINS_BIT;
    }
    view_read(L, base, bits, 0, &old);
    view_read(L, live, bits, 0, &now);
    view_normalise(L, &old);
    view_normalise(L, &now);
    bits = fields_differing(&old.fields, &now.fields, bits);
    bits = fields_differing(&changes->fields, &now.fields, bits);
    lua_settop(L, top);
    for (int i = 0; i < TS_WIDGET_FIELD_COUNT; i++) {
        if (bits & 1u << i) {
            return ts_widget_rule_of((enum ts_widget_field)i)->name;
        }
    }
    return NULL;
}
