// SPDX-License-Identifier: MIT
// What the handle (secret.c) and its deliveries (secret_deliver.c) share.
// Nobody else includes it.
#ifndef TS_BINDINGS_SECRET_PRIVATE_H
#define TS_BINDINGS_SECRET_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>

#include "bindings/secret.h"
#include "host/api/widget.h"

struct secret_box {
    struct ts_secret *secret; // NULL once closed
    size_t readers;           // deliveries under way; the last one ends a secret that was closed
    bool is_closed;
    char sitekey[TS_WIDGET_SITEKEY_MAX + 1]; // of its widget; "": not known
};

// The open secret at index 1, or misuse.
TS_RAISES struct secret_box *check_secret(lua_State *L, const char *function);

// Ends the secret if it was closed and nobody reads it any more.
void lx_secret_release(struct secret_box *box);

// Pushes nil and the error of a refused or failed use, and notes it in the ledger: it must not go
// by in silence. Returns 2.
// operation is the recorder's handle of a delivery, 0: none.
TS_RAISES int push_secret_failure(
    lua_State *L, const char *op, const char *place, size_t operation, const struct ts_error *err);

// s:write(path [, { replace = true }]) -> true | nil, err
TS_RAISES int lx_secret_write(lua_State *L);

// s:pipe{ command, words..., timeout = seconds } -> true | nil, err; waits
TS_RAISES int lx_secret_pipe(lua_State *L);

// Registers the metatable of a pipe under way; called once at set-up.
TS_RAISES void lx_open_secret_pipe(lua_State *L);

#endif
