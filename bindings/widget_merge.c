// SPDX-License-Identifier: MIT
// Widgets that came back: merging changes, telling conflicts, writing the body.
// The server wants the whole body in an update, so what was not named is sent as it is.
#include <string.h>

#include <lauxlib.h>

#include "bindings/image.h"
#include "bindings/widget_view.h"

void lx_check_body(lua_State *L, enum ts_err code)
{
    if (code == TS_ERR_NOMEM) {
        luaL_error(L, "not enough memory");
    } else if (code) {
        lx_misuse(L, "the request is larger than 1 MiB");
    }
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
    return fields->there & LX_DOMAINS_BIT && fields->domains.count == 0;
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

enum ts_err lx_fields_write(const struct lx_fields *fields, struct ts_widget_body *body)
{
    enum ts_err code = TS_OK;
    for (int i = 0; !code && i < TS_WIDGET_FIELD_COUNT; i++) {
        if (fields->there & 1u << i) {
            code = body_add_field(body, fields, (enum ts_widget_field)i);
        }
    }
    return code;
}

void lx_add_fields(lua_State *L, const struct lx_fields *fields, struct ts_widget_body *body)
{
    enum ts_err code = lx_fields_write(fields, body);
    lx_check_body(L, code ? code : ts_widget_body_end(body));
}

// Puts the changes over what was read.
static void view_change(
    const struct lx_view *view, const struct lx_changes *changes, struct lx_fields *out)
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
    if (named & LX_DOMAINS_BIT && changes->is_relative) {
        out->domains.names = view->spare;
        lx_names_merge(&view->fields.domains, &changes->lists[LX_ADDED],
            &changes->lists[LX_REMOVED], &out->domains);
    } else if (named & LX_DOMAINS_BIT) {
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
    struct lx_image *before, struct lx_merged *out)
{
    int top = lua_gettop(L);
    struct lx_view view;
    struct lx_fields merged;
    unsigned named = changes->fields.there;
    unsigned bits = body ? LX_ALL_FIELDS & ~(1u << TS_WIDGET_REGION) : named; // fixed: never sent
    lx_view_read(L, idx, bits, changes->lists[LX_ADDED].count, &view);
    bool was_open = lx_is_any_hostname(&view.fields);
    if (named & LX_DOMAINS_BIT) {
        lx_view_normalise(L, &view);
    }
    view_change(&view, changes, &merged);
    *out = (struct lx_merged){
        .changed = fields_differing(&view.fields, &merged, named),
        .unfit = body ? unfit_field(&view.fields) : NULL,
        .is_opened = lx_is_any_hostname(&merged) && !was_open,
    };
    if (body && out->changed && !out->unfit) {
        lx_add_fields(L, &merged, body);
        lx_image_take_fields(L, idx, &view.fields, before);
    }
    lua_settop(L, top);
}

const char *lx_stale_field(
    lua_State *L, int base, int live, const struct lx_changes *changes, unsigned but)
{
    int top = lua_gettop(L);
    struct lx_view old, now;
    unsigned bits = changes->fields.there & ~but;
    if (changes->is_relative) {
        bits &= ~(unsigned)LX_DOMAINS_BIT;
    }
    lx_view_read(L, base, bits, 0, &old);
    lx_view_read(L, live, bits, 0, &now);
    lx_view_normalise(L, &old);
    lx_view_normalise(L, &now);
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
