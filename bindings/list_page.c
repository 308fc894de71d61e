// SPDX-License-Identifier: MIT
// The pages of a list: fetched side by side, taken in order, each held against what came before.
// A short list is never taken for a small fleet.
#include <stdio.h>

#include <lauxlib.h>

#include "bindings/answer.h"
#include "bindings/client.h"
#include "bindings/host.h"
#include "bindings/list_private.h"
#include "host/base/str.h"
#include "host/net/loop.h"
#include "host/ops/door.h"

#define TAKEN "turnstile.list.page"

static void on_page_done(void *owner, struct ts_call *call)
{
    struct list_page *page = owner;
    (void)call;
    page->is_done = true;
    page->done_us = ts_loop_now(page->list->loop);
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
    failure->op = "list";
    failure->place = list->place;
    failure->entry =
        lx_note(L, answer->is_credentials ? TS_ENTRY_CREDENTIALS : TS_ENTRY_READ_FAILED, failure);
    push_failure(L, failure);
    return lua_error(L);
}

int list_raise_text(lua_State *L, struct list *list, const char *text)
{
    struct lx_answer answer = {.failure = {.kind = "decode", .attempts = 1}};
    ts_str_copy(answer.message, sizeof answer.message, text);
    answer.failure.message = answer.message;
    return list_raise(L, list, &answer);
}

int list_raise_row(lua_State *L, struct list *list, const struct lx_rows *rows)
{
    char why[TS_ERROR_MESSAGE_MAX], text[TS_ERROR_MESSAGE_MAX];
    lx_json_explain(&rows->json, why);
    snprintf(text, sizeof text, "the answer cannot be read: %.400s", why);
    return list_raise_text(L, list, text);
}

static uint64_t moves_of(const struct list *list)
{
    switch (list->query.moved_by) {
    case LX_MOVED_BY_NAMES:
        return list->moves->names;
    case LX_MOVED_BY_ALL:
        return list->moves->all;
    default:
        return 0;
    }
}

// Where the total tells nothing. Also when the page was asked for before the write was, so that a
// script that works does not work by chance.
static void check_unmoved(lua_State *L, struct list *list)
{
    if (list->next_take > 1 && moves_of(list) != list->moves_before) {
        list_raise_text(L, list,
            "this run has moved widgets in the list while it was being read, so others may have "
            "been passed over; run again, and collect with widgets.all before renaming or "
            "deleting");
    }
}

// How many widgets this run has begun to make.
static int64_t creates_of(lua_State *L)
{
    return ts_host_of(L)->door->permissions.used[TS_ALLOW_CREATE];
}

static void page_start(lua_State *L, struct list *list)
{
    struct list_page *page = &list->pages[list->next_start % LIST_WINDOW];
    char query[LX_LIST_QUERY_MAX + 32];
    snprintf(query, sizeof query, "page=%lld&%s", (long long)list->next_start,
        ts_buf_text(&list->query.text));
    struct ts_call_spec spec = {.op = TS_OP_LIST, .query = query};
    struct ts_error err;
    page->list = list;
    page->is_done = false;
    if (list->next_start == 1) {
        list->moves_before = moves_of(list);
        list->creates_before = creates_of(L);
    }
    enum ts_err code = ts_call_read(list->client, &spec, on_page_done, page, &page->call, &err);
    if (code == TS_ERR_CANCELLED) {
        check_can_wait(L);
    }
    if (code == TS_ERR_USAGE) {
        struct lx_failure failure = {.op = "list", .place = list->place, .message = err.message};
        lx_note(L, TS_ENTRY_USAGE, &failure);
        lx_misuse_err(L, &err);
    }
    if (code) {
        list_raise_text(L, list, err.message);
    }
    list->next_start++;
}

void list_pages_advance(lua_State *L, struct list *list)
{
    list_check_open(L, list);
    lua_Integer end = list->last > 0 ? list->last : list->next_take;
    while (list->next_start <= end && list->next_start < list->next_take + LIST_WINDOW) {
        page_start(L, list);
    }
}

