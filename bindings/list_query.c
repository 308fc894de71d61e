// SPDX-License-Identifier: MIT
// The options of widgets.list, checked, as the query of its requests.
// The default order puts new widgets at the end, so that they shift no page.
#include "bindings/list_query.h"

#include <stdio.h>
#include <string.h>

#include "host/base/str.h"
#include "host/base/suggest.h"
#include "host/net/xfer.h"

#define PER_PAGE 1000 // the most that the API gives

static void check_choice(
    lua_State *L, const char *name, const char *value, const char *const *choices)
{
    char allowed[128] = "", hint[TS_SUGGEST_MAX];
    size_t used = 0;
    for (const char *const *choice = choices; *choice; choice++) {
        if (ts_str_is(*choice, value)) {
            return;
        }
        used += (size_t)snprintf(
            allowed + used, sizeof allowed - used, "%s%s", used ? ", " : "", *choice);
    }
    ts_suggest(value, choices, hint);
    lx_misuse(
        L, "widgets.list: `%s` is \"%.40s\", must be one of: %s%s", name, value, allowed, hint);
}

static void member_add(
    lua_State *L, struct lx_list_query *query, const char *name, const char *value)
{
    enum ts_err code = ts_buf_add_format(&query->text, "&%s=", name);
    if (!code) {
        code = ts_url_escape(&query->text, value, strlen(value));
    }
    if (code) {
        lx_misuse(L, "widgets.list: `%s` is too long", name);
    }
}

static void check_filter(lua_State *L, const char *filter, size_t len)
{
    bool is_known = ts_str_has_prefix(filter, "name:") || ts_str_has_prefix(filter, "sitekey:");
    if (!is_known || strlen(filter) != len) {
        lx_misuse(L, "widgets.list: `filter` must read \"name:TEXT\" or \"sitekey:TEXT\"");
    }
}

void check_list_query(lua_State *L, int arg, struct lx_list_query *query)
{
    ts_buf_init(&query->text, LX_LIST_QUERY_MAX);
    static const char *const names[] = {"order", "direction", "filter", "per_page", NULL};
    static const char *const orders[] = {
        "id", "sitekey", "name", "created_on", "modified_on", NULL};
    static const char *const directions[] = {"asc", "desc", NULL};
    size_t len = 0;
    check_options(L, arg, "widgets.list", names, true);
    const char *order = opt_member_string(L, arg, "widgets.list", "order", NULL);
    const char *direction = opt_member_string(L, arg, "widgets.list", "direction", NULL);
    lua_Number per_page = opt_member_number(L, arg, "widgets.list", "per_page", PER_PAGE);
    if (!(per_page >= 5 && per_page <= PER_PAGE) || per_page != (lua_Integer)per_page) {
        lx_misuse(L, "widgets.list: `per_page` must be a whole number from 5 to %d", PER_PAGE);
    }
    query->per_page = (lua_Integer)per_page;
    // A stable order: new widgets come at the end and shift nothing.
    order = order ? order : "created_on";
    direction = direction ? direction : "asc";
    check_choice(L, "order", order, orders);
    check_choice(L, "direction", direction, directions);
    // By sitekey or creation only a deletion moves widgets up, and the total tells that. What goes
    // to the front of the newest is only seen again.
    bool is_oldest_first = ts_str_is(order, "modified_on") && ts_str_is(direction, "asc");
    query->moved_by = is_oldest_first            ? LX_MOVED_BY_ALL
                      : ts_str_is(order, "name") ? LX_MOVED_BY_NAMES
                                                 : LX_MOVED_BY_NOTHING;
    ts_buf_add_format(&query->text, "per_page=%d", (int)per_page);
    member_add(L, query, "order", order);
    member_add(L, query, "direction", direction);
    const char *filter = opt_member_string(L, arg, "widgets.list", "filter", &len);
    if (filter) {
        check_filter(L, filter, len);
        member_add(L, query, "filter", filter);
        query->is_filtered = true;
        if (query->moved_by == LX_MOVED_BY_NOTHING) {
            query->moved_by = LX_MOVED_BY_NAMES;
        }
    }
}
