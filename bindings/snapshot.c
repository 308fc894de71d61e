// SPDX-License-Identifier: MIT
// Digests are sums over the fields, so that the order in which a table gives them does not matter;
// of a page they form a set by open addressing. 64 bits over a page of 1,000: a changed row passes
// for one that came with a chance of about 1 in 10^16.
#include "bindings/snapshot.h"

#include <string.h>

#include <lauxlib.h>

#include "bindings/json.h"
#include "bindings/secret.h"
#include "host/api/widget.h"
#include "host/base/clock.h"

struct lx_snapshot {
    int64_t start_us;
    int64_t end_us;
    size_t mask;
    uint64_t slots[];
};

static const char snapshot_key; // in the metatable: the struct above
static const char reading_key;  // in the metatable of a page: its list's reading

// Fields in a digest: the writable ones have their own numbers, then these.
enum { FIELD_SITEKEY = TS_WIDGET_FIELD_COUNT, FIELD_MODIFIED, FIELD_NONE };

// By length first: this is asked for every field of every row.
static int field_of(const char *key, size_t len)
{
    static const struct {
        const char *name;
        int field;
    } names[] = {
        {"name", TS_WIDGET_NAME},
        {"mode", TS_WIDGET_MODE},
        {"region", TS_WIDGET_REGION},
        {"domains", TS_WIDGET_DOMAINS},
        {"sitekey", FIELD_SITEKEY},
        {"offlabel", TS_WIDGET_OFFLABEL},
        {"modified_on", FIELD_MODIFIED},
        {"ephemeral_id", TS_WIDGET_EPHEMERAL_ID},
        {"bot_fight_mode", TS_WIDGET_BOT_FIGHT_MODE},
        {"clearance_level", TS_WIDGET_CLEARANCE_LEVEL},
    };
    // Where names of that length begin; the next entry is where they end.
    static const unsigned char begins[] = {0, 0, 0, 0, 0, 2, 2, 3, 5, 6, 6, 6, 7, 8, 8, 9, 10};
    if (len + 1 >= sizeof begins) {
        return FIELD_NONE;
    }
    for (size_t i = begins[len]; i < begins[len + 1]; i++) {
        if (memcmp(names[i].name, key, len) == 0) {
            return names[i].field;
        }
    }
    return FIELD_NONE;
}

static uint64_t hash_mix(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * 0x9fb21c651e98df25u;
    return hash ^ hash >> 32;
}

static uint64_t hash_bytes(uint64_t hash, const char *bytes, size_t len)
{
    uint64_t word;
    size_t left = len;
    for (; left >= sizeof word; left -= sizeof word, bytes += sizeof word) {
        memcpy(&word, bytes, sizeof word);
        hash = hash_mix(hash, word);
    }
    word = 0;
    memcpy(&word, bytes, left);
    return hash_mix(hash_mix(hash, word), len);
}

// The value on top, as the field of that number. 0 when it cannot be compared.
static uint64_t hash_value(lua_State *L, int field)
{
    size_t len;
    uint64_t hash = hash_mix(0xd6e8feb86659fd93u, (uint64_t)field + 1);
    switch (lua_type(L, -1)) {
    case LUA_TSTRING: {
        const char *text = lua_tolstring(L, -1, &len);
        return hash_bytes(hash, text, len);
    }
    case LUA_TBOOLEAN:
        return hash_mix(hash, lua_toboolean(L, -1) ? 3 : 5);
    case LUA_TTABLE:
        break;
    default:
        return 0;
    }
    lua_Integer count = (lua_Integer)lua_rawlen(L, -1);
    hash = hash_mix(hash, (uint64_t)count);
    for (lua_Integer i = 1; i <= count; i++) {
        bool is_text = lua_rawgeti(L, -1, i) == LUA_TSTRING;
        if (is_text) {
            const char *text = lua_tolstring(L, -1, &len);
            hash = hash_bytes(hash, text, len);
        }
        lua_pop(L, 1);
        if (!is_text) {
            return 0;
        }
    }
    return hash;
}

// Adds the value on top to the digest; *is_whole turns false when it cannot be compared.
static void digest_add(lua_State *L, int field, uint64_t *digest, bool *is_whole)
{
    uint64_t hash = hash_value(L, field);
    *is_whole = *is_whole && hash;
    *digest += hash;
}

void lx_widget_adopt(lua_State *L, struct lx_adopted *out)
{
    int widget = lua_gettop(L);
    uint64_t digest = 0;
    bool is_whole = true, has_secret = false;
    *out = (struct lx_adopted){0};
    for (lua_pushnil(L); lua_next(L, widget); lua_pop(L, 1)) {
        size_t len = 0;
        const char *key = lua_type(L, -2) == LUA_TSTRING ? lua_tolstring(L, -2, &len) : "";
        if (lx_is_null(L, -1)) {
            lua_pushvalue(L, -2);
            lua_pushnil(L);
            lua_rawset(L, widget); // clearing a field is allowed while iterating
            continue;
        }
        has_secret = has_secret || (len == 6 && memcmp(key, "secret", 6) == 0);
        int field = field_of(key, len);
        if (field == FIELD_NONE) {
            continue;
        }
        digest_add(L, field, &digest, &is_whole);
        if (field == FIELD_MODIFIED && lua_type(L, -1) == LUA_TSTRING) {
            out->modified = lua_tolstring(L, -1, &out->modified_len);
        }
    }
    out->digest = is_whole ? digest : 0;
    if (has_secret && lua_getfield(L, widget, "secret") == LUA_TSTRING) {
        size_t len;
        const char *text = lua_tolstring(L, -1, &len);
        push_secret(L, text, len);
        lua_setfield(L, widget, "secret");
    }
    lua_settop(L, widget);
}

