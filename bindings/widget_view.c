// SPDX-License-Identifier: MIT
// Reads raw, as the table is, and takes nothing that it does not understand.
#include "bindings/widget_view.h"

#include <string.h>

#include <lauxlib.h>

#include "bindings/widget_words.h"

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
static void view_read_domains(lua_State *L, int idx, int words, struct lx_view *view, size_t more)
{
    push_member_name(L, words, TS_WIDGET_DOMAINS);
    int type = lua_rawget(L, idx);
    int list = lua_gettop(L);
    size_t count = type == LUA_TTABLE ? lua_rawlen(L, list) : 0;
    struct lx_names *domains = &view->fields.domains;
    size_t room = 3 * count + more;
    domains->names =
        room <= LX_VIEW_FEW ? view->few : lua_newuserdatauv(L, room * sizeof *domains->names, 0);
    view->spare = domains->names + count;
    luaL_checkstack(L, (int)count + LUA_MINSTACK, "too many domains");
    if (type == LUA_TTABLE && list_read(L, list, domains->names, count)) {
        domains->count = count;
        view->fields.there |= LX_DOMAINS_BIT;
    } else if (type != LUA_TNIL) {
        view->fields.odd |= LX_DOMAINS_BIT;
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

// Domains first: only their array may need memory, so that the fields are read without a finalizer
// in between.
void lx_view_read(lua_State *L, int idx, unsigned bits, size_t more, struct lx_view *view)
{
    view->fields = (struct lx_fields){0};
    view->spare = view->few;
    luaL_checkstack(L, LUA_MINSTACK, NULL);
    push_words(L);
    int words = lua_gettop(L);
    if (bits & LX_DOMAINS_BIT) {
        view_read_domains(L, idx, words, view, more);
    }
    for (int i = 0; i < TS_WIDGET_FIELD_COUNT; i++) {
        if (bits & ~(unsigned)LX_DOMAINS_BIT & 1u << i) {
            push_member_name(L, words, i);
            lua_rawget(L, idx);
            view_take(L, &view->fields, (enum ts_widget_field)i);
        }
    }
}

void lx_view_normalise(lua_State *L, struct lx_view *view)
{
    struct lx_names set = {.names = view->spare};
    view->spare += view->fields.domains.count;
    lx_names_normalise(L, &view->fields.domains, &set);
    view->fields.domains = set;
}
