// SPDX-License-Identifier: MIT
// What the tests of JSON share.
#include "tests/unit/bindings/same.h"

#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

bool is_same(lua_State *L, int a, int b)
{
    luaL_checkstack(L, 6, "deep");
    if (lua_type(L, a) != lua_type(L, b)) {
        return false;
    }
    if (lua_type(L, a) == LUA_TNUMBER) {
        return lua_tonumber(L, a) == lua_tonumber(L, b);
    }
    if (!lua_istable(L, a)) {
        return lua_rawequal(L, a, b);
    }
    size_t count = 0, other = 0;
    for (lua_pushnil(L); lua_next(L, b); lua_pop(L, 1)) {
        other++;
    }
    for (lua_pushnil(L); lua_next(L, a); lua_pop(L, 1)) {
        count++;
        lua_pushvalue(L, -2);
        lua_rawget(L, b);
        int top = lua_gettop(L);
        if (!is_same(L, top - 1, top)) {
            lua_pop(L, 3);
            return false;
        }
        lua_pop(L, 1);
    }
    return count == other;
}

unsigned next(unsigned *seed)
{
    *seed = *seed * 1103515245u + 12345u;
    return *seed >> 16;
}

void damage(unsigned *seed, char *text, size_t *len)
{
    static const char bytes[] = "\"\\{}[]:,0123456789-+.eEutrnfalsx \n\x01\x80\xc3\xff";
    for (unsigned changes = 1 + next(seed) % 3; changes > 0; changes--) {
        size_t at = next(seed) % *len;
        switch (next(seed) % 4) {
        case 0:
            text[at] = bytes[next(seed) % (sizeof bytes - 1)];
            break;
        case 1:
            memmove(text + at, text + at + 1, --*len - at);
            break;
        case 2:
            text[at] = text[next(seed) % *len];
            break;
        default:
            memmove(text + at + 1, text + at, (*len)++ - at);
            text[at] = bytes[next(seed) % (sizeof bytes - 1)];
        }
    }
}

char *copy_of(const char *text, size_t len)
{
    char *copy = malloc(len + 1);
    if (!copy) {
        abort();
    }
    memcpy(copy, text, len);
    copy[len] = '\0';
    return copy;
}
