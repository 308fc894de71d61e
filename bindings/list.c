// SPDX-License-Identifier: MIT
// widgets.list and widgets.all: every page, in order, the further ones fetched side by side once
// the first has told the total. What cannot be completed raises: a short list is never taken for a
// small fleet. A page that shifted is told by its repeats and by a total that shrank.
#include <stdio.h>
#include <string.h>

#include <lauxlib.h>

#include "bindings/answer.h"
#include "bindings/client.h"
#include "bindings/host.h"
#include "bindings/list_query.h"
#include "bindings/seen.h"
#include "bindings/task.h"
#include "bindings/widget.h"
#include "bindings/widgets.h"
#include "host/base/str.h"

#define LIST "turnstile.list"
#define WINDOW 8 // pages in flight

struct list;

struct list_page {
    struct list *list;
    struct ts_call *call; // NULL: not under way
    bool is_done;
};

// User value 1 is a table: 1 the client box, 2 the rows of the current page.
struct list {
    struct ts_client *client;
    struct ts_waiter waiter;
    struct list_page pages[WINDOW]; // page n is in slot n % WINDOW
    struct lx_list_query query;
    struct ts_seen seen;
    lua_Integer per_page;
    lua_Integer next_start; // the page to start next
    lua_Integer next_take;  // the page whose rows come next
    lua_Integer last;       // the last page; 0 while unknown
    lua_Integer total;      // as the newest page said; -1 unknown
    lua_Integer row;        // taken of the current page
    lua_Integer rows;       // in the current page
    bool is_failed;
    bool is_closed; // nothing more comes: its pages are gone
    char place[LX_PLACE_MAX];
};

enum list_step { LIST_ROW, LIST_END, LIST_WAIT };

static int list__close(lua_State *L)
{
    struct list *list = lua_touserdata(L, 1);
    list->is_closed = true;
    ts_waiter_wake(&list->waiter); // another task may wait for what does not come any more
    for (int i = 0; i < WINDOW; i++) {
        ts_call_cancel(list->pages[i].call);
        list->pages[i].call = NULL;
    }
    ts_buf_fini(&list->query.text);
    ts_seen_fini(&list->seen);
    return 0;
}

void lx_open_list(lua_State *L)
{
    lx_metatable(L, LIST, list__close, NULL, NULL);
}

static void on_page_done(void *owner, struct ts_call *call)
{
    struct list_page *page = owner;
    (void)call;
    page->is_done = true;
    ts_waiter_wake(&page->list->waiter);
}

// Raises the failure as an error table, noted in the ledger.
static int list_raise(lua_State *L, struct list *list, struct lx_answer *answer)
{
    struct lx_failure *failure = &answer->failure;
    list->is_failed = true;
    if (ts_str_is(failure->kind, "cancelled")) {
        check_can_wait(L); // the run is stopping: raises the interruption
    }
    char message[TS_ERROR_MESSAGE_MAX + 32];
    snprintf(message, sizeof message, "list: %s", answer->message);
    failure->op = "list";
    failure->place = list->place;
    failure->entry = ts_ledger_add(&ts_host_of(L)->door->ledger,
        answer->is_credentials ? TS_ENTRY_CREDENTIALS : TS_ENTRY_READ_FAILED, TS_OP_LIST,
        list->place, message);
    push_failure(L, failure);
    return lua_error(L);
}

static int list_raise_text(lua_State *L, struct list *list, const char *text)
{
    struct lx_answer answer = {.failure = {.kind = "decode", .attempts = 1}};
    ts_str_copy(answer.message, sizeof answer.message, text);
    answer.failure.message = answer.message;
    return list_raise(L, list, &answer);
}

static void page_start(lua_State *L, struct list *list)
{
    struct list_page *page = &list->pages[list->next_start % WINDOW];
    char query[LX_LIST_QUERY_MAX + 32];
    snprintf(query, sizeof query, "page=%lld&%s", (long long)list->next_start,
        ts_buf_text(&list->query.text));
    struct ts_call_spec spec = {.op = TS_OP_LIST, .query = query};
    struct ts_error err;
    page->list = list;
    page->is_done = false;
    enum ts_err code = ts_call_read(list->client, &spec, on_page_done, page, &page->call, &err);
    if (code == TS_ERR_CANCELLED) {
        check_can_wait(L);
    }
    if (code == TS_ERR_USAGE) {
        ts_ledger_add(
            &ts_host_of(L)->door->ledger, TS_ENTRY_USAGE, TS_OP_LIST, list->place, err.message);
        lx_misuse_err(L, &err);
    }
    if (code) {
        list_raise_text(L, list, err.message);
    }
    list->next_start++;
}

// Keeps the pages under way that may be: one while the total is unknown, else a window of them.
static void pages_advance(lua_State *L, struct list *list)
{
    lua_Integer end = list->last > 0 ? list->last : list->next_take;
    while (list->next_start <= end && list->next_start < list->next_take + WINDOW) {
        page_start(L, list);
    }
}

