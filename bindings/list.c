// SPDX-License-Identifier: MIT
// widgets.list and widgets.all: every page, in order, the further ones fetched side by side once
// the first has told the total. What cannot be completed raises: a short list is never taken for a
// small fleet. A page that shifted is told by its repeats and by a total that shrank; a deletion
// and a creation between two pages cancel out in the total, and no paging by number can tell.
#include <stdio.h>
#include <string.h>

#include <lauxlib.h>

#include "bindings/client.h"
#include "bindings/host.h"
#include "bindings/list.h"
#include "bindings/list_private.h"
#include "bindings/replay.h"
#include "bindings/task.h"
#include "bindings/widget.h"
#include "bindings/widgets.h"
#include "host/base/str.h"

#define LIST "turnstile.list"

enum list_step { LIST_ROW, LIST_END, LIST_WAIT };

// Those of the current page of the list that is the first argument.
static void rows_close(lua_State *L)
{
    lua_getiuservalue(L, 1, 1);
    if (lua_istable(L, -1) && lua_rawgeti(L, -1, 2) == LUA_TUSERDATA) {
        lx_rows_close(lua_touserdata(L, -1));
    }
    lua_settop(L, 1);
}

static int list__close(lua_State *L)
{
    struct list *list = lua_touserdata(L, 1);
    list->is_closed = true;
    ts_waiter_wake(&list->waiter); // another task may wait for what does not come any more
    for (int i = 0; i < LIST_WINDOW; i++) {
        ts_call_cancel(list->pages[i].call);
        list->pages[i].call = NULL;
    }
    rows_close(L);
    ts_buf_fini(&list->query.text);
    if (list->seen.count > 0) {
        ts_seen_fini(&list->listed->sitekeys);
        *list->listed = (struct lx_listed){list->seen, list->reading->end_us};
        list->seen = (struct ts_seen){0};
    }
    ts_seen_fini(&list->seen);
    return 0;
}

void lx_open_list(lua_State *L)
{
    lx_metatable(L, LIST, list__close, NULL, NULL);
    lx_open_list_page(L);
}

// Pushes the next row of the current page.
static void push_any_row(lua_State *L, struct list *list, int rows_idx)
{
    struct lx_rows *rows = lua_touserdata(L, rows_idx);
    // Where both are garbage, the rows go before the list; a finalizer of the script may ask then.
    list->is_closed = list->is_closed || rows->taken == rows->count;
    list_check_open(L, list);
    list->row++;
    if (!push_next_row(L, rows_idx, rows)) {
        list_raise_row(L, list, rows);
    }
    list_check_open(L, list);
    if (!lua_istable(L, -1) || lua_getfield(L, -1, "sitekey") != LUA_TSTRING) {
        list_raise_text(L, list, "the answer has a row without a sitekey");
    }
}

// The same for a row whose widget was not seen before; false when there is none.
static bool push_row(lua_State *L, struct list *list, int box)
{
    lua_getiuservalue(L, box, 1);
    lua_rawgeti(L, -1, 2);
    int rows = lua_gettop(L);
    while (list->row < list->rows) {
        size_t len;
        bool is_new = false;
        push_any_row(L, list, rows);
        const char *sitekey = lua_tolstring(L, -1, &len);
        if (ts_seen_add(&list->seen, sitekey, len, &is_new)) {
            luaL_error(L, "not enough memory");
        }
        if (is_new && !(list->replay && lx_is_hidden(L, list->replay, -1))) {
            lua_pop(L, 1);
            lua_replace(L, rows - 1);
            lua_settop(L, rows - 1);
            return true;
        }
        lua_pop(L, 2);
    }
    lua_pop(L, 2);
    return false;
}

// A page of nothing but repeats, with more to come: the server does not page.
static void check_progress(lua_State *L, struct list *list, size_t seen_before)
{
    if (list->rows > 0 && list->seen.count == seen_before && list->last == 0) {
        list_raise_text(L, list, "the server sends the same page again and again");
    }
}

static enum list_step list_advance(lua_State *L, struct list *list, int box)
{
    for (;;) {
        size_t seen_before = list->seen.count;
        bool is_fresh = list->row == 0;
        if (list->rows > 0 && push_row(L, list, box)) {
            return LIST_ROW;
        }
        if (is_fresh) {
            check_progress(L, list, seen_before);
        }
        if (list->last != 0 && list->next_take > list->last) {
            list_check_complete(L, list);
            return LIST_END;
        }
        list_pages_advance(L, list);
        if (!list_page_is_here(list)) {
            return LIST_WAIT;
        }
        list_page_take(L, list, box);
    }
}

