// SPDX-License-Identifier: MIT
// A table with the strings, which keeps what is known of them as well.
#include "bindings/widget_words.h"

#include <string.h>

#include <lauxlib.h>

#include "bindings/host.h"
#include "bindings/lx.h"
#include "bindings/widget_member.h"

// In the table: names at 1 + member, words at 1 + LX_MEMBER_COUNT + member, and the struct here.
#define SELF (1 + 2 * LX_MEMBER_COUNT)

void lx_open_words(lua_State *L)
{
    lua_createtable(L, SELF, 0);
    for (int member = 0; member < LX_MEMBER_COUNT; member++) {
        lua_pushstring(L, lx_members()[member].name);
        lua_rawseti(L, -2, 1 + member);
        lua_pushboolean(L, 0);
        lua_rawseti(L, -2, 1 + LX_MEMBER_COUNT + member);
    }
    struct lx_words *words = lua_newuserdatauv(L, sizeof *words, 0);
    *words = (struct lx_words){0};
    lua_rawseti(L, -2, SELF);
    ts_host_of(L)->words = luaL_ref(L, LUA_REGISTRYINDEX);
}

void push_words(lua_State *L)
{
    lua_rawgeti(L, LUA_REGISTRYINDEX, ts_host_of(L)->words);
}

struct lx_words *lx_words_of(lua_State *L, int idx)
{
    lua_rawgeti(L, idx, SELF);
    struct lx_words *words = lua_touserdata(L, -1);
    lua_pop(L, 1);
    return words;
}

void push_member_name(lua_State *L, int idx, int member)
{
    lua_rawgeti(L, idx, 1 + member);
}

void push_word(lua_State *L, int idx, int member)
{
    lua_rawgeti(L, idx, 1 + LX_MEMBER_COUNT + member);
}

void lx_word_keep(
    lua_State *L, int idx, int member, const struct lx_json_string *string, uint64_t digest)
{
    struct lx_word *word = &lx_words_of(L, idx)->words[member];
    size_t len = string->len + 2;
    if (len > sizeof word->quoted || string->is_pushed) {
        return;
    }
    lua_pushvalue(L, -1);
    lua_rawseti(L, idx, 1 + LX_MEMBER_COUNT + member);
    memcpy(word->quoted, string->bytes - 1, len);
    word->len = len;
    word->digest = digest;
}