// What the page says of the whole list.
static void page_account(lua_State *L, struct list *list, const struct lx_result *result)
{
    lua_Integer total = result->total_count;
    lua_Integer per_page = result->per_page;
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
        list->least = list->next_take == 1 ? total : list->least;
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

// What this run makes meanwhile may be in the total, and on a page that was read before.
void list_check_complete(lua_State *L, struct list *list)
{
    int64_t made = creates_of(L) - list->creates_before;
    made = made > 0 ? made : 0; // less than none: some were withdrawn
    lua_Integer seen = (lua_Integer)list->seen.count;
    if (list->total >= 0 && (seen < list->least || seen + made < list->total)) {
        char text[TS_ERROR_MESSAGE_MAX];
        snprintf(text, sizeof text, "the list is incomplete: %zu of %lld widgets came",
            list->seen.count, (long long)list->total);
        list_raise_text(L, list, text);
    }
}

bool list_page_is_here(const struct list *list)
{
    return list->pages[list->next_take % LIST_WINDOW].is_done;
}

// A finalizer of the script, which may run while an answer is decoded, can close the list. So the
// call has an owner of its own until its page is taken.
static int taken__close(lua_State *L)
{
    struct ts_call **call = lua_touserdata(L, 1);
    ts_call_cancel(*call);
    *call = NULL;
    return 0;
}

void lx_open_list_page(lua_State *L)
{
    lx_metatable(L, TAKEN, taken__close, NULL, NULL);
    lx_open_rows(L);
}

static struct ts_call *push_taken(lua_State *L, struct list *list, struct list_page *page)
{
    struct ts_call **taken = push_box(L, sizeof(struct ts_call *), TAKEN);
    lua_toclose(L, -1);
    list_check_open(L, list);
    *taken = page->call;
    page->call = NULL;
    return *taken;
}

// Pushes the rows of the next page, and fills what the answer says of the whole list.
static struct lx_rows *push_page(lua_State *L, struct list *list, struct lx_result *result)
{
    struct list_page *page = &list->pages[list->next_take % LIST_WINDOW];
    struct ts_answer *answer = ts_call_answer(push_taken(L, list, page));
    int64_t start_us = page->done_us - answer->duration_us;
    struct lx_answer failure;
    struct lx_rows *rows = push_rows(L, start_us, page->done_us, -2);
    *result = lx_rows_result(rows);
    if (!push_answer(L, answer, result, &failure)) {
        list_raise(L, list, &failure);
    }
    lua_pop(L, 1);
    // An object must not pass for an empty list: that would hide every widget.
    if (!rows->is_list) {
        lx_rows_close(rows);
        lx_answer_reject(&failure, answer, "the answer holds no list of widgets");
        list_raise(L, list, &failure);
    }
    if (!lx_rows_settle(L, -1, rows)) {
        lx_rows_close(rows);
        list_raise_row(L, list, rows);
    }
    list_check_open(L, list);
    lx_reading_add(list->reading, start_us, page->done_us, rows->newest);
    return rows;
}

void list_page_take(lua_State *L, struct list *list, int box)
{
    struct lx_result result;
    int top = lua_gettop(L);
    lua_getiuservalue(L, box, 1); // top + 1
    lua_rawgeti(L, -1, 3);        // the reading
    list->rows = push_page(L, list, &result)->count;
    list->row = 0;
    lua_rawseti(L, top + 1, 2);
    page_account(L, list, &result);
    check_unmoved(L, list);
    if (list->rows == 0 && list->next_take < list->last) {
        list->next_take = list->last; // nothing comes after an empty page, whatever was announced
        list_check_complete(L, list);
    }
    lua_closeslot(L, top + 3); // the call; left to lua_settop, Lua 5.4.4 could lose the stack
    lua_settop(L, top);
    list->next_take++;
    ts_host_of(L)->door->ledger.reads++;
    list_pages_advance(L, list);
}
