// SPDX-License-Identifier: MIT
// The secret handle: masked wherever text is made of it.
// Its deliveries are in secret_deliver.c.
#include "bindings/secret.h"

#include <string.h>

#include <lauxlib.h>

#include "bindings/host.h"
#include "bindings/secret_private.h"
#include "host/base/str.h"

#define REVEAL "secret:reveal"

void push_secret(lua_State *L, const char *bytes, size_t len)
{
    struct secret_box *box = push_box(L, sizeof *box, LX_SECRET);
    struct ts_error err;
    if (ts_secret_create(ts_host_of(L)->secrets, bytes, len, &box->secret, &err)) {
        luaL_error(L, "%s", err.message);
    }
}

void lx_secret_set_owner(lua_State *L, int idx, int sitekey)
{
    struct secret_box *box = lx_test_box(L, idx, LX_SECRET);
    if (box && lua_type(L, sitekey) == LUA_TSTRING) {
        ts_str_copy(box->sitekey, sizeof box->sitekey, lua_tostring(L, sitekey));
    }
}

bool lx_is_secret(lua_State *L, int idx)
{
    return lx_test_box(L, idx, LX_SECRET) != NULL;
}

struct ts_secret *lx_test_secret(lua_State *L, int idx)
{
    struct secret_box *box = lx_test_box(L, idx, LX_SECRET);
    return box && !box->is_closed ? box->secret : NULL;
}

struct secret_box *check_secret(lua_State *L, const char *function)
{
    struct secret_box *box = lx_test_box(L, 1, LX_SECRET);
    if (!box) {
        lx_misuse(L, "%s: a secret expected, got %s; call it with a colon", function,
            luaL_typename(L, 1));
    }
    if (box->is_closed || !box->secret) {
        lx_misuse(L, "%s: the secret was closed", function);
    }
    return box;
}

void lx_secret_release(struct secret_box *box)
{
    if (box->is_closed && box->readers == 0) {
        ts_secret_destroy(box->secret);
        box->secret = NULL;
    }
}

// __gc and __close.
static int secret__gc(lua_State *L)
{
    struct secret_box *box = lua_touserdata(L, 1);
    box->is_closed = true;
    lx_secret_release(box);
    return 0;
}

static int secret__tostring(lua_State *L)
{
    lua_pushliteral(L, TS_SECRET_MASK);
    return 1;
}

static int secret__concat(lua_State *L)
{
    lua_settop(L, 2);
    for (int i = 1; i <= 2; i++) {
        if (lx_is_secret(L, i)) {
            lua_pushliteral(L, TS_SECRET_MASK);
        } else if (lua_isstring(L, i)) {
            lua_pushvalue(L, i);
        } else {
            lx_misuse(L, "attempt to concatenate a secret with a %s value", luaL_typename(L, i));
        }
    }
    lua_concat(L, 2);
    return 1;
}

static int secret__eq(lua_State *L)
{
    struct ts_secret *a = lx_test_secret(L, 1);
    struct ts_secret *b = lx_test_secret(L, 2);
    lua_pushboolean(L, a && b && ts_secret_is_equal(a, b));
    return 1;
}

static int secret__len(lua_State *L)
{
    return lx_misuse(L, "a secret does not tell its length");
}

static const char *kind_of(enum ts_err code)
{
    return code == TS_ERR_REFUSED ? "refused" : code == TS_ERR_TIMEOUT ? "timeout" : "io";
}

int push_secret_failure(
    lua_State *L, const char *op, const char *place, size_t operation, const struct ts_error *err)
{
    bool is_refused = err->code == TS_ERR_REFUSED, is_reveal = ts_str_is(op, REVEAL);
    struct lx_failure failure = {
        .kind = kind_of(err->code),
        .op = op,
        .place = place,
        .flag = is_refused && is_reveal ? ts_permission_flag(TS_ALLOW_REVEAL) : NULL,
        .wanted = is_reveal ? TS_PERMISSION_BIT(TS_ALLOW_REVEAL) : 0,
        .message = err->message,
        .operation = operation,
    };
    failure.entry = lx_note(L, is_refused ? TS_ENTRY_REFUSED : TS_ENTRY_DELIVERY, &failure);
    return push_failure(L, &failure);
}

// s:reveal() -> string | nil, err; only under --allow reveal
static int secret_reveal(lua_State *L)
{
    static const char *const function = REVEAL;
    struct secret_box *box = check_secret(L, function);
    struct ts_error err;
    if (ts_door_take_reveal(ts_host_of(L)->door, &err)) {
        char place[LX_PLACE_MAX];
        lx_place(L, place);
        return push_secret_failure(L, function, place, 0, &err);
    }
    // Through a buffer of Lua's, so that no borrow is open when memory ends.
    size_t len;
    ts_secret_borrow(box->secret, &len);
    ts_secret_return(box->secret);
    luaL_Buffer buffer;
    char *out = luaL_buffinitsize(L, &buffer, len);
    check_secret(L, function); // again: a finalizer may have closed it meanwhile
    memcpy(out, ts_secret_borrow(box->secret, NULL), len);
    ts_secret_return(box->secret);
    luaL_pushresultsize(&buffer, len);
    return 1;
}

void lx_open_secret(lua_State *L)
{
    static const luaL_Reg metamethods[] = {
        {"__tostring", secret__tostring},
        {"__concat", secret__concat},
        {"__eq", secret__eq},
        {"__len", secret__len},
        {NULL, NULL},
    };
    static const luaL_Reg methods[] = {
        {"write", lx_secret_write},
        {"pipe", lx_secret_pipe},
        {"reveal", secret_reveal},
        {NULL, NULL},
    };
    lx_metatable(L, LX_SECRET, secret__gc, metamethods, methods);
    lx_open_secret_pipe(L);
}
