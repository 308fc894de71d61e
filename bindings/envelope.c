// SPDX-License-Identifier: MIT
// Members come in any order, and of those that come twice the last counts.
#include "bindings/envelope.h"

#include <lauxlib.h>

#include "bindings/json_decode.h"

// Messages are told from others only because every answer has them.
enum member { RESULT, SUCCESS, ERRORS, MESSAGES, RESULT_INFO, OTHER };

#define NAME(text)                                                                                 \
    {                                                                                              \
        .quoted = "\"" text "\"", .len = sizeof(text) - 1                                          \
    }

static const struct {
    const char *quoted;
    size_t len; // without the quotes
} names[] = {
    [RESULT] = NAME("result"),
    [SUCCESS] = NAME("success"),
    [ERRORS] = NAME("errors"),
    [MESSAGES] = NAME("messages"),
    [RESULT_INFO] = NAME("result_info"),
};

// Reads a name and its colon. False when something is wrong.
static bool member_read(struct lx_json *json, enum member *out)
{
    for (*out = RESULT; *out < OTHER; ++*out) {
        if (lx_json_match(json, names[*out].quoted, names[*out].len + 2)) {
            return lx_json_read_colon(json);
        }
    }
    struct lx_json_string name; // another one, or one with escapes
    if (!lx_json_read_name(json, &name)) {
        return false;
    }
    *out = RESULT;
    while (*out < OTHER && !lx_json_is(&name, names[*out].quoted + 1, names[*out].len)) {
        ++*out;
    }
    return true;
}

// The count of that name in the value on top, -1 when there is none.
static lua_Integer count_of(lua_State *L, const char *name)
{
    lua_Integer count = -1;
    lua_pushstring(L, name);
    if (lua_rawget(L, -2) == LUA_TNUMBER) {
        lua_Number number = lua_tonumber(L, -1);
        count = number >= 0 && number < 1e15 ? (lua_Integer)number : -1;
    }
    lua_pop(L, 1);
    return count;
}

static void info_read(lua_State *L, struct lx_result *result)
{
    bool is_table = lua_istable(L, -1);
    result->per_page = is_table ? count_of(L, "per_page") : -1;
    result->total_count = is_table ? count_of(L, "total_count") : -1;
}

// Pushes nothing for what nearly every answer has: an empty list.
static bool push_member_value(struct lx_json *json, enum member member, struct lx_result *result)
{
    if (member == RESULT && result->push) {
        return result->push(json, result->self);
    }
    if (member != RESULT && lx_json_match(json, "[]", 2)) {
        lua_pushnil(json->L);
        return true;
    }
    return push_json_value(json);
}

// Takes the value on top.
static void member_take(
    lua_State *L, int base, enum member member, struct lx_result *result, struct lx_envelope *out)
{
    switch (member) {
    case RESULT:
        lua_copy(L, -1, base + 1);
        break;
    case ERRORS:
        lua_copy(L, -1, base + 2);
        break;
    case SUCCESS:
        out->is_one = lua_isboolean(L, -1);
        out->is_success = lua_toboolean(L, -1);
        break;
    case RESULT_INFO:
        info_read(L, result);
        break;
    case MESSAGES:
    case OTHER:
        break;
    }
}

static bool members_read(struct lx_json *json, struct lx_result *result, struct lx_envelope *out)
{
    int base = lua_gettop(json->L) - 2;
    for (bool is_more = lx_json_open(json, '}'); is_more; is_more = lx_json_more(json, '}')) {
        enum member member;
        if (!member_read(json, &member) || !push_member_value(json, member, result)) {
            return false;
        }
        member_take(json->L, base, member, result, out);
        lua_settop(json->L, base + 2);
    }
    return !json->why;
}

bool push_envelope(lua_State *L, const char *text, size_t len, struct lx_result *result,
    struct lx_envelope *out, char *why)
{
    struct lx_json json;
    int top = lua_gettop(L);
    *out = (struct lx_envelope){0};
    result->per_page = result->total_count = -1;
    lx_json_begin(&json, L, text, len);
    luaL_checkstack(L, LUA_MINSTACK, "an answer");
    lua_pushnil(L);
    lua_pushnil(L);
    bool is_read = *json.at == '{' ? members_read(&json, result, out) : push_json_value(&json);
    if (!is_read || !lx_json_end(&json)) {
        lua_settop(L, top);
        lx_json_explain(&json, why);
        return false;
    }
    lua_settop(L, top + 2);
    return true;
}
