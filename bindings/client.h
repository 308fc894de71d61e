// SPDX-License-Identifier: MIT
// The userdata that owns an API client; upvalue 1 of every endpoint function.
// The default one opens on first use, so that scripts without API calls need no token.
#ifndef TS_BINDINGS_CLIENT_H
#define TS_BINDINGS_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include <lua.h>

#include "bindings/freshness.h"
#include "bindings/lx.h"
#include "bindings/seen.h"
#include "host/api/client.h"

// Registers the metatable; called once at set-up.
TS_RAISES void lx_open_client(lua_State *L);

// Pushes a box for a client that is not open yet; account and token_file as for
// ts_host.open_client, copied into the box's user value. A public one carries no credentials.
TS_RAISES void push_client(
    lua_State *L, const char *account, const char *token_file, bool is_public);

// The client of the box at idx, opened now if it was not. Raises, with its exit status noted,
// when credentials or account are missing or another run has the account.
TS_RAISES struct ts_client *check_client_at(lua_State *L, int idx);

// The same for the box in upvalue 1.
TS_RAISES struct ts_client *check_client(lua_State *L);

// The list that was read last. It hands its sitekeys over when it is closed.
struct lx_listed {
    struct ts_seen sitekeys;
    int64_t end_us; // when its last page had come, monotonic
};

// The budget that tells what requests to the account cost: the client's, but where the client is of
// a copy, that of the account itself.
TS_RAISES struct ts_budget *check_budget(lua_State *L);

// That of the client box at idx. Does not raise.
struct lx_listed *lx_client_listed(lua_State *L, int idx);

// Writes begun so far that take widgets from their places in lists.
struct lx_moves {
    uint64_t names; // renamed or deleted
    uint64_t all;   // anything but created, which puts modified_on to now
};

// Those of the client box at idx, for as long as that lives. Does not raise.
struct lx_moves *lx_client_moves(lua_State *L, int idx);

// What the client of the box at idx knows of changes, for as long as that lives. Does not raise.
struct lx_freshness *lx_client_freshness(lua_State *L, int idx);

#endif
