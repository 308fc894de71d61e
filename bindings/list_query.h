// SPDX-License-Identifier: MIT
// What a script wants listed: the options of widgets.list as a query string.
// Everything but the page number, which each request adds.
#ifndef TS_BINDINGS_LIST_QUERY_H
#define TS_BINDINGS_LIST_QUERY_H

#include <stdbool.h>

#include <lua.h>

#include "bindings/lx.h"
#include "host/base/buf.h"

#define LX_LIST_QUERY_MAX 4096

// What this run may do to its own list while it reads it: widgets that leave their place make
// others move up, past the pages that are still to come.
enum lx_list_moved_by { LX_MOVED_BY_NOTHING, LX_MOVED_BY_NAMES, LX_MOVED_BY_ALL };

struct lx_list_query {
    struct ts_buf text; // "per_page=1000&order=..."; the owner calls ts_buf_fini
    lua_Integer per_page;
    enum lx_list_moved_by moved_by;
    bool is_filtered; // totals may ignore the filter, so they say nothing
};

// Reads the option table at arg, or nothing when it is absent. Misuse names the option and what it
// may be; query->text may hold memory then too.
TS_RAISES void check_list_query(lua_State *L, int arg, struct lx_list_query *query);

#endif
