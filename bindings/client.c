// SPDX-License-Identifier: MIT
// Client boxes. The settings lie in the user value until the client is opened.
// A box outlives the exchanges made with it: each keeps a reference.
#include "bindings/client.h"

#include <lauxlib.h>

#include "bindings/cancel.h"
#include "bindings/copy.h"
#include "bindings/host.h"
#include "bindings/interrupt.h"
#include "bindings/sched.h"
#include "bindings/spare.h"
#include "host/base/str.h"

#define CLIENT "turnstile.client"

struct client_box {
    struct ts_client *client;
    struct ts_budget *budget; // of the account; the run's
    struct lx_listed listed;
    struct lx_moves moves;
    struct lx_freshness freshness;
    bool is_public;
};

static int client__close(lua_State *L)
{
    struct client_box *box = lua_touserdata(L, 1);
    ts_client_destroy(box->client);
    box->client = NULL;
    ts_seen_fini(&box->listed.sitekeys);
    lx_freshness_fini(&box->freshness);
    return 0;
}

void lx_open_client(lua_State *L)
{
    lx_metatable(L, CLIENT, client__close, NULL, NULL);
    lx_open_copy(L);
}

void push_client(lua_State *L, const char *account, const char *token_file, bool is_public)
{
    struct client_box *box = push_box(L, sizeof *box, CLIENT);
    box->is_public = is_public;
    ts_host_of(L)->clients++;
    lx_spares_drop(L, LX_SPARE_EXCHANGE); // see exchange__close
    lua_createtable(L, 0, 2);
    lua_pushstring(L, account); // NULL pushes nil
    lua_setfield(L, -2, "account");
    lua_pushstring(L, token_file);
    lua_setfield(L, -2, "token_file");
    lua_setiuservalue(L, -2, 1);
}

// Opens a client as the wish says. In a plan it is one of the account's copy, which is made now if
// it was not.
TS_RAISES static enum ts_err client_connect(
    lua_State *L, const struct ts_client_wish *wish, struct client_box *box, struct ts_error *err)
{
    struct ts_host *host = ts_host_of(L);
    bool is_copy = host->rehearsal && !wish->is_public;
    enum ts_err code = is_copy ? lx_copy_account(L, wish, &box->budget, err) : TS_OK;
    if (!code) {
        code = host->open_client(host, wish, &box->client, err);
    }
    if (!code && !is_copy) {
        box->budget = ts_client_budget(box->client);
    }
    return code;
}

// What becomes of the run when a client cannot be opened, whatever the script makes of the error.
// An account that the script itself names wrongly is its own mistake.
static enum ts_entry_kind failure_kind(enum ts_err code, bool is_named)
{
    switch (code) {
    case TS_ERR_CREDENTIALS:
        return TS_ENTRY_CREDENTIALS;
    case TS_ERR_LOCKED:
        return TS_ENTRY_LOCKED;
    case TS_ERR_JOURNAL:
        return TS_ENTRY_JOURNAL;
    default:
        return is_named ? TS_ENTRY_KIND_COUNT : TS_ENTRY_USAGE;
    }
}

static bool is_noted(const struct ts_ledger *ledger, const char *message)
{
    for (size_t i = 0; i < ledger->len; i++) {
        if (ts_str_is(ledger->entries[i].facts.message, message)) {
            return true;
        }
    }
    return false;
}

// Notes it once, however many calls it keeps from being made, and raises.
static void client_fail(lua_State *L, const struct ts_error *err, bool is_named)
{
    struct ts_ledger *ledger = &ts_host_of(L)->door->ledger;
    enum ts_entry_kind kind = failure_kind(err->code, is_named);
    bool is_failure = err->code != TS_ERR_CANCELLED && kind != TS_ENTRY_KIND_COUNT;
    if (is_failure && !is_noted(ledger, err->message)) {
        char place[LX_PLACE_MAX];
        lx_place(L, place);
        struct lx_failure failure = {.place = place, .message = err->message};
        lx_note(L, kind, &failure);
    }
    check_can_start(L);
    lx_misuse_err(L, err);
}

static void client_open(lua_State *L, int idx, struct client_box *box)
{
    struct ts_host *host = ts_host_of(L);
    if (host->sched->is_stopping) {
        lx_interrupt(L); // a box that a finalizer fills while the state closes is never emptied
    }
    int top = lua_gettop(L);
    lua_getiuservalue(L, idx, 1);
    lua_getfield(L, -1, "account");
    lua_getfield(L, -2, "token_file");
    struct ts_client_wish wish = {
        .account = lua_tostring(L, -2),
        .token_file = lua_tostring(L, -1),
        .is_public = box->is_public,
    };
    struct ts_error err;
    if (client_connect(L, &wish, box, &err)) {
        client_fail(L, &err, wish.account != NULL);
    }
    lua_settop(L, top);
}

struct ts_client *check_client_at(lua_State *L, int idx)
{
    struct client_box *box = lua_touserdata(L, idx);
    if (!box->client) {
        client_open(L, idx, box);
    }
    return box->client;
}

struct ts_client *check_client(lua_State *L)
{
    return check_client_at(L, lua_upvalueindex(1));
}

struct ts_budget *check_budget(lua_State *L)
{
    check_client(L);
    const struct client_box *box = lua_touserdata(L, lua_upvalueindex(1));
    return box->budget;
}

struct lx_listed *lx_client_listed(lua_State *L, int idx)
{
    struct client_box *box = lua_touserdata(L, idx);
    return &box->listed;
}

struct lx_moves *lx_client_moves(lua_State *L, int idx)
{
    struct client_box *box = lua_touserdata(L, idx);
    return &box->moves;
}

struct lx_freshness *lx_client_freshness(lua_State *L, int idx)
{
    struct client_box *box = lua_touserdata(L, idx);
    return &box->freshness;
}
