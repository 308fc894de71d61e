// SPDX-License-Identifier: MIT
// One line of CSV out of a list of values: RFC 4180, quotes where they are needed.
// What csv.open reads back is what went in.
#include "bindings/csv.h"

#include <string.h>

#include <csv.h>
#include <lauxlib.h>

#include "bindings/secret.h"

#define ENCODE "csv.encode"
#define FIELDS_MAX 256

// Whether a field would be read back as something else without quotes.
static bool needs_quotes(const char *field, size_t len, bool is_only_field)
{
    if (len == 0) {
        return is_only_field; // an empty line is no record
    }
    if (strchr(" \t", field[0]) || strchr(" \t", field[len - 1])) {
        return true;
    }
    for (size_t i = 0; i < len; i++) {
        if (strchr(",\"\r\n", field[i])) { // NUL too
            return true;
        }
    }
    return false;
}

// Pushes the field at the top of the stack as text.
TS_RAISES static const char *push_field_text(lua_State *L, lua_Integer i, size_t *len)
{
    int type = lua_type(L, -1);
    bool is_plain = type == LUA_TSTRING || type == LUA_TNUMBER || type == LUA_TBOOLEAN;
    if (!is_plain && !lx_is_secret(L, -1)) {
        lx_misuse(L, "%s: field %d must be a string, number or boolean, is a %s", ENCODE, (int)i,
            luaL_typename(L, -1));
    }
    return luaL_tolstring(L, -1, len); // secrets give their mask
}

TS_RAISES static void buffer_add_field(
    luaL_Buffer *buffer, const char *field, size_t len, bool is_only_field)
{
    if (!needs_quotes(field, len, is_only_field)) {
        luaL_addlstring(buffer, field, len);
        return;
    }
    size_t size = csv_write(NULL, 0, field, len);
    char *out = luaL_prepbuffsize(buffer, size);
    luaL_addsize(buffer, csv_write(out, size, field, len));
}

int lx_csv_encode(lua_State *L)
{
    if (!lua_istable(L, 1)) {
        lx_misuse(L, "%s: a list of fields expected, got %s", ENCODE, luaL_typename(L, 1));
    }
    lua_settop(L, 1);
    lua_Integer count = (lua_Integer)lua_rawlen(L, 1);
    if (count == 0 || count > FIELDS_MAX) {
        lx_misuse(L, "%s: 1 to %d fields expected, got %d", ENCODE, FIELDS_MAX, (int)count);
    }
    lua_newtable(L); // the texts, so that the buffer is alone on top later
    for (lua_Integer i = 1; i <= count; i++) {
        size_t len;
        lua_rawgeti(L, 1, i);
        push_field_text(L, i, &len);
        lua_rawseti(L, 2, i);
        lua_pop(L, 1);
    }
    luaL_Buffer buffer;
    luaL_buffinit(L, &buffer);
    for (lua_Integer i = 1; i <= count; i++) {
        size_t len;
        lua_rawgeti(L, 2, i);
        const char *field = lua_tolstring(L, -1, &len); // anchored by the table
        lua_pop(L, 1);
        if (i > 1) {
            luaL_addchar(&buffer, ',');
        }
        buffer_add_field(&buffer, field, len, count == 1);
    }
    luaL_pushresult(&buffer);
    return 1;
}
