// SPDX-License-Identifier: MIT
// Arrays of pointers into Lua's strings, in userdata. Lists of domains come sorted from the
// service, so most of the sorting is a look that nothing is to be done.
#include "bindings/name_set.h"

#include <stdlib.h>
#include <string.h>

#include "host/api/widget.h"

static struct lx_name_set *push_empty(lua_State *L, size_t room)
{
    struct lx_name_set *set = lua_newuserdatauv(L, sizeof *set + room * sizeof set->names[0], 1);
    set->count = 0;
    return set;
}

// Lower case, and nothing that normalising could change.
static bool is_normal(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
                c == '_')) {
            return false;
        }
    }
    return len > 0 && text[len - 1] != '.';
}

// The normal form of the string at the top; one that is another string is kept by the set at idx.
static const char *name_of(lua_State *L, int set)
{
    char name[TS_WIDGET_DOMAIN_MAX + 1];
    size_t len;
    const char *text = lua_tolstring(L, -1, &len);
    if (is_normal(text, len) || ts_domain_normalise(text, len, name, NULL)) {
        return text;
    }
    if (lua_getiuservalue(L, set, 1) != LUA_TTABLE) {
        lua_pop(L, 1);
        lua_newtable(L);
        lua_pushvalue(L, -1);
        lua_setiuservalue(L, set, 1);
    }
    text = lua_pushstring(L, name);
    lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
    lua_pop(L, 1);
    return text;
}

static int name_compare(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void set_sort(struct lx_name_set *set)
{
    size_t sorted = 1, kept = 1;
    while (sorted < set->count && strcmp(set->names[sorted - 1], set->names[sorted]) < 0) {
        sorted++;
    }
    if (sorted >= set->count) {
        return;
    }
    qsort(set->names, set->count, sizeof set->names[0], name_compare);
    for (size_t i = 1; i < set->count; i++) {
        if (strcmp(set->names[kept - 1], set->names[i]) != 0) {
            set->names[kept++] = set->names[i];
        }
    }
    set->count = kept;
}

struct lx_name_set *push_name_set(lua_State *L, int idx)
{
    size_t count = lua_istable(L, idx) ? lua_rawlen(L, idx) : 0;
    struct lx_name_set *set = push_empty(L, count);
    int box = lua_gettop(L);
    for (size_t i = 1; i <= count; i++) {
        if (lua_rawgeti(L, idx, (lua_Integer)i) == LUA_TSTRING) {
            set->names[set->count++] = name_of(L, box);
        }
        lua_pop(L, 1);
    }
    set_sort(set);
    return set;
}

// Whether *next is the name, or would come before it: then it is passed over.
static bool has_next(const struct lx_name_set *set, size_t *next, const char *name)
{
    int order = 1;
    while (*next < set->count && (order = strcmp(set->names[*next], name)) < 0) {
        (*next)++;
    }
    return *next < set->count && order == 0;
}

struct lx_name_set *push_name_merge(lua_State *L, const struct lx_name_set *set,
    const struct lx_name_set *added, const struct lx_name_set *removed)
{
    struct lx_name_set *merged = push_empty(L, set->count + added->count);
    size_t a = 0, b = 0, out = 0;
    while (a < set->count || b < added->count) {
        int order = a == set->count     ? 1
                    : b == added->count ? -1
                                        : strcmp(set->names[a], added->names[b]);
        const char *name = order <= 0 ? set->names[a] : added->names[b];
        bool is_added = order >= 0;
        a += order <= 0;
        b += order >= 0;
        if (is_added || !has_next(removed, &out, name)) {
            merged->names[merged->count++] = name;
        }
    }
    return merged;
}

bool lx_name_set_is_same(const struct lx_name_set *a, const struct lx_name_set *b)
{
    if (a->count != b->count) {
        return false;
    }
    for (size_t i = 0; i < a->count; i++) {
        if (strcmp(a->names[i], b->names[i]) != 0) {
            return false;
        }
    }
    return true;
}

void push_name_list(lua_State *L, const struct lx_name_set *set)
{
    lua_createtable(L, (int)set->count, 0);
    for (size_t i = 0; i < set->count; i++) {
        lua_pushstring(L, set->names[i]);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
}
