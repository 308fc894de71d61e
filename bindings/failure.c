// SPDX-License-Identifier: MIT
// The error table: what a native function returns behind nil when the world said no.
// The ledger's number lies in a weak table beside it, so that it does not show among the fields.
#include <lauxlib.h>

#include "bindings/host.h"
#include "bindings/lx.h"

#define FAILURE "turnstile.error"

static const char entries_key; // registry: error table -> number in the ledger

static void field_set_string(lua_State *L, const char *name, const char *text)
{
    if (text && *text) {
        lua_pushstring(L, text);
        lua_setfield(L, -2, name);
    }
}

int push_failure(lua_State *L, const struct lx_failure *failure)
{
    lua_pushnil(L);
    lua_createtable(L, 0, 12);
    field_set_string(L, "kind", failure->kind);
    field_set_string(L, "op", failure->op);
    field_set_string(L, "sitekey", failure->sitekey);
    field_set_string(L, "message", failure->message);
    field_set_string(L, "ray", failure->ray);
    field_set_string(L, "outcome", failure->outcome);
    field_set_string(L, "place", failure->place);
    if (failure->status) {
        lua_pushinteger(L, failure->status);
        lua_setfield(L, -2, "status");
    }
    if (failure->has_code) {
        lua_pushinteger(L, failure->code);
        lua_setfield(L, -2, "code");
    }
    lua_pushboolean(L, failure->is_retryable);
    lua_setfield(L, -2, "retryable");
    lua_pushinteger(L, failure->attempts);
    lua_setfield(L, -2, "attempts");
    if (failure->errors) {
        lua_pushvalue(L, failure->errors);
    } else {
        lua_newtable(L);
    }
    lua_setfield(L, -2, "errors");
    luaL_setmetatable(L, FAILURE);
    if (failure->entry) {
        lua_rawgetp(L, LUA_REGISTRYINDEX, &entries_key);
        lua_pushvalue(L, -2);
        lua_pushinteger(L, (lua_Integer)failure->entry);
        lua_rawset(L, -3);
        lua_pop(L, 1);
    }
    return 2;
}

size_t lx_note(lua_State *L, enum ts_entry_kind kind, const struct lx_failure *failure)
{
    struct ts_facts facts = {
        .kind = kind,
        .op = failure->op,
        .place = failure->place,
        .sitekey = failure->sitekey,
        .name = failure->name,
        .message = failure->message,
        .flag = failure->flag,
        .wanted = failure->wanted,
        .ray = failure->ray,
        .status = failure->status,
        .code = failure->has_code ? failure->code : 0,
        .operation = failure->operation,
    };
    return ts_ledger_add(&ts_host_of(L)->door->ledger, &facts);
}

static bool is_failure(lua_State *L, int idx)
{
    if (!lua_istable(L, idx) || !lua_getmetatable(L, idx)) {
        return false;
    }
    luaL_getmetatable(L, FAILURE);
    bool is_ours = lua_rawequal(L, -1, -2);
    lua_pop(L, 2);
    return is_ours;
}

const char *lx_failure_kind(lua_State *L, int idx)
{
    if (!is_failure(L, idx)) {
        return NULL;
    }
    idx = lua_absindex(L, idx);
    lua_getfield(L, idx, "kind");
    const char *kind = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : NULL;
    lua_pop(L, 1);
    return kind; // anchored by the table
}

size_t lx_failure_entry(lua_State *L, int idx)
{
    if (!is_failure(L, idx)) {
        return 0;
    }
    idx = lua_absindex(L, idx);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &entries_key);
    lua_pushvalue(L, idx);
    lua_rawget(L, -2);
    lua_Integer entry = lua_tointeger(L, -1);
    lua_pop(L, 2);
    return (size_t)entry;
}

static void check_failure(lua_State *L)
{
    if (!is_failure(L, 1)) {
        lx_misuse(L, "an error of this module expected, got %s", luaL_typename(L, 1));
    }
}

// A field as text for the one-line form; "" when absent. Pushes one value, which anchors the text.
static const char *push_field(lua_State *L, const char *name)
{
    lua_getfield(L, 1, name);
    const char *text = lua_tostring(L, -1);
    return text ? text : "";
}

// "create acme: HTTP 403, code 10000: Authentication error (CF-Ray 8f...)"
static int failure__tostring(lua_State *L)
{
    check_failure(L);
    lua_settop(L, 1);
    const char *op = push_field(L, "op");
    const char *sitekey = push_field(L, "sitekey");
    const char *status = push_field(L, "status");
    const char *code = push_field(L, "code");
    const char *message = push_field(L, "message");
    const char *ray = push_field(L, "ray");
    lua_pushfstring(
        L, "%s%s%s%s", op, *op && *sitekey ? " " : "", sitekey, *op || *sitekey ? ": " : "");
    lua_pushfstring(L, "%s%s%s%s%s", *status ? "HTTP " : "", status, *code ? ", code " : "", code,
        *status || *code ? ": " : "");
    lua_pushfstring(L, "%s%s%s%s", message, *ray ? " (CF-Ray " : "", ray, *ray ? ")" : "");
    lua_concat(L, 3);
    return 1;
}

// err:forgive("why"): the failure does not count against the exit status any more.
static int failure_forgive(lua_State *L)
{
    check_failure(L);
    if (lua_type(L, 2) != LUA_TSTRING || lua_rawlen(L, 2) == 0) {
        lx_misuse(L, "forgive: say why, in a string; the summary shows it");
    }
    size_t entry = lx_failure_entry(L, 1);
    if (entry > 0) {
        ts_door_forgive(ts_host_of(L)->door, entry, lua_tostring(L, 2));
    }
    lua_settop(L, 1);
    return 1;
}

void lx_open_failure(lua_State *L)
{
    static const luaL_Reg metamethods[] = {{"__tostring", failure__tostring}, {NULL, NULL}};
    static const luaL_Reg methods[] = {{"forgive", failure_forgive}, {NULL, NULL}};
    lx_metatable(L, FAILURE, NULL, metamethods, methods);
    lua_newtable(L);
    lua_createtable(L, 0, 1);
    lua_pushliteral(L, "k");
    lua_setfield(L, -2, "__mode");
    lua_setmetatable(L, -2);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &entries_key);
}