// Where memory or the stack ended in the middle of a step, a row or the answer of a page is lost,
// which is no end of the list; and while a step is taken, a finalizer of the script cannot ask.
static enum list_step list_step(lua_State *L, struct list *list, int box)
{
    if (list->is_failed) {
        list_raise_text(L, list, "this list has failed before");
    }
    if (list->is_busy) {
        lx_misuse(L, "this list was left in the middle of a page; call widgets.list again");
    }
    list->is_busy = true;
    enum list_step step = list_advance(L, list, box);
    list->is_busy = false;
    return step;
}

// Pushes the box of a new list; nothing is sent yet.
static struct list *push_list(lua_State *L)
{
    if (lua_isnoneornil(L, 1) && !lua_isnoneornil(L, 2)) {
        lx_misuse(L, "widgets.list: call it, as in: for widget in widgets.list() do");
    }
    lua_settop(L, 1);
    struct list *list = push_box(L, sizeof *list, LIST);
    list->next_start = list->next_take = 1;
    list->total = -1;
    lx_place(L, list->place);
    check_list_query(L, 1, &list->query);
    list->per_page = list->query.per_page;
    list->client = check_client(L);
    list->listed = lx_client_listed(L, lua_upvalueindex(1));
    list->moves = lx_client_moves(L, lua_upvalueindex(1));
    list->loop = ts_host_of(L)->loop;
    list->replay = ts_host_of(L)->replay;
    lua_createtable(L, 3, 0);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_rawseti(L, -2, 1);
    list->reading = push_reading(L);
    lua_rawseti(L, -2, 3);
    lua_setiuservalue(L, -2, 1);
    return list;
}

static void check_alone(lua_State *L, const struct list *list)
{
    if (list->waiter.task) {
        lx_misuse(L, "two tasks read the same list; give each its own, or use task.each on it");
    }
}

void list_check_open(lua_State *L, const struct list *list)
{
    if (list->is_closed) {
        lx_misuse(L, "this list is closed, by the end of its loop; call widgets.list again");
    }
}

static int next_k(lua_State *L, int status, lua_KContext ctx)
{
    (void)status;
    struct list *list = lua_touserdata(L, lua_upvalueindex(1));
    lua_settop(L, 0);
    list_check_open(L, list);
    switch (list_step(L, list, lua_upvalueindex(1))) {
    case LIST_ROW:
        return 1;
    case LIST_END:
        lua_pushnil(L);
        return 1;
    default:
        return ts_task_wait(L, &list->waiter, ctx, next_k);
    }
}

static int list_next(lua_State *L)
{
    struct list *list = lua_touserdata(L, lua_upvalueindex(1));
    list_check_open(L, list);
    check_alone(L, list);
    if (list->row >= list->rows) {
        check_can_wait(L);
    }
    return next_k(L, LUA_OK, 0);
}

int lx_close_list(lua_State *L)
{
    if (lua_tocfunction(L, 1) == list_next) {
        lua_settop(L, 1);
        lua_getupvalue(L, 1, 1);
        lua_replace(L, 1);
        list__close(L);
    }
    return 0;
}

// list(options) -> iterator, nil, nil, closing value
int widgets_list(lua_State *L)
{
    push_list(L); // 2
    lua_pushvalue(L, 2);
    lua_pushcclosure(L, list_next, 1);
    lua_pushnil(L);
    lua_pushnil(L);
    lua_pushvalue(L, 2);
    return 4;
}

static int all_k(lua_State *L, int status, lua_KContext ctx)
{
    (void)status;
    (void)ctx;
    struct list *list = lua_touserdata(L, 2);
    for (;;) {
        switch (list_step(L, list, 2)) {
        case LIST_ROW:
            lua_rawseti(L, 3, ++list->given);
            break;
        case LIST_END:
            lua_settop(L, 3);
            return 1;
        default:
            return ts_task_wait(L, &list->waiter, 0, all_k);
        }
    }
}

// all(options) -> array
int widgets_all(lua_State *L)
{
    check_dot(L, 1, "widgets.all");
    push_list(L); // 2
    lua_toclose(L, 2);
    lua_newtable(L); // 3
    check_can_wait(L);
    return all_k(L, LUA_OK, 0);
}
