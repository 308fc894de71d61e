// SPDX-License-Identifier: MIT
// The pages are fetched side by side and taken in order; of each only the envelope is looked at
// here. By the time of creation, so that what is created meanwhile comes last, and what is renamed
// or edited stays in its place. A list that is not known to be whole is no copy.
#include "bindings/copy.h"

#include <stdio.h>

#include <lauxlib.h>

#include "bindings/answer.h"
#include "bindings/interrupt.h"
#include "bindings/rehearsal.h"
#include "bindings/sched.h"
#include "host/base/progress.h"
#include "host/base/str.h"
#include "host/net/loop.h"

#define COPY "turnstile.copy"
#define LABEL "Copying the account"
#define COPY_WINDOW 6 // pages in flight
#define PER_PAGE 1000

struct copy_page {
    struct ts_call *call; // NULL: not under way
    bool is_done;
};

struct copy {
    struct ts_host *host;
    struct ts_client *live;
    struct copy_page pages[COPY_WINDOW]; // page n is in slot n % COPY_WINDOW
    struct ts_buf text;                  // of the page that is taken
    struct ts_progress_job job;
    int64_t next_start; // the page to start next
    int64_t next_take;
    int64_t last; // the last page; 0 while unknown
    int64_t per_page;
    int64_t total; // as the newest page said; -1 unknown
    int64_t widgets;
    bool is_running;
    bool is_complete;
    char place[LX_PLACE_MAX];
};

static int copy__close(lua_State *L)
{
    struct copy *copy = lua_touserdata(L, 1);
    for (int i = 0; i < COPY_WINDOW; i++) {
        ts_call_cancel(copy->pages[i].call);
        copy->pages[i].call = NULL;
    }
    ts_progress_finish(&copy->job, copy->is_complete);
    if (copy->is_running) {
        copy->is_running = copy->host->rehearsal->is_copying = false;
    }
    ts_buf_fini(&copy->text);
    ts_client_destroy(copy->live);
    copy->live = NULL;
    return 0;
}

void lx_open_copy(lua_State *L)
{
    lx_metatable(L, COPY, copy__close, NULL, NULL);
}

// Raises the failure as an error table, noted in the ledger.
static int copy_raise(lua_State *L, struct copy *copy, struct lx_answer *answer)
{
    struct lx_failure *failure = &answer->failure;
    if (ts_interrupt_is_due(copy->host->sched)) {
        lx_interrupt(L);
    }
    copy->host->rehearsal->has_failed = true;
    failure->op = "list";
    failure->place = copy->place;
    failure->entry =
        lx_note(L, answer->is_credentials ? TS_ENTRY_CREDENTIALS : TS_ENTRY_READ_FAILED, failure);
    push_failure(L, failure);
    return lua_error(L);
}

static int copy_raise_text(lua_State *L, struct copy *copy, const char *text)
{
    struct lx_answer answer = {.failure = {.kind = "decode", .attempts = 1}};
    ts_str_copy(answer.message, sizeof answer.message, text);
    answer.failure.message = answer.message;
    return copy_raise(L, copy, &answer);
}

static void on_page_done(void *owner, struct ts_call *call)
{
    struct copy_page *page = owner;
    (void)call;
    page->is_done = true;
}

// Keeps the pages under way that may be: one while the total is unknown, else a window of them.
static void pages_advance(lua_State *L, struct copy *copy)
{
    int64_t end = copy->last > 0 ? copy->last : copy->next_take;
    while (copy->next_start <= end && copy->next_start < copy->next_take + COPY_WINDOW) {
        struct copy_page *page = &copy->pages[copy->next_start % COPY_WINDOW];
        char query[96];
        snprintf(query, sizeof query, "page=%lld&per_page=%d&order=created_on&direction=asc",
            (long long)copy->next_start, PER_PAGE);
        struct ts_call_spec spec = {.op = TS_OP_LIST, .query = query};
        struct ts_error err;
        *page = (struct copy_page){0};
        if (ts_call_read(copy->live, &spec, on_page_done, page, &page->call, &err)) {
            copy_raise_text(L, copy, err.message);
        }
        copy->next_start++;
    }
}

// Turns the loop until the page is there. Whatever else comes meanwhile only becomes ready.
static void page_wait(lua_State *L, const struct copy *copy, const struct copy_page *page)
{
    struct ts_host *host = copy->host;
    while (!page->is_done) {
        struct ts_error err;
        if (ts_interrupt_is_due(host->sched)) {
            lx_interrupt(L);
        }
        ts_progress_tick(host->progress);
        ts_secret_pool_seal(host->secrets);
        if (ts_loop_turn(host->loop, ts_progress_next(host->progress), &err)) {
            luaL_error(L, "%s", err.message);
        }
    }
}

static bool result_skip(struct lx_json *json, void *self)
{
    (void)self;
    lua_pushnil(json->L);
    return lx_json_skip(json);
}

