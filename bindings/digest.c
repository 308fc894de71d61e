// SPDX-License-Identifier: MIT
// 64 bits over a page of 1,000: a changed row passes for one that came with a chance of about 1 in
// 10^16.
#include "bindings/digest.h"

#include <stdbool.h>
#include <string.h>

#include "bindings/widget_member.h"
#include "bindings/widget_words.h"

static uint64_t hash_mix(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * 0x9fb21c651e98df25u;
    return hash ^ hash >> 32;
}

// The last word is the last eight bytes, some of them for the second time.
uint64_t lx_digest_text(uint64_t hash, const char *bytes, size_t len)
{
    uint64_t word = 0;
    const char *end = bytes + len;
    for (; end - bytes > (ptrdiff_t)sizeof word; bytes += sizeof word) {
        memcpy(&word, bytes, sizeof word);
        hash = hash_mix(hash, word);
    }
    word = 0;
    if (len >= sizeof word) {
        memcpy(&word, end - sizeof word, sizeof word);
    } else {
        memcpy(&word, bytes, len);
    }
    return hash_mix(hash_mix(hash, word), len);
}

uint64_t lx_digest_begin(int member)
{
    return hash_mix(0xd6e8feb86659fd93u, (uint64_t)member + 1);
}

uint64_t lx_digest_end(uint64_t hash, size_t count)
{
    return hash_mix(hash, count);
}

static uint64_t hash_list(lua_State *L, uint64_t hash)
{
    size_t count = lua_rawlen(L, -1);
    for (size_t i = 1; i <= count; i++) {
        size_t len;
        bool is_text = lua_rawgeti(L, -1, (lua_Integer)i) == LUA_TSTRING;
        if (is_text) {
            const char *text = lua_tolstring(L, -1, &len);
            hash = lx_digest_text(hash, text, len);
        }
        lua_pop(L, 1);
        if (!is_text) {
            return 0;
        }
    }
    return lx_digest_end(hash, count);
}

uint64_t lx_digest_value(lua_State *L, int member)
{
    size_t len;
    const char *text;
    uint64_t hash = lx_digest_begin(member);
    switch (lua_type(L, -1)) {
    case LUA_TSTRING:
        text = lua_tolstring(L, -1, &len);
        return lx_digest_text(hash, text, len);
    case LUA_TBOOLEAN:
        return hash_mix(hash, lua_toboolean(L, -1) ? 3 : 5);
    case LUA_TTABLE:
        return hash_list(L, hash);
    default:
        return 0;
    }
}

// Pushes that member of the widget at idx, by its name among the strings at `words`; gives its
// type. Raw: a table of the script's may have metamethods.
static int push_raw(lua_State *L, int idx, int words, int member)
{
    push_member_name(L, words, member);
    return lua_rawget(L, idx);
}

uint64_t lx_digest_widget(lua_State *L, int idx)
{
    uint64_t digest = 0;
    bool is_whole = true;
    push_words(L);
    int words = lua_gettop(L);
    for (int member = 0; member < LX_MEMBER_DIGESTED; member++) {
        if (push_raw(L, idx, words, member) != LUA_TNIL) {
            uint64_t hash = lx_digest_value(L, member);
            is_whole = is_whole && hash;
            digest += hash;
        }
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    return is_whole ? digest : 0;
}

uint64_t lx_digest_fields(lua_State *L, int idx, unsigned fields)
{
    uint64_t digest = 0;
    push_words(L);
    int words = lua_gettop(L);
    for (int field = 0; field < TS_WIDGET_FIELD_COUNT; field++) {
        if (fields & 1u << field) {
            push_raw(L, idx, words, field);
            digest += lx_digest_value(L, field);
            lua_pop(L, 1);
        }
    }
    lua_pop(L, 1);
    return digest;
}
