// SPDX-License-Identifier: MIT
// The box that owns a call. Owner before resource: the userdata exists, to be closed, before the
// call starts, so neither an error nor a collected coroutine can leak one.
#include "bindings/exchange.h"

#include <stddef.h>
#include <string.h>

#include <lauxlib.h>

#include "bindings/host.h"
#include "bindings/interrupt.h"
#include "bindings/sched.h"
#include "bindings/spare.h"
#include "host/base/str.h"
#include "host/net/loop.h"

#define EXCHANGE "turnstile.exchange"

static void exchange_drop(struct lx_exchange *exchange)
{
    ts_waiter_fini(&exchange->waiter);
    ts_call_cancel(exchange->call);
    exchange->call = NULL;
    ts_write_cancel(exchange->write);
    exchange->write = NULL;
    ts_widget_body_fini(&exchange->body);
    lx_image_fini(&exchange->before);
    lx_image_fini(&exchange->after);
}

static int exchange__gc(lua_State *L)
{
    exchange_drop(lua_touserdata(L, 1));
    return 0;
}

// As the state closes, the youngest are collected first. So an exchange is not used again for a
// client that is younger than it: it would lose the client while it is in flight.
static int exchange__close(lua_State *L)
{
    struct lx_exchange *exchange = lua_touserdata(L, 1);
    exchange_drop(exchange);
    if (exchange->clients == ts_host_of(L)->clients) {
        lx_spare_add(L, 1, LX_SPARE_EXCHANGE, &exchange->is_spare);
    }
    return 0;
}

// A write that has left is seen through: its outcome matters more than a prompt end. What waits in
// the queue is taken back, and a read is given up.
static bool exchange_holds(struct ts_waiter *waiter)
{
    struct lx_exchange *exchange =
        (struct lx_exchange *)((char *)waiter - offsetof(struct lx_exchange, waiter));
    return exchange->write && !ts_write_withdraw(exchange->write);
}

void lx_open_exchange(lua_State *L)
{
    static const luaL_Reg metamethods[] = {
        {"__gc", exchange__gc}, {"__close", exchange__close}, {NULL, NULL}};
    lx_metatable(L, EXCHANGE, NULL, metamethods, NULL);
}

struct lx_exchange *push_exchange(lua_State *L, enum ts_op op)
{
    check_can_wait(L);
    struct lx_exchange *exchange = push_spare(L, LX_SPARE_EXCHANGE, sizeof *exchange, EXCHANGE);
    exchange->op = op;
    exchange->clients = ts_host_of(L)->clients;
    exchange->loop = ts_host_of(L)->loop;
    exchange->waiter.holds = exchange_holds;
    struct ts_pool *pool = ts_loop_pool(ts_host_of(L)->loop);
    ts_widget_body_init(&exchange->body, pool);
    lx_image_init(&exchange->before, pool);
    lx_image_init(&exchange->after, pool);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_setiuservalue(L, -2, 1);
    lua_toclose(L, -1);
    return exchange;
}

static void exchange_end(struct lx_exchange *exchange)
{
    exchange->is_done = true;
    exchange->done_us = ts_loop_now(exchange->loop);
    ts_waiter_wake(&exchange->waiter);
}

static void on_call_done(void *owner, struct ts_call *call)
{
    (void)call;
    exchange_end(owner);
}

static void on_write_done(void *owner, struct ts_write *write)
{
    (void)write;
    exchange_end(owner);
}

static bool is_write(const struct lx_exchange *exchange)
{
    return ts_endpoint_of(exchange->op)->is_write;
}

// Where the script made the call. A read looks it up when it is told of, as whoever called stands
// where it stood until then; a write does so at its start, as it may be dropped with its stack
// gone.
static const char *exchange_place(lua_State *L, struct lx_exchange *exchange)
{
    if (!exchange->place[0]) {
        lx_place(L, exchange->place);
    }
    return exchange->place;
}

// What the exchange knows of its own failure, to be completed by why.
static void failure_name(lua_State *L, struct lx_exchange *exchange, struct lx_failure *failure)
{
    failure->op = ts_endpoint_of(exchange->op)->name;
    failure->sitekey = exchange->sitekey;
    failure->name = exchange->op == TS_OP_CREATE ? exchange->subject : NULL;
    failure->place = exchange_place(L, exchange);
}

// What could not even start.
static void push_start_failure(
    lua_State *L, struct lx_exchange *exchange, const struct ts_error *err, size_t entry)
{
    struct lx_failure failure = {
        .kind = err->code == TS_ERR_REFUSED ? "refused" : "transport",
        .message = err->message,
        .outcome = is_write(exchange) ? "not_applied" : NULL,
        .entry = entry,
    };
    failure_name(L, exchange, &failure);
    if (err->code == TS_ERR_CANCELLED) {
        lx_interrupt(L);
    }
    if (err->code == TS_ERR_USAGE) {
        lx_note(L, TS_ENTRY_USAGE, &failure);
        lx_misuse_err(L, err);
    }
    if (err->code == TS_ERR_NOMEM) {
        luaL_error(L, "not enough memory");
    }
    push_failure(L, &failure);
}

bool lx_exchange_read(lua_State *L, struct lx_exchange *exchange, struct ts_client *client,
    const struct ts_call_spec *spec)
{
    struct ts_error err;
    exchange->is_done = false;
    if (ts_call_read(client, spec, on_call_done, exchange, &exchange->call, &err)) {
        push_start_failure(L, exchange, &err, 0);
        return false;
    }
    return true;
}

