// SPDX-License-Identifier: MIT
// Arrays of pointers to names. Lists of domains come sorted from the service, so most of the
// sorting is a look that nothing is to be done.
#include "bindings/name_set.h"

#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "host/api/widget.h"
#include "host/base/chars.h"

static int name_compare(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void lx_names_sort(struct lx_names *list)
{
    const char **names = list->names;
    size_t sorted = 1, kept = 1;
    while (sorted < list->count && strcmp(names[sorted - 1], names[sorted]) < 0) {
        sorted++;
    }
    if (sorted >= list->count) {
        return;
    }
    qsort(names, list->count, sizeof names[0], name_compare);
    for (size_t i = 1; i < list->count; i++) {
        if (strcmp(names[kept - 1], names[i]) != 0) {
            names[kept++] = names[i];
        }
    }
    list->count = kept;
}

// Lower case, and nothing that normalising could change.
static bool is_normal(const char *text, size_t len)
{
    size_t i = 0;
    while (i < len) {
        size_t label_len = ts_chars_span(text + i, len - i, TS_CHARS_LOWER_WORD);
        i += label_len;
        if (label_len == 0 || (i < len && text[i++] != '.')) {
            return false;
        }
    }
    return len > 0 && text[len - 1] != '.';
}

void lx_names_normalise(lua_State *L, const struct lx_names *list, struct lx_names *set)
{
    set->count = list->count;
    for (size_t i = 0; i < list->count; i++) {
        char name[TS_WIDGET_DOMAIN_MAX + 1];
        const char *text = list->names[i];
        size_t len = strlen(text);
        set->names[i] = text;
        if (!is_normal(text, len) && !ts_domain_normalise(text, len, name, NULL)) {
            luaL_checkstack(L, LUA_MINSTACK, "too many domains");
            set->names[i] = lua_pushstring(L, name);
        }
    }
    lx_names_sort(set);
}

// Whether *next is the name, or would come before it: then it is passed over.
static bool has_next(const struct lx_names *set, size_t *next, const char *name)
{
    int order = 1;
    while (*next < set->count && (order = strcmp(set->names[*next], name)) < 0) {
        (*next)++;
    }
    return *next < set->count && order == 0;
}

void lx_names_merge(const struct lx_names *set, const struct lx_names *added,
    const struct lx_names *removed, struct lx_names *merged)
{
    size_t a = 0, b = 0, out = 0;
    merged->count = 0;
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
}

bool lx_names_is_same(const struct lx_names *a, const struct lx_names *b)
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

const char *lx_names_common(const struct lx_names *a, const struct lx_names *b)
{
    size_t next = 0;
    for (size_t i = 0; i < a->count; i++) {
        if (has_next(b, &next, a->names[i])) {
            return a->names[i];
        }
    }
    return NULL;
}
