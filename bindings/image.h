// SPDX-License-Identifier: MIT
// A widget as the journal keeps it: its writable fields and times as a JSON object, and in place of
// its secret a fingerprint.
#ifndef TS_BINDINGS_IMAGE_H
#define TS_BINDINGS_IMAGE_H

#include <lua.h>

#include "bindings/widget.h"
#include "host/base/secret.h"
#include "host/ops/door.h"

struct ts_pool;

struct lx_image {
    struct ts_widget_body json; // empty: none was taken
    char mark[TS_SECRET_MARK];  // in hexadecimal; "": not known
};

// Makes an empty one. Cannot fail; fini when done with it, which may run twice.
void lx_image_init(struct lx_image *image, struct ts_pool *pool);
void lx_image_fini(struct lx_image *image);

// Registers the metatable of those that push_image pushes; called once at set-up.
TS_RAISES void lx_open_image(lua_State *L);

// Pushes an empty one that Lua owns.
TS_RAISES struct lx_image *push_image(lua_State *L);

// Writes the fields and times of the widget at idx into an empty image.
TS_RAISES void lx_image_take(lua_State *L, int idx, struct lx_image *image);

// The same when its fields have been read already. idx is not relative.
TS_RAISES void lx_image_take_fields(
    lua_State *L, int idx, const struct lx_fields *fields, struct lx_image *image);

// Notes the fingerprint of the secret at idx, if it is one that is open.
void lx_image_mark(lua_State *L, int idx, struct lx_image *image);

// Takes what came of a write from the widget at idx, 0: none came, and fills the end of it with
// that; it lives as long as the image and the widget's table as it is. A mark is taken where the
// write has to do with the secret.
TS_RAISES void lx_image_end(
    lua_State *L, int idx, enum ts_op op, struct lx_image *image, struct ts_write_end *end);

#endif
