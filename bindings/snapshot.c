// SPDX-License-Identifier: MIT
// The digests of a page form a set by open addressing, which grows. Widgets that were read alone
// share metatables too, some at a time, each with its own times.
#include "bindings/snapshot.h"

#include <string.h>

#include <lauxlib.h>

#include "bindings/digest.h"
#include "bindings/widget_member.h"
#include "bindings/widget_words.h"
#include "host/base/clock.h"

#define SLOTS_LEAST 8
#define SINGLES 16 // in a metatable; what one of them keeps alive is small

struct lx_snapshot {
    int64_t start_us;
    int64_t end_us;
    size_t count;
    size_t mask;
    uint64_t slots[];
};

struct single {
    uint64_t digest;
    int64_t start_us;
    int64_t end_us;
};

struct singles {
    size_t count;
    struct single widgets[SINGLES];
};

static const char snapshot_key; // in the metatable of a page: the struct of that name
static const char reading_key;  // and its list's reading
static const char singles_key;  // in that of single ones, and in the registry: theirs

struct lx_reading *push_reading(lua_State *L)
{
    struct lx_reading *reading = lua_newuserdatauv(L, sizeof *reading, 0);
    *reading =
        (struct lx_reading){.start_us = INT64_MAX, .end_us = INT64_MIN, .newest_us = INT64_MIN};
    return reading;
}

void lx_reading_add(
    struct lx_reading *reading, int64_t start_us, int64_t end_us, const char *newest)
{
    int64_t newest_us;
    reading->start_us = start_us < reading->start_us ? start_us : reading->start_us;
    reading->end_us = end_us > reading->end_us ? end_us : reading->end_us;
    if (ts_clock_parse(newest, strlen(newest), &newest_us) && newest_us > reading->newest_us) {
        reading->newest_us = newest_us;
    }
}

// Pushes a table that scripts cannot see when it is a metatable.
static void push_hidden(lua_State *L, int size)
{
    lua_createtable(L, 0, size + 1);
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
}

// Pushes an empty set of that many slots, a power of two.
static struct lx_snapshot *push_slots(lua_State *L, size_t slots)
{
    size_t size = slots * sizeof(uint64_t);
    struct lx_snapshot *snapshot = lua_newuserdatauv(L, sizeof *snapshot + size, 0);
    *snapshot = (struct lx_snapshot){.mask = slots - 1};
    memset(snapshot->slots, 0, size);
    return snapshot;
}

// The slot that holds the digest, or the free one where it would go.
static uint64_t *slot_find(struct lx_snapshot *snapshot, uint64_t digest)
{
    for (size_t i = digest;; i++) {
        uint64_t *slot = &snapshot->slots[i & snapshot->mask];
        if (*slot == digest || *slot == 0) {
            return slot;
        }
    }
}

static void slot_take(struct lx_snapshot *snapshot, uint64_t digest)
{
    uint64_t *slot = slot_find(snapshot, digest);
    snapshot->count += *slot == 0;
    *slot = digest;
}

void push_snapshot(lua_State *L, int64_t start_us, int64_t end_us, int reading)
{
    reading = lua_absindex(L, reading);
    push_hidden(L, 2);
    lua_pushvalue(L, reading);
    lua_rawsetp(L, -2, &reading_key);
    struct lx_snapshot *snapshot = push_slots(L, SLOTS_LEAST);
    snapshot->start_us = start_us;
    snapshot->end_us = end_us;
    lua_rawsetp(L, -2, &snapshot_key);
}

// One of twice the size takes the place of the one on top.
static struct lx_snapshot *snapshot_grow(lua_State *L, int page, const struct lx_snapshot *old)
{
    struct lx_snapshot *snapshot = push_slots(L, 2 * (old->mask + 1));
    snapshot->start_us = old->start_us;
    snapshot->end_us = old->end_us;
    for (size_t i = 0; i <= old->mask; i++) {
        if (old->slots[i]) {
            slot_take(snapshot, old->slots[i]);
        }
    }
    lua_pushvalue(L, -1);
    lua_rawsetp(L, page, &snapshot_key);
    lua_replace(L, -2);
    return snapshot;
}

