// SPDX-License-Identifier: MIT
// The Lua strings that widgets share: the names of their members, and words that are values again
// and again. To look them up anew for every widget was most of the cost of an answer.
#ifndef TS_BINDINGS_WIDGET_WORDS_H
#define TS_BINDINGS_WIDGET_WORDS_H

#include <stddef.h>
#include <stdint.h>

#include <lua.h>

#include "bindings/json_text.h"
#include "bindings/lx.h"
#include "bindings/widget_member.h"

#define LX_WORD_MAX 24 // bytes of a word that is kept, with its quotes

// The last value of a member.
struct lx_word {
    size_t len; // with its quotes; 0: none
    uint64_t digest;
    char quoted[LX_WORD_MAX];
};

// What is known of widgets from those that came before.
struct lx_words {
    int first;                  // member that they begin with
    int after[LX_MEMBER_COUNT]; // member that came behind that one
    int size;                   // members of the last one
    struct lx_word words[LX_MEMBER_COUNT];
};

// Sets up what push_words pushes; called once at set-up.
TS_RAISES void lx_open_words(lua_State *L);

// Pushes the table of the strings. Allocates nothing.
TS_RAISES void push_words(lua_State *L);

// What is known, of the table at idx, which is as for all below not relative. Lives as long.
struct lx_words *lx_words_of(lua_State *L, int idx);

// Push the name of a member, and its word, if one was kept. Allocate nothing.
TS_RAISES void push_member_name(lua_State *L, int idx, int member);
TS_RAISES void push_word(lua_State *L, int idx, int member);

// Keeps the string on top as the word of that member, unless it is too long or has escapes.
void lx_word_keep(
    lua_State *L, int idx, int member, const struct lx_json_string *string, uint64_t digest);

#endif