struct lx_reading *push_reading(lua_State *L)
{
    struct lx_reading *reading = lua_newuserdatauv(L, sizeof *reading, 0);
    *reading = (struct lx_reading){.start_us = INT64_MAX, .end_us = INT64_MIN};
    return reading;
}

void lx_reading_add(struct lx_reading *reading, int64_t start_us, int64_t end_us)
{
    reading->start_us = start_us < reading->start_us ? start_us : reading->start_us;
    reading->end_us = end_us > reading->end_us ? end_us : reading->end_us;
}

// Compared as text: times without a fraction sort a little wrong, but what is kept did come.
void lx_reading_see(struct lx_reading *reading, const struct lx_adopted *row)
{
    if (row->modified && row->modified_len < sizeof reading->newest &&
        strcmp(row->modified, reading->newest) > 0) {
        memcpy(reading->newest, row->modified, row->modified_len + 1);
    }
}

struct lx_snapshot *push_snapshot(
    lua_State *L, size_t rows, int64_t start_us, int64_t end_us, int reading)
{
    size_t cap = 1;
    while (cap < rows + rows / 2) {
        cap *= 2;
    }
    lua_createtable(L, 0, reading ? 3 : 2);
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    if (reading) {
        lua_pushvalue(L, reading);
        lua_rawsetp(L, -2, &reading_key);
    }
    struct lx_snapshot *snapshot =
        lua_newuserdatauv(L, sizeof *snapshot + cap * sizeof snapshot->slots[0], 0);
    *snapshot = (struct lx_snapshot){.start_us = start_us, .end_us = end_us, .mask = cap - 1};
    memset(snapshot->slots, 0, cap * sizeof snapshot->slots[0]);
    lua_rawsetp(L, -2, &snapshot_key);
    return snapshot;
}

// The slot that holds the digest, or the free one where it would go; NULL when all are taken.
static uint64_t *slot_find(struct lx_snapshot *snapshot, uint64_t digest)
{
    for (size_t i = 0; i <= snapshot->mask; i++) {
        uint64_t *slot = &snapshot->slots[(digest + i) & snapshot->mask];
        if (*slot == digest || *slot == 0) {
            return slot;
        }
    }
    return NULL;
}

void lx_snapshot_add(struct lx_snapshot *snapshot, const struct lx_adopted *row)
{
    uint64_t *slot = row->digest ? slot_find(snapshot, row->digest) : NULL;
    if (slot) {
        *slot = row->digest;
    }
}

// The digest of the fields of the widget at idx as they are now, and its modified_on.
static uint64_t widget_digest(lua_State *L, int idx, int64_t *modified_us)
{
    uint64_t digest = 0;
    bool is_whole = true;
    for (lua_pushnil(L); lua_next(L, idx); lua_pop(L, 1)) {
        size_t len;
        const char *key = lua_type(L, -2) == LUA_TSTRING ? lua_tolstring(L, -2, &len) : NULL;
        int field = key ? field_of(key, len) : FIELD_NONE;
        if (field == FIELD_NONE) {
            continue;
        }
        digest_add(L, field, &digest, &is_whole);
        if (field == FIELD_MODIFIED && lua_type(L, -1) == LUA_TSTRING) {
            const char *text = lua_tolstring(L, -1, &len);
            ts_clock_parse(text, len, modified_us);
        }
    }
    return is_whole ? digest : 0;
}

// When the service's clock said so or later at start_us, going by the newest time that had been
// seen when the answer was there: the answer took no longer than that.
static int64_t floor_of(const char *newest, int64_t start_us, int64_t end_us)
{
    int64_t newest_us;
    return ts_clock_parse(newest, strlen(newest), &newest_us) ? newest_us - (end_us - start_us)
                                                              : INT64_MIN;
}

bool lx_snapshot_of(lua_State *L, int idx, struct lx_known *out)
{
    int top = lua_gettop(L);
    idx = lua_absindex(L, idx);
    if (!lua_istable(L, idx) || !lua_getmetatable(L, idx)) {
        return false;
    }
    bool is_known = false;
    if (lua_rawgetp(L, -1, &snapshot_key) == LUA_TUSERDATA) {
        struct lx_snapshot *snapshot = lua_touserdata(L, -1);
        *out = (struct lx_known){.read_us = snapshot->start_us, .modified_us = INT64_MIN};
        uint64_t digest = widget_digest(L, idx, &out->modified_us);
        uint64_t *slot = digest ? slot_find(snapshot, digest) : NULL;
        is_known = slot && *slot == digest;
        if (is_known && lua_rawgetp(L, top + 1, &reading_key) == LUA_TUSERDATA) {
            const struct lx_reading *reading = lua_touserdata(L, -1);
            out->since_us = reading->start_us;
            out->floor_us = floor_of(reading->newest, reading->start_us, reading->end_us);
        } else if (is_known) {
            out->since_us = out->read_us;
            out->floor_us = out->modified_us == INT64_MIN
                                ? INT64_MIN
                                : out->modified_us - (snapshot->end_us - snapshot->start_us);
        }
    }
    lua_settop(L, top);
    return is_known;
}

uint64_t lx_fields_digest(lua_State *L, int idx, unsigned fields)
{
    uint64_t digest = 0;
    for (int field = 0; field < TS_WIDGET_FIELD_COUNT; field++) {
        if (fields & 1u << field) {
            lua_pushstring(L, ts_widget_rule_of((enum ts_widget_field)field)->name);
            lua_rawget(L, idx);
            digest += hash_value(L, field);
            lua_pop(L, 1);
        }
    }
    return digest;
}