bool lx_exchange_write(lua_State *L, struct lx_exchange *exchange, struct ts_client *client,
    struct ts_write_spec *spec)
{
    struct ts_error err;
    size_t entry;
    exchange->is_done = false;
    spec->place = exchange_place(L, exchange);
    spec->step = lx_step(L);
    spec->subject = exchange->subject;
    const struct lx_image *before = &exchange->before;
    if (before->json.json.len > 0) {
        spec->before = ts_buf_text(&before->json.json);
        spec->before_len = before->json.json.len;
    }
    spec->before_mark = before->mark[0] ? before->mark : NULL;
    if (ts_write_start(ts_host_of(L)->door, client, spec, on_write_done, exchange, &exchange->write,
            &entry, &err)) {
        push_start_failure(L, exchange, &err, entry);
        return false;
    }
    return true;
}

static struct ts_answer *exchange_answer(struct lx_exchange *exchange)
{
    return exchange->write ? ts_write_answer(exchange->write) : ts_call_answer(exchange->call);
}

// What a write that was not applied counts as.
static enum ts_entry_kind write_failure(const struct lx_answer *answer)
{
    if (answer->is_credentials) {
        return TS_ENTRY_CREDENTIALS;
    }
    const char *kind = answer->failure.kind;
    if (ts_str_is(kind, "journal")) {
        return TS_ENTRY_JOURNAL;
    }
    bool is_unreached = ts_str_is(kind, "transport") || ts_str_is(kind, "timeout");
    return is_unreached ? TS_ENTRY_WRITE_UNSENT : TS_ENTRY_WRITE_FAILED;
}

// Notes a failed read. What the API refuses (404 and the like) is an answer, not a failure of the
// run, unless it was read on behalf of a write.
static size_t note_read(lua_State *L, struct lx_exchange *exchange, const struct lx_answer *answer)
{
    enum ts_entry_kind kind = TS_ENTRY_READ_FAILED;
    if (exchange->is_quiet) {
        return 0;
    }
    if (is_write(exchange)) {
        kind = write_failure(answer);
    } else if (answer->is_credentials) {
        kind = TS_ENTRY_CREDENTIALS;
    } else if (ts_str_is(answer->failure.kind, "api") && answer->failure.status < 500 &&
               answer->failure.status != 429) {
        return 0;
    }
    return lx_note(L, kind, &answer->failure);
}

static size_t settle_failed(struct lx_exchange *exchange, const struct lx_answer *answer)
{
    const struct lx_failure *failure = &answer->failure;
    struct ts_facts facts = {
        .kind = write_failure(answer),
        .message = answer->message,
        .ray = failure->ray,
        .status = failure->status,
        .code = failure->has_code ? failure->code : 0,
    };
    struct ts_write_end end = {.outcome = answer->outcome, .failure = &facts};
    return ts_write_settle(exchange->write, &end);
}

// Pushes nil, err for a failed exchange, noted and settled.
static int push_exchange_failure(
    lua_State *L, struct lx_exchange *exchange, struct lx_answer *answer)
{
    if (answer->failure.kind && ts_str_is(answer->failure.kind, "cancelled")) {
        lx_interrupt(L);
    }
    struct lx_failure *failure = &answer->failure;
    failure_name(L, exchange, failure);
    if (exchange->write) {
        failure->entry = settle_failed(exchange, answer);
        failure->outcome = answer->outcome == TS_OUTCOME_UNKNOWN ? "unknown" : "not_applied";
    } else {
        failure->entry = note_read(L, exchange, answer);
        failure->outcome = is_write(exchange) ? "not_applied" : NULL;
    }
    return push_failure(L, failure);
}

bool push_exchange_answer(lua_State *L, struct lx_exchange *exchange, struct lx_result *result)
{
    struct lx_answer answer;
    if (push_answer(L, exchange_answer(exchange), result, &answer)) {
        if (!is_write(exchange)) {
            ts_host_of(L)->door->ledger.reads++;
        }
        return true;
    }
    push_exchange_failure(L, exchange, &answer);
    return false;
}

int push_exchange_reject(lua_State *L, struct lx_exchange *exchange, const char *why)
{
    struct lx_answer answer = {0};
    lx_answer_reject(&answer, exchange_answer(exchange), why);
    return push_exchange_failure(L, exchange, &answer);
}

void lx_exchange_settle(lua_State *L, struct lx_exchange *exchange, int idx)
{
    struct ts_write_end end;
    lx_image_end(L, idx, exchange->op, &exchange->after, &end);
    ts_write_settle(exchange->write, &end);
}

int push_exchange_unsent(lua_State *L, struct lx_exchange *exchange, const char *kind,
    enum ts_entry_kind entry, const char *why)
{
    struct ts_write_spec spec = {
        .op = exchange->op,
        .sitekey = exchange->sitekey[0] ? exchange->sitekey : NULL,
        .place = exchange_place(L, exchange),
        .step = lx_step(L),
        .subject = exchange->subject,
    };
    struct lx_failure failure = {.kind = kind, .message = why, .outcome = "not_applied"};
    failure_name(L, exchange, &failure);
    struct ts_facts facts = {.kind = entry, .message = why};
    failure.entry = ts_door_note(ts_host_of(L)->door, &spec, &facts);
    return push_failure(L, &failure);
}

long lx_exchange_status(struct lx_exchange *exchange)
{
    const struct ts_answer *answer = exchange_answer(exchange);
    return answer->code ? 0 : answer->status;
}

int64_t lx_exchange_start(struct lx_exchange *exchange)
{
    return exchange->done_us - exchange_answer(exchange)->duration_us;
}

const char *lx_exchange_header(struct lx_exchange *exchange, const char *name)
{
    return exchange->call ? ts_call_header(exchange->call, name) : NULL;
}
