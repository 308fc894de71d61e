// SPDX-License-Identifier: MIT
// The check and the decoding are both strict, so what passed the one fails in the other only for
// what is no matter of grammar: a number that is too large, a secret that is too long.
#include "bindings/list_rows.h"

#include <string.h>

#include <lauxlib.h>

#include "bindings/json_decode.h"
#include "bindings/snapshot.h"
#include "bindings/widget_decode.h"
#include "bindings/widget_member.h"
#include "bindings/widget_words.h"

#define ROWS "turnstile.list.rows"

enum { ROWS_METATABLE = 1, ROWS_DECODED, ROWS_VALUES = ROWS_DECODED };

void lx_rows_close(struct lx_rows *rows)
{
    rows->taken = rows->count;
    if (!rows->is_busy) {
        ts_buf_fini(&rows->text);
    }
}

static int rows__gc(lua_State *L)
{
    struct lx_rows *rows = lua_touserdata(L, 1);
    rows->taken = rows->count; // for who is collected later and still asks
    ts_buf_fini(&rows->text);
    return 0;
}

void lx_open_rows(lua_State *L)
{
    static const luaL_Reg metamethods[] = {{"__gc", rows__gc}, {NULL, NULL}};
    lx_metatable(L, ROWS, NULL, metamethods, NULL);
}

struct lx_rows *push_rows(lua_State *L, int64_t start_us, int64_t end_us, int reading)
{
    reading = lua_absindex(L, reading);
    struct lx_rows *rows = lua_newuserdatauv(L, sizeof *rows, ROWS_VALUES);
    *rows = (struct lx_rows){0};
    luaL_setmetatable(L, ROWS);
    push_snapshot(L, start_us, end_us, reading);
    lua_setiuservalue(L, -2, ROWS_METATABLE);
    return rows;
}

static bool is_named(const struct lx_json_string *name, int member)
{
    const struct lx_member *known = &lx_members()[member];
    return lx_json_is(name, known->name, known->len);
}

// Compared as text, up to a NUL: times without a fraction sort a little wrong, but what is kept did
// come.
static void newest_note(struct lx_rows *rows, const char *modified, size_t len)
{
    if (len < sizeof rows->newest && strncmp(modified, rows->newest, len) > 0) {
        memcpy(rows->newest, modified, len);
        rows->newest[len] = '\0';
    }
}

static bool modified_check(struct lx_json *json, struct lx_rows *rows)
{
    struct lx_json_string modified;
    if (!lx_json_read(json, &modified)) {
        return false;
    }
    newest_note(rows, modified.bytes, modified.len);
    if (modified.is_pushed) {
        lua_pop(json->L, 1);
    }
    return true;
}

static bool row_check(struct lx_json *json, struct lx_rows *rows)
{
    if (*json->at != '{') {
        return lx_json_skip(json);
    }
    for (bool is_more = lx_json_open(json, '}'); is_more; is_more = lx_json_more(json, '}')) {
        struct lx_json_string name;
        if (!lx_json_read_name(json, &name)) {
            return false;
        }
        bool is_modified = is_named(&name, LX_MEMBER_MODIFIED);
        bool is_secret = is_named(&name, LX_MEMBER_SECRET) && *json->at == '"';
        rows->has_secrets = rows->has_secrets || is_secret;
        if (name.is_pushed) {
            lua_pop(json->L, 1);
        }
        if (!(is_modified && *json->at == '"' ? modified_check(json, rows) : lx_json_skip(json))) {
            return false;
        }
    }
    return !json->why;
}

// Of an answer with several results the last one counts.
static bool rows_check(struct lx_json *json, void *self)
{
    struct lx_rows *rows = self;
    rows->count = 0;
    rows->newest[0] = '\0';
    rows->is_list = *json->at == '[';
    lua_pushnil(json->L); // the rows are no value yet
    if (!rows->is_list) {
        return lx_json_skip(json);
    }
    bool is_more = lx_json_open(json, ']');
    rows->json = *json;
    for (; is_more; is_more = lx_json_more(json, ']')) {
        if (!row_check(json, rows)) {
            return false;
        }
        rows->count++;
    }
    return !json->why;
}

struct lx_result lx_rows_result(struct lx_rows *rows)
{
    return (struct lx_result){.push = rows_check, .self = rows, .keep = &rows->text};
}

// Decodes the row at the place. The metatable is at the index `metatable`, what widgets share
// behind it.
static bool push_row(struct lx_rows *rows, int metatable)
{
    struct lx_json *json = &rows->json;
    struct lx_decoded row;
    rows->taken++;
    if (*json->at != '{') {
        return push_json_value(json);
    }
    if (!push_widget(json, metatable + 1, &row)) {
        return false;
    }
    lx_snapshot_row(json->L, metatable, row.digest);
    return true;
}

// The same for the box at idx, up to the row behind.
static bool push_text_row(lua_State *L, int idx, struct lx_rows *rows)
{
    rows->json.L = L;
    lua_getiuservalue(L, idx, ROWS_METATABLE);
    int metatable = lua_gettop(L);
    push_words(L);
    rows->is_busy = true;
    bool is_good = push_row(rows, metatable);
    rows->is_busy = false;
    if (!is_good) {
        return false;
    }
    lua_replace(L, metatable);
    lua_settop(L, metatable);
    lx_json_more(&rows->json, ']');
    return true;
}

bool lx_rows_settle(lua_State *L, int idx, struct lx_rows *rows)
{
    if (!rows->has_secrets) {
        return true;
    }
    idx = lua_absindex(L, idx);
    lua_createtable(L, (int)rows->count, 0);
    while (rows->taken < rows->count) {
        if (!push_text_row(L, idx, rows)) {
            return false;
        }
        lua_rawseti(L, -2, rows->taken);
    }
    lua_setiuservalue(L, idx, ROWS_DECODED);
    ts_buf_fini(&rows->text);
    rows->taken = 0;
    return true;
}

bool push_next_row(lua_State *L, int idx, struct lx_rows *rows)
{
    if (rows->has_secrets) {
        lua_getiuservalue(L, idx, ROWS_DECODED);
        lua_rawgeti(L, -1, ++rows->taken);
        lua_replace(L, -2);
        return true;
    }
    bool is_good = push_text_row(L, idx, rows);
    if (rows->taken == rows->count) {
        lx_rows_close(rows);
    }
    return is_good;
}