static lua_Integer info_field(lua_State *L, int envelope, const char *name)
{
    lua_Integer value = -1;
    if (lua_getfield(L, envelope, "result_info") == LUA_TTABLE) {
        lua_getfield(L, -1, name);
        lua_Number number = lua_tonumber(L, -1);
        if (lua_type(L, -1) == LUA_TNUMBER && number >= 0 && number < 1e15) {
            value = (lua_Integer)number;
        }
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    return value;
}

// What the page says of the whole list.
static void page_account(lua_State *L, struct list *list, int envelope)
{
    lua_Integer total = info_field(L, envelope, "total_count");
    lua_Integer per_page = info_field(L, envelope, "per_page");
    if (per_page > 0 && list->next_take == 1) {
        list->per_page = per_page; // the server may give less than was asked for
    }
    if (!list->query.is_filtered && total >= 0) {
        if (total < list->total) {
            list_raise_text(L, list,
                "the list shrank while it was being read, so widgets may have been passed over; "
                "run "
                "again, and collect with widgets.all before deleting");
        }
        list->total = total;
        list->last = (total + list->per_page - 1) / list->per_page;
        list->last = list->last < 1 ? 1 : list->last;
        return;
    }
    // Without a total that can be trusted, a short page is the last; without even a page size, only
    // an empty one.
    bool is_last = list->rows == 0 || (per_page > 0 && list->rows < list->per_page);
    list->last = is_last ? list->next_take : 0;
}

// Whether the value on top is an array. An object must not pass for an empty one: that would hide
// every widget.
static bool is_array(lua_State *L)
{
    if (!lua_istable(L, -1) || lua_rawlen(L, -1) > 0) {
        return lua_istable(L, -1);
    }
    lua_pushnil(L);
    if (!lua_next(L, -2)) {
        return true;
    }
    lua_pop(L, 2);
    return false;
}

// Takes the answer of the next page: its rows become the current ones.
static void page_take(lua_State *L, struct list *list, int box)
{
    struct list_page *page = &list->pages[list->next_take % WINDOW];
    struct lx_answer answer;
    if (!push_answer(L, ts_call_answer(page->call), &answer)) {
        list_raise(L, list, &answer);
    }
    int envelope = lua_gettop(L);
    lua_getiuservalue(L, box, 1);
    lua_getfield(L, envelope, "result");
    if (!is_array(L)) {
        struct ts_answer *raw = ts_call_answer(page->call);
        lx_answer_reject(&answer, raw, "the answer holds no list of widgets");
        list_raise(L, list, &answer);
    }
    list->rows = (lua_Integer)lua_rawlen(L, -1);
    list->row = 0;
    lua_rawseti(L, -2, 2);
    page_account(L, list, envelope);
    lua_settop(L, envelope - 1);
    ts_call_cancel(page->call);
    page->call = NULL;
    list->next_take++;
    ts_host_of(L)->door->ledger.reads++;
    pages_advance(L, list);
}

// Pushes the next row of the current page that was not seen before; false when there is none.
static bool push_row(lua_State *L, struct list *list, int box)
{
    lua_getiuservalue(L, box, 1);
    lua_rawgeti(L, -1, 2);
    lua_remove(L, -2);
    int rows = lua_gettop(L);
    while (list->row < list->rows) {
        size_t len;
        bool is_new = false;
        list->row++;
        if (lua_rawgeti(L, rows, list->row) != LUA_TTABLE ||
            lua_getfield(L, -1, "sitekey") != LUA_TSTRING) {
            list_raise_text(L, list, "the answer has a row without a sitekey");
        }
        const char *sitekey = lua_tolstring(L, -1, &len);
        if (ts_seen_add(&list->seen, sitekey, len, &is_new)) {
            luaL_error(L, "not enough memory");
        }
        lua_pop(L, 1);
        if (is_new) {
            lua_remove(L, rows);
            lx_widget_adopt(L);
            return true;
        }
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    return false;
}

static void check_complete(lua_State *L, struct list *list)
{
    if (list->total >= 0 && (lua_Integer)list->seen.count < list->total) {
        char text[TS_ERROR_MESSAGE_MAX];
        snprintf(text, sizeof text, "the list is incomplete: %zu of %lld widgets came",
            list->seen.count, (long long)list->total);
        list_raise_text(L, list, text);
    }
}

// A page of nothing but repeats, with more to come: the server does not page.
static void check_progress(lua_State *L, struct list *list, size_t seen_before)
{
    if (list->rows > 0 && list->seen.count == seen_before && list->last == 0) {
        list_raise_text(L, list, "the server sends the same page again and again");
    }
}

static enum list_step list_step(lua_State *L, struct list *list, int box)
{
    if (list->is_failed) {
        list_raise_text(L, list, "this list has failed before");
    }
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
            check_complete(L, list);
            return LIST_END;
        }
        pages_advance(L, list);
        if (!list->pages[list->next_take % WINDOW].is_done) {
            return LIST_WAIT;
        }
        page_take(L, list, box);
    }
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
    lua_createtable(L, 2, 0);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_rawseti(L, -2, 1);
    lua_setiuservalue(L, -2, 1);
    return list;
}

static void check_alone(lua_State *L, const struct list *list)
{
    if (list->waiter.task) {
        lx_misuse(L, "two tasks read the same list; give each its own, or use task.each on it");
    }
}

static void check_open(lua_State *L, const struct list *list)
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
    check_open(L, list);
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
    check_open(L, list);
    check_alone(L, list);
    if (list->row >= list->rows) {
        check_can_wait(L);
    }
    return next_k(L, LUA_OK, 0);
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
            lua_rawseti(L, 3, (lua_Integer)list->seen.count);
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
