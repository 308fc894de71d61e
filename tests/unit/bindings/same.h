// SPDX-License-Identifier: MIT
// Whether two Lua values are the same to the last member, and pseudo-random numbers that are the
// same in every run.
#ifndef TS_TESTS_UNIT_BINDINGS_SAME_H
#define TS_TESTS_UNIT_BINDINGS_SAME_H

#include <stdbool.h>
#include <stddef.h>

#include <lua.h>

// Whether the values at a and b, absolute indices, are the same; numbers compare by value.
bool is_same(lua_State *L, int a, int b);

// The next number after seed.
unsigned next(unsigned *seed);

// Changes, takes out or inserts a few bytes of the text of *len bytes; it grows by three at most.
void damage(unsigned *seed, char *text, size_t *len);

// A copy with a NUL behind it, which the caller frees: so that a sanitizer sees the end.
char *copy_of(const char *text, size_t len);

#endif
