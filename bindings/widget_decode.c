// SPDX-License-Identifier: MIT
// Widgets are much alike: the same names in the same order, the same few words as values. So bytes
// are compared with what is expected at their place before they are read as a string.
#include "bindings/widget_decode.h"

#include <string.h>

#include <lauxlib.h>

#include "bindings/digest.h"
#include "bindings/json.h"
#include "bindings/json_decode.h"
#include "bindings/secret.h"
#include "bindings/widget_member.h"
#include "bindings/widget_words.h"

#define SIZE_MAX_KEPT 32 // members that a table is made for at once

// One widget under way.
struct decoding {
    struct lx_json *json;
    struct lx_words *words;
    int idx;            // of their table
    unsigned members;   // bits of those that came
    bool has_repeats;   // a member came twice
    bool is_comparable; // so far
    struct lx_decoded *out;
};

// Reads a name, with its colon, that is not the one that was expected. The member it names; or
// LX_MEMBER_COUNT for one that is not known, which is pushed; or -1 when something is wrong.
static int name_read(struct lx_json *json)
{
    struct lx_json_string name;
    if (!lx_json_read_name(json, &name)) {
        return -1;
    }
    int member = lx_member_of(name.bytes, name.len);
    bool is_known = member != LX_MEMBER_COUNT;
    if (is_known && name.is_pushed) {
        lua_pop(json->L, 1);
    } else if (!is_known && !name.is_pushed) {
        lua_pushlstring(json->L, name.bytes, name.len);
    }
    return member;
}

// The same for any name, which is pushed. *expected is the member that is likely next; afterwards
// it is the one likely behind.
static int push_name(struct decoding *decoding, int **expected)
{
    struct lx_json *json = decoding->json;
    int member = **expected;
    const struct lx_member *guess = &lx_members()[member];
    if (!lx_json_match(json, guess->quoted, guess->len + 2)) {
        member = name_read(json);
        if (member < 0 || member == LX_MEMBER_COUNT) {
            return member;
        }
        **expected = member;
    } else if (!lx_json_read_colon(json)) {
        return -1;
    }
    push_member_name(json->L, decoding->idx, member);
    *expected = &decoding->words->after[member];
    return member;
}

// Pushes a word if it is the one that was there the last time.
static bool push_same_word(struct decoding *decoding, int member, uint64_t *digest)
{
    const struct lx_word *word = &decoding->words->words[member];
    if (word->len == 0 || !lx_json_match(decoding->json, word->quoted, word->len)) {
        return false;
    }
    push_word(decoding->json->L, decoding->idx, member);
    *digest = word->digest;
    return true;
}

static bool push_text(struct decoding *decoding, int member, uint64_t *digest)
{
    lua_State *L = decoding->json->L;
    bool is_word = lx_members()[member].is_word;
    if (is_word && push_same_word(decoding, member, digest)) {
        return true;
    }
    struct lx_json_string string;
    if (!lx_json_read(decoding->json, &string)) {
        return false;
    }
    if (member == LX_MEMBER_SECRET) {
        if (string.len > TS_SECRET_MAX) {
            return lx_json_complain(decoding->json, "a secret that is too long");
        }
        push_secret(L, string.bytes, string.len);
        if (string.is_pushed) {
            lua_remove(L, -2);
        }
        return true;
    }
    if (!string.is_pushed) {
        lua_pushlstring(L, string.bytes, string.len);
    }
    *digest = lx_digest_text(lx_digest_begin(member), string.bytes, string.len);
    if (is_word) {
        lx_word_keep(L, decoding->idx, member, &string, *digest);
    }
    return true;
}

// The value on top becomes nil if it is null.
static void null_drop(lua_State *L)
{
    if (lx_is_null(L, -1)) {
        lua_pop(L, 1);
        lua_pushnil(L);
    }
}

// A list whose digest is taken as its items pass by.
struct list_digest {
    uint64_t hash;
    size_t count;
    bool is_comparable;
};

