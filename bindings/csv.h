// SPDX-License-Identifier: MIT
// The Lua module `csv`: records of a file one by one, through libcsv, and lines to write.
// docs/meta/csv.lua has its face.
#ifndef TS_BINDINGS_CSV_H
#define TS_BINDINGS_CSV_H

#include <lua.h>

#include "bindings/lx.h"

// Pushes the module's table; for package.preload. Returns 1.
TS_RAISES int luaopen_csv(lua_State *L);

// csv.encode{ field, ... } -> line, without its newline
TS_RAISES int lx_csv_encode(lua_State *L);

#endif
