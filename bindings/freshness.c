// SPDX-License-Identifier: MIT
// Open addressing over hashes of sitekeys, as in seen.c: widgets of one hash would be taken for
// one, and read once more than they need.
#include "bindings/freshness.h"

#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "bindings/client.h"
#include "bindings/digest.h"
#include "bindings/host.h"
#include "bindings/seen.h"
#include "bindings/snapshot.h"
#include "bindings/widgets.h"
#include "host/net/loop.h"

#define UNTRUSTED INT64_MAX // what is there now is not known

enum { NOTES_MIN = 256, RECENT_MIN = 64 };

static void complain_memory(lua_State *L) __attribute__((noreturn));
static void complain_memory(lua_State *L)
{
    luaL_error(L, "not enough memory");
    __builtin_unreachable();
}

// Where the note of that key is, or would go.
static struct lx_note *slot_of(struct lx_note *notes, size_t cap, uint64_t key)
{
    size_t i = key & (cap - 1);
    while (notes[i].key && notes[i].key != key) {
        i = (i + 1) & (cap - 1);
    }
    return &notes[i];
}

uint64_t lx_freshness_key(const char *sitekey)
{
    return ts_seen_hash(sitekey, strlen(sitekey));
}

static const struct lx_note *note_find(const struct lx_freshness *fresh, uint64_t key)
{
    static const struct lx_note none = {.changed_us = INT64_MIN};
    if (!fresh->cap) {
        return &none;
    }
    const struct lx_note *note = slot_of(fresh->notes, fresh->cap, key);
    return note->key ? note : &none;
}

static void notes_grow(lua_State *L, struct lx_freshness *fresh)
{
    size_t cap = fresh->cap ? fresh->cap * 2 : NOTES_MIN;
    struct lx_note *notes = calloc(cap, sizeof *notes);
    if (!notes) {
        complain_memory(L);
    }
    for (size_t i = 0; i < fresh->cap; i++) {
        if (fresh->notes[i].key) {
            *slot_of(notes, cap, fresh->notes[i].key) = fresh->notes[i];
        }
    }
    free(fresh->notes);
    fresh->notes = notes;
    fresh->cap = cap;
}

// The widget's note, made if there is none.
static struct lx_note *note_of(lua_State *L, struct lx_freshness *fresh, uint64_t key)
{
    if (fresh->count >= fresh->cap / 4 * 3) {
        notes_grow(L, fresh);
    }
    struct lx_note *note = slot_of(fresh->notes, fresh->cap, key);
    if (!note->key) {
        *note = (struct lx_note){.key = key, .changed_us = INT64_MIN};
        fresh->count++;
    }
    return note;
}

static void recent_add(lua_State *L, struct lx_freshness *fresh, int64_t modified_us)
{
    if (fresh->recent_count == fresh->recent_cap) {
        size_t cap = fresh->recent_cap ? fresh->recent_cap * 2 : RECENT_MIN;
        int64_t *recent = reallocarray(fresh->recent, cap, sizeof *recent);
        if (!recent) {
            complain_memory(L);
        }
        fresh->recent = recent;
        fresh->recent_cap = cap;
    }
    fresh->recent[fresh->recent_count++] = modified_us;
}

void lx_freshness_fini(struct lx_freshness *fresh)
{
    free(fresh->notes);
    free(fresh->recent);
    *fresh = (struct lx_freshness){0};
}

enum lx_trust lx_freshness_ask(lua_State *L, const struct lx_freshness *fresh, uint64_t key,
    int idx, struct lx_known *known, int64_t *until)
{
    const struct ts_host *host = ts_host_of(L);
    if (host->fresh_us == 0 || !lx_snapshot_of(L, idx, known)) {
        return LX_TRUST_NONE;
    }
    const struct lx_note *note = note_find(fresh, key);
    if (note->changed_us != INT64_MIN && note->changed_us > lx_modified_of(L, idx)) {
        return LX_TRUST_NONE;
    }
    int64_t vouched_us = known->read_us;
    if (fresh->has_looked && fresh->from <= vouched_us && fresh->looked > vouched_us) {
        vouched_us = fresh->looked;
    }
    if (ts_loop_now(host->loop) - vouched_us <= host->fresh_us) {
        *until = vouched_us + host->fresh_us;
        return LX_TRUST_GOOD;
    }
    bool is_dated = known->floor_us != INT64_MIN && lx_modified_of(L, idx) != INT64_MIN;
    return is_dated ? LX_TRUST_LOOK : LX_TRUST_NONE;
}

unsigned lx_freshness_own(lua_State *L, const struct lx_freshness *fresh, uint64_t key, int idx)
{
    const struct lx_note *note = note_find(fresh, key);
    bool is_own = note->own && lx_digest_fields(L, idx, note->own) == note->left;
    return is_own ? note->own : 0;
}