static bool push_list_item(struct lx_json *json, void *self)
{
    struct list_digest *list = self;
    struct lx_json_string string;
    if (*json->at != '"') {
        list->is_comparable = false;
        return push_json_value(json);
    }
    if (!lx_json_read(json, &string)) {
        return false;
    }
    if (!string.is_pushed) {
        lua_pushlstring(json->L, string.bytes, string.len);
    }
    list->hash = lx_digest_text(list->hash, string.bytes, string.len);
    list->count++;
    return true;
}

static bool push_list(struct decoding *decoding, int member, uint64_t *digest)
{
    struct list_digest list = {.hash = lx_digest_begin(member), .is_comparable = true};
    bool is_good = push_json_array(decoding->json, push_list_item, &list);
    *digest = list.is_comparable ? lx_digest_end(list.hash, list.count) : 0;
    return is_good;
}

// A value that is neither text nor list of a known member; nil for null.
static bool push_other(struct decoding *decoding, int member, uint64_t *digest)
{
    lua_State *L = decoding->json->L;
    if (!push_json_value(decoding->json)) {
        return false;
    }
    *digest = lx_digest_value(L, member);
    if (*digest == 0) {
        null_drop(L);
    }
    return true;
}

static bool push_known(struct decoding *decoding, int member, uint64_t *digest)
{
    switch (*decoding->json->at) {
    case '"':
        return push_text(decoding, member, digest);
    case '[':
        return push_list(decoding, member, digest);
    default:
        return push_other(decoding, member, digest);
    }
}

// Notes the value on top, of a known member, whose hash this is.
static void member_note(struct decoding *decoding, int member, uint64_t digest)
{
    struct lx_decoded *out = decoding->out;
    lua_State *L = decoding->json->L;
    decoding->has_repeats = decoding->has_repeats || decoding->members & 1u << member;
    decoding->members |= 1u << member;
    if (member < LX_MEMBER_DIGESTED) {
        decoding->is_comparable = decoding->is_comparable && (digest || lua_isnil(L, -1));
        out->digest += digest;
    }
    if (member == LX_MEMBER_SITEKEY) {
        out->has_sitekey = lua_type(L, -1) == LUA_TSTRING && lua_rawlen(L, -1) > 0;
    }
}

static bool push_member_value(struct decoding *decoding, int member)
{
    uint64_t digest = 0;
    if (member == LX_MEMBER_COUNT) {
        if (!push_json_value(decoding->json)) {
            return false;
        }
        null_drop(decoding->json->L);
        return true;
    }
    if (!push_known(decoding, member, &digest)) {
        return false;
    }
    member_note(decoding, member, digest);
    return true;
}

// The secret of the widget knows whose it is.
static void secret_name(lua_State *L, int words, int widget)
{
    push_member_name(L, words, LX_MEMBER_SECRET);
    lua_rawget(L, widget);
    push_member_name(L, words, LX_MEMBER_SITEKEY);
    lua_rawget(L, widget);
    lx_secret_set_owner(L, -2, -1);
    lua_pop(L, 2);
}

bool push_widget(struct lx_json *json, int words, struct lx_decoded *out)
{
    lua_State *L = json->L;
    struct decoding decoding = {.json = json,
        .words = lx_words_of(L, words),
        .idx = words,
        .is_comparable = true,
        .out = out};
    *out = (struct lx_decoded){0};
    lua_createtable(L, 0, decoding.words->size);
    int widget = lua_gettop(L), size = 0;
    int *expected = &decoding.words->first;
    for (bool is_more = lx_json_open(json, '}'); is_more; is_more = lx_json_more(json, '}')) {
        int member = push_name(&decoding, &expected);
        if (member < 0 || !push_member_value(&decoding, member)) {
            return false;
        }
        lua_rawset(L, widget);
        size++;
    }
    if (json->why) {
        return false;
    }
    decoding.words->size = size < SIZE_MAX_KEPT ? size : SIZE_MAX_KEPT;
    if (decoding.members & 1u << LX_MEMBER_SECRET) {
        secret_name(L, words, widget);
    }
    if (decoding.has_repeats) { // the last ones count, and they alone
        out->digest = lx_digest_widget(L, widget);
    } else if (!decoding.is_comparable) {
        out->digest = 0;
    }
    return true;
}
