// SPDX-License-Identifier: MIT
// What list.c and list_page.c share: a list under way.
// Not for other files.
#ifndef TS_BINDINGS_LIST_PRIVATE_H
#define TS_BINDINGS_LIST_PRIVATE_H

#include <stdbool.h>

#include <lua.h>

#include "bindings/list_query.h"
#include "bindings/list_rows.h"
#include "bindings/lx.h"
#include "bindings/seen.h"
#include "bindings/snapshot.h"
#include "bindings/task.h"

struct ts_call;
struct ts_client;
struct ts_loop;
struct lx_listed;
struct lx_replay;

#define LIST_WINDOW 12 // pages in flight

struct list;

struct list_page {
    struct list *list;
    struct ts_call *call; // NULL: not under way
    int64_t done_us;      // when the answer had come
    bool is_done;
};

// User value 1 is a table: 1 the client box, 2 the rows of the current page (list_rows.h), 3 the
// reading that all pages share.
struct list {
    struct ts_client *client;
    const struct ts_loop *loop;
    struct ts_waiter waiter;
    struct list_page pages[LIST_WINDOW]; // page n is in slot n % LIST_WINDOW
    struct lx_list_query query;
    const struct lx_replay *replay; // NULL: no widget is left out
    struct lx_reading *reading;
    struct ts_seen seen;
    const struct lx_moves *moves; // the client's
    uint64_t moves_before;        // when the first page was asked for
    int64_t creates_before;       // as many the run had begun then
    struct lx_listed *listed;     // the client's, which takes over `seen` in the end
    lua_Integer per_page;
    lua_Integer next_start; // the page to start next
    lua_Integer next_take;  // the page whose rows come next
    lua_Integer last;       // the last page; 0 while unknown
    lua_Integer total;      // as the newest page said; -1 unknown
    lua_Integer least; // as the first page said: so many have to come, whatever is made meanwhile
    lua_Integer given; // rows of widgets.all so far
    lua_Integer row;   // taken of the current page
    lua_Integer rows;  // in the current page
    bool is_failed;
    bool is_busy;   // in the middle of a step; also after an error has been raised from it
    bool is_closed; // nothing more comes: its pages are gone
    char place[LX_PLACE_MAX];
};

// Keeps the pages under way that may be: one while the total is unknown, else a window of them.
TS_RAISES void list_pages_advance(lua_State *L, struct list *list);

// Misuse when the list was closed.
TS_RAISES void list_check_open(lua_State *L, const struct list *list);

// Registers a metatable; called once at set-up.
TS_RAISES void lx_open_list_page(lua_State *L);

// Whether the answer of the next page has come.
bool list_page_is_here(const struct list *list);

// Takes the answer of the next page: its rows become the current ones, and what it says of the
// whole list is believed or raises.
TS_RAISES void list_page_take(lua_State *L, struct list *list, int box);

// Raises unless as many widgets came as the service announced.
TS_RAISES void list_check_complete(lua_State *L, struct list *list);

// Raises that the next row cannot be decoded.
TS_RAISES int list_raise_row(lua_State *L, struct list *list, const struct lx_rows *rows);

// Raises the text as an error table of kind "decode", noted in the ledger; the list has failed.
TS_RAISES int list_raise_text(lua_State *L, struct list *list, const char *text);

#endif
