// SPDX-License-Identifier: MIT
// Lua modules that are compiled into the binary: the Lua face of native modules and scripts/lib.
// The table is generated at build time from the .lua files.
#ifndef TS_BINDINGS_EMBEDDED_H
#define TS_BINDINGS_EMBEDDED_H

#include <stddef.h>

// Chunk names of embedded modules begin so; messages never name a line in one of them.
#define TS_EMBEDDED_PREFIX "=[tshost:"

struct ts_embedded {
    const char *name;       // as in require "name"
    const char *chunk_name; // "=[tshost:name]"
    const unsigned char *source;
    size_t len;
};

// Ends with a row whose name is NULL.
extern const struct ts_embedded ts_embedded_modules[];

#endif