void lx_freshness_read(lua_State *L, struct lx_freshness *fresh, uint64_t key, int idx)
{
    if (note_find(fresh, key)->changed_us != INT64_MIN) {
        int64_t modified_us = lx_modified_of(L, idx);
        note_of(L, fresh, key)->changed_us = modified_us == INT64_MIN ? UNTRUSTED : modified_us;
    }
}

void lx_freshness_wrote(
    lua_State *L, struct lx_freshness *fresh, uint64_t key, int idx, unsigned fields)
{
    int64_t modified_us = lx_modified_of(L, idx);
    uint64_t left = lx_digest_fields(L, idx, fields);
    struct lx_note *note = note_of(L, fresh, key);
    note->changed_us = modified_us == INT64_MIN ? UNTRUSTED : modified_us;
    if (fields) {
        note->own = fields;
        note->left = left;
    }
    if (modified_us != INT64_MIN) {
        recent_add(L, fresh, modified_us);
    }
}

static struct lx_freshness *freshness_of(lua_State *L)
{
    return lx_client_freshness(L, lua_upvalueindex(1));
}

// Of the sitekey that is the first argument.
static uint64_t check_key(lua_State *L)
{
    return lx_freshness_key(luaL_checkstring(L, 1));
}

// trust(sitekey, widget) -> until when it may be relied on | nil: it has to be read | false, since,
// floor: a look at what changed since then may tell
static int core_trust(lua_State *L)
{
    struct lx_known known;
    int64_t until;
    switch (lx_freshness_ask(L, freshness_of(L), check_key(L), 2, &known, &until)) {
    case LX_TRUST_GOOD:
        lua_pushinteger(L, until);
        return 1;
    case LX_TRUST_LOOK:
        lua_pushboolean(L, 0);
        lua_pushinteger(L, known.since_us);
        lua_pushinteger(L, known.floor_us);
        return 3;
    default:
        return 0;
    }
}

// own_fields(sitekey, widget) -> bits of the fields that are as our own writes left them
static int core_own_fields(lua_State *L)
{
    lua_pushinteger(L, lx_freshness_own(L, freshness_of(L), check_key(L), 2));
    return 1;
}

// has_looked(from, looked): looks cover all that was read in between
static int core_has_looked(lua_State *L)
{
    struct lx_freshness *fresh = freshness_of(L);
    fresh->from = luaL_checkinteger(L, 1);
    fresh->looked = luaL_checkinteger(L, 2);
    fresh->has_looked = true;
    return 0;
}

// has_changed(sitekey, modified): a look has shown that
static int core_has_changed(lua_State *L)
{
    int64_t modified_us = luaL_checkinteger(L, 2);
    struct lx_note *note = note_of(L, freshness_of(L), check_key(L));
    note->changed_us = note->changed_us > modified_us ? note->changed_us : modified_us;
    return 0;
}

// has_read(sitekey, widget): it has been read, on behalf of a write
static int core_has_read(lua_State *L)
{
    lx_freshness_read(L, freshness_of(L), check_key(L), 2);
    return 0;
}

// has_written(sitekey, widget, bits): a write has been answered with the widget, or had been
// applied; the bits of those fields that are our own, 0 for a write that leaves fields alone
static int core_has_written(lua_State *L)
{
    unsigned fields = (unsigned)luaL_checkinteger(L, 3);
    lx_freshness_wrote(L, freshness_of(L), check_key(L), 2, fields);
    return 0;
}

// distrust(sitekey, is_gone): nobody knows what is there; it is read before anything relies on it
static int core_distrust(lua_State *L)
{
    struct lx_note *note = note_of(L, freshness_of(L), check_key(L));
    note->changed_us = UNTRUSTED;
    note->own = lua_toboolean(L, 2) ? 0 : note->own;
    return 0;
}

// recent(stop) -> how many of our own writes a look back to that time will show; forgets the others
static int core_recent(lua_State *L)
{
    struct lx_freshness *fresh = freshness_of(L);
    int64_t stop_us = luaL_checkinteger(L, 1);
    size_t kept = 0;
    for (size_t i = 0; i < fresh->recent_count; i++) {
        if (fresh->recent[i] >= stop_us) {
            fresh->recent[kept++] = fresh->recent[i];
        }
    }
    fresh->recent_count = kept;
    lua_pushinteger(L, (lua_Integer)kept);
    return 1;
}

void lx_add_freshness(lua_State *L, int client)
{
    static const luaL_Reg functions[] = {
        {"trust", core_trust},
        {"own_fields", core_own_fields},
        {"has_looked", core_has_looked},
        {"has_changed", core_has_changed},
        {"has_read", core_has_read},
        {"has_written", core_has_written},
        {"distrust", core_distrust},
        {"recent", core_recent},
        {NULL, NULL},
    };
    lua_pushvalue(L, client);
    luaL_setfuncs(L, functions, 1);
}