void lx_snapshot_row(lua_State *L, int page, uint64_t digest)
{
    lua_rawgetp(L, page, &snapshot_key);
    struct lx_snapshot *snapshot = lua_touserdata(L, -1);
    if (3 * snapshot->count >= 2 * snapshot->mask) {
        snapshot = snapshot_grow(L, page, snapshot);
    }
    if (digest) {
        slot_take(snapshot, digest);
    }
    lua_pop(L, 1);
    lua_pushvalue(L, page);
    lua_setmetatable(L, -2);
}

// Pushes a metatable with room for one more. It is the user value of what it holds, which is in
// the registry until it is full.
static struct singles *push_singles(lua_State *L)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &singles_key);
    struct singles *singles = lua_touserdata(L, -1);
    if (!singles || singles->count == SINGLES) {
        singles = lua_newuserdatauv(L, sizeof *singles, 1);
        *singles = (struct singles){0};
        push_hidden(L, 1);
        lua_pushvalue(L, -2);
        lua_rawsetp(L, -2, &singles_key);
        lua_setiuservalue(L, -2, 1);
        lua_pushvalue(L, -1);
        lua_rawsetp(L, LUA_REGISTRYINDEX, &singles_key);
        lua_replace(L, -2);
    }
    lua_getiuservalue(L, -1, 1);
    lua_replace(L, -2);
    return singles;
}

void lx_snapshot_single(lua_State *L, uint64_t digest, int64_t start_us, int64_t end_us)
{
    struct singles *singles = push_singles(L);
    singles->widgets[singles->count++] = (struct single){digest, start_us, end_us};
    lua_setmetatable(L, -2);
}

// When the service's clock said so or later at start_us, going by the newest time that had been
// seen when the answer was there: the answer took no longer than that.
static int64_t floor_of(int64_t newest_us, int64_t start_us, int64_t end_us)
{
    return newest_us == INT64_MIN ? INT64_MIN : newest_us - (end_us - start_us);
}

int64_t lx_modified_of(lua_State *L, int idx)
{
    int64_t us = INT64_MIN;
    size_t len;
    idx = lua_absindex(L, idx);
    push_words(L);
    push_member_name(L, lua_gettop(L), LX_MEMBER_MODIFIED);
    if (lua_rawget(L, idx) == LUA_TSTRING) {
        const char *text = lua_tolstring(L, -1, &len);
        ts_clock_parse(text, len, &us);
    }
    lua_pop(L, 2);
    return us;
}

// The metatable is on top.
static bool row_find(lua_State *L, uint64_t digest, struct lx_known *out)
{
    lua_rawgetp(L, -1, &snapshot_key);
    struct lx_snapshot *snapshot = lua_touserdata(L, -1);
    if (!snapshot || *slot_find(snapshot, digest) != digest) {
        return false;
    }
    lua_rawgetp(L, -2, &reading_key);
    const struct lx_reading *reading = lua_touserdata(L, -1);
    out->read_us = snapshot->start_us;
    out->since_us = reading->start_us;
    out->floor_us = floor_of(reading->newest_us, reading->start_us, reading->end_us);
    return true;
}

// The metatable is on top, the widget at idx. Of the same widget the last one counts: both still
// were the same then.
static bool single_find(lua_State *L, int idx, uint64_t digest, struct lx_known *out)
{
    lua_rawgetp(L, -1, &singles_key);
    const struct singles *singles = lua_touserdata(L, -1);
    for (size_t i = singles ? singles->count : 0; i > 0; i--) {
        const struct single *single = &singles->widgets[i - 1];
        if (single->digest == digest) {
            out->read_us = out->since_us = single->start_us;
            out->floor_us = floor_of(lx_modified_of(L, idx), single->start_us, single->end_us);
            return true;
        }
    }
    return false;
}

bool lx_snapshot_of(lua_State *L, int idx, struct lx_known *out)
{
    int top = lua_gettop(L);
    idx = lua_absindex(L, idx);
    if (!lua_istable(L, idx) || !lua_getmetatable(L, idx)) {
        return false;
    }
    uint64_t digest = lx_digest_widget(L, idx);
    bool is_known = digest && row_find(L, digest, out);
    lua_settop(L, top + 1);
    is_known = is_known || (digest && single_find(L, idx, digest, out));
    lua_settop(L, top);
    return is_known;
}
