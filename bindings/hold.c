// SPDX-License-Identifier: MIT
// Holds stand in lists by their hashed keys, those that wait among them. Two keys of one hash only
// wait for each other needlessly.
#include "bindings/hold.h"

#include <lauxlib.h>

#include "bindings/host.h"
#include "bindings/interrupt.h"
#include "bindings/sched.h"
#include "bindings/seen.h"

#define HOLD "turnstile.hold"

static struct lx_hold_bucket *bucket_of(struct lx_holds *holds, uint64_t key)
{
    return &holds->buckets[key % LX_HOLD_BUCKETS];
}

static void hold_add(struct lx_hold *hold, struct lx_holds *holds)
{
    struct lx_hold_bucket *bucket = bucket_of(holds, hold->key);
    hold->holds = holds;
    hold->prev = bucket->last;
    hold->next = NULL;
    *(hold->prev ? &hold->prev->next : &bucket->first) = hold;
    bucket->last = hold;
}

static void hold_remove(struct lx_hold *hold)
{
    struct lx_hold_bucket *bucket = bucket_of(hold->holds, hold->key);
    *(hold->prev ? &hold->prev->next : &bucket->first) = hold->next;
    *(hold->next ? &hold->next->prev : &bucket->last) = hold->prev;
    hold->holds = NULL;
}

// Whether another's hold is in the way.
static bool is_taken(const struct lx_hold *hold)
{
    const struct lx_hold *other = bucket_of(hold->holds, hold->key)->first;
    while (other &&
           !(other->is_held && other->key == hold->key && !(other->is_shared && hold->is_shared))) {
        other = other->next;
    }
    return other;
}

void lx_hold_end(struct lx_hold *hold)
{
    struct lx_holds *holds = hold->holds;
    ts_waiter_fini(&hold->waiter);
    if (!holds) {
        return;
    }
    hold_remove(hold);
    struct lx_hold *other = hold->is_held ? bucket_of(holds, hold->key)->first : NULL;
    for (; other; other = other->next) {
        if (other->key == hold->key) {
            ts_waiter_wake(&other->waiter);
        }
    }
    hold->is_held = false;
}

void lx_holds_wake(struct lx_holds *holds)
{
    for (size_t i = 0; i < LX_HOLD_BUCKETS; i++) {
        for (struct lx_hold *hold = holds->buckets[i].first; hold; hold = hold->next) {
            ts_waiter_wake(&hold->waiter);
        }
    }
}

static int take_k(lua_State *L, int status, lua_KContext ctx)
{
    struct lx_hold *hold = lua_touserdata(L, -1);
    hold->is_held = !is_taken(hold);
    if (hold->is_held) {
        lua_pushvalue(L, (int)ctx);
        return 1;
    }
    if (status == LUA_YIELD && ts_host_of(L)->sched->is_stopping) {
        lx_interrupt(L); // whoever holds it has been stopped
    }
    check_can_suspend(L);
    return ts_task_wait(L, &hold->waiter, ctx, take_k);
}

int lx_hold_take(lua_State *L, enum lx_hold_kind kind, uint64_t hash)
{
    struct lx_hold *hold = lua_touserdata(L, -1);
    hold->key = hash + (uint64_t)kind; // no other kind's
    hold_add(hold, &ts_host_of(L)->sched->holds);
    return take_k(L, LUA_OK, lua_gettop(L));
}

static int hold__close(lua_State *L)
{
    lx_hold_end(lua_touserdata(L, 1));
    return 0;
}

void lx_open_hold(lua_State *L)
{
    lx_metatable(L, HOLD, hold__close, NULL, NULL);
}

void lx_hold_tie(lua_State *L)
{
    luaL_setmetatable(L, HOLD);
}

// hold(kind, key) -> the hold, to be closed. Waits while others have it.
static int core_hold(lua_State *L)
{
    static const char *const kinds[] = {
        [LX_HOLD_SITEKEY] = "sitekey", [LX_HOLD_NAME] = "name", [LX_HOLD_LATE] = "late", NULL};
    enum lx_hold_kind kind = (enum lx_hold_kind)luaL_checkoption(L, 1, NULL, kinds);
    size_t len;
    const char *key = luaL_checklstring(L, 2, &len);
    lua_settop(L, 2);
    push_box(L, sizeof(struct lx_hold), HOLD);
    return lx_hold_take(L, kind, ts_seen_hash(key, len));
}

// release(hold): ends it before it is closed
static int core_release(lua_State *L)
{
    return hold__close(L);
}

void lx_add_holds(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"hold", core_hold}, {"release", core_release}, {NULL, NULL}};
    luaL_setfuncs(L, functions, 0);
}