// Believes what the page says of the whole list, or raises.
static void page_account(
    lua_State *L, struct copy *copy, const struct lx_result *result, int64_t rows, int64_t widgets)
{
    if (rows > 0 && widgets == copy->widgets) {
        copy_raise_text(L, copy, "the server sends the same page again and again");
    }
    copy->widgets = widgets;
    if (result->per_page > 0 && copy->next_take == 1) {
        copy->per_page = result->per_page; // the server may give less than was asked for
    }
    if (result->total_count < 0) {
        bool is_last = rows == 0 || (result->per_page > 0 && rows < copy->per_page);
        copy->last = is_last ? copy->next_take : 0;
        return;
    }
    if (result->total_count < copy->total) {
        copy_raise_text(L, copy,
            "widgets were deleted while the account was being copied, so others may have been "
            "passed over; plan again");
    }
    copy->total = result->total_count;
    copy->last = copy->total / copy->per_page + (copy->total % copy->per_page > 0);
    // Nothing comes after an empty page, whatever was announced.
    copy->last = copy->last < 1 || rows == 0 ? copy->next_take : copy->last;
}

static void page_take(lua_State *L, struct copy *copy)
{
    struct copy_page *page = &copy->pages[copy->next_take % COPY_WINDOW];
    struct lx_result result = {.push = result_skip, .keep = &copy->text};
    struct lx_answer failure;
    struct ts_error err;
    int64_t rows, widgets;
    int top = lua_gettop(L);
    page_wait(L, copy, page);
    if (!push_answer(L, ts_call_answer(page->call), &result, &failure)) {
        copy_raise(L, copy, &failure);
    }
    lua_settop(L, top);
    if (copy->host->rehearsal->add_page(
            copy->host, ts_client_account(copy->live), &copy->text, &rows, &widgets, &err)) {
        char text[TS_ERROR_MESSAGE_MAX];
        snprintf(text, sizeof text, "the answer cannot be read: %.400s", err.message);
        copy_raise_text(L, copy, text);
    }
    ts_buf_fini(&copy->text);
    ts_call_cancel(page->call);
    page->call = NULL;
    page_account(L, copy, &result, rows, widgets);
    for (int64_t i = 0; i < rows; i++) {
        ts_progress_advance(&copy->job, false);
    }
    copy->host->door->ledger.reads++;
    copy->next_take++;
    pages_advance(L, copy);
}

static void copy_run(lua_State *L, struct copy *copy)
{
    ts_progress_start(copy->host->progress, &copy->job, LABEL, sizeof LABEL - 1, -1);
    pages_advance(L, copy);
    while (copy->last == 0 || copy->next_take <= copy->last) {
        page_take(L, copy);
    }
    if (copy->total >= 0 && copy->widgets < copy->total) {
        char text[TS_ERROR_MESSAGE_MAX];
        snprintf(text, sizeof text, "the list is incomplete: %lld of %lld widgets came",
            (long long)copy->widgets, (long long)copy->total);
        copy_raise_text(L, copy, text);
    }
    struct ts_error err;
    if (copy->host->rehearsal->set_copied(copy->host, ts_client_account(copy->live), &err)) {
        luaL_error(L, "%s", err.message);
    }
    if (copy->widgets > copy->host->rehearsal->widgets) {
        copy->host->rehearsal->widgets = copy->widgets;
    }
    copy->is_complete = true;
}

// Only a finalizer of the script can ask while a copy is being made.
static void check_begin(lua_State *L, const struct ts_rehearsal *rehearsal)
{
    if (rehearsal->is_copying) {
        lx_misuse(
            L, "the account is being copied for the plan, and nothing can be asked of it yet");
    }
    if (rehearsal->has_failed) {
        lx_misuse(L, "the account could not be copied, so there is no plan");
    }
}

enum ts_err lx_copy_account(lua_State *L, const struct ts_client_wish *wish,
    struct ts_budget **budget, struct ts_error *err)
{
    struct ts_host *host = ts_host_of(L);
    struct ts_rehearsal *rehearsal = host->rehearsal;
    check_begin(L, rehearsal);
    struct copy *copy = push_box(L, sizeof *copy, COPY);
    int box = lua_gettop(L);
    lua_toclose(L, box);
    *copy = (struct copy){
        .host = host, .next_start = 1, .next_take = 1, .per_page = PER_PAGE, .total = -1};
    lx_place(L, copy->place);
    enum ts_err code = rehearsal->open_live(host, wish, &copy->live, err);
    if (!code) {
        *budget = ts_client_budget(copy->live);
    }
    if (!code && !rehearsal->is_copied(host, ts_client_account(copy->live))) {
        copy->is_running = rehearsal->is_copying = true;
        copy_run(L, copy);
    }
    lua_closeslot(L, box);
    lua_settop(L, box - 1);
    return code;
}
