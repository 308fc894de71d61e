// SPDX-License-Identifier: MIT
// What a plan puts between its script and the world: the script talks to a copy of the account, and
// what it does to files and commands is only made believe. The struct is made by host/runtime.
#ifndef TS_BINDINGS_REHEARSAL_H
#define TS_BINDINGS_REHEARSAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bindings/host.h"
#include "bindings/lx.h"
#include "host/ops/remarks.h"

struct ts_rehearsal {
    // As ts_host.open_client, to the account itself; that one opens clients of the copy.
    enum ts_err (*open_live)(struct ts_host *host, const struct ts_client_wish *wish,
        struct ts_client **out, struct ts_error *err);
    // Whether the account was copied, and the word that it is.
    bool (*is_copied)(const struct ts_host *host, const char *account);
    enum ts_err (*set_copied)(struct ts_host *host, const char *account, struct ts_error *err);
    // Adds the widgets of a page, the text of an answer to a list call, to the copy of the account.
    // Gives the number of rows on it, and of widgets that the copy has then.
    enum ts_err (*add_page)(struct ts_host *host, const char *account, const struct ts_buf *text,
        int64_t *rows, int64_t *widgets, struct ts_error *err);
    struct ts_remarks remarks;
    struct ts_remarks directories; // that the script seems to have made, as the texts
    int64_t widgets;               // of the largest account that was copied
    bool is_copying;
    bool has_failed; // a copy stayed incomplete: there is no plan
};

// Replaces what in io, os and fs changes files or runs commands. For a state whose host has a
// rehearsal, after everything else is open.
TS_RAISES void ts_open_rehearsal(lua_State *L);

// In a rehearsal: whether a secret could go to the path, or to the program's standard input; and it
// counts as having gone to the path. SYSTEM with what the delivery itself would say. Outside of one
// there is nothing to do.
TS_RAISES enum ts_err lx_rehearse_file(
    lua_State *L, const char *path, bool is_replace, struct ts_error *err);
TS_RAISES enum ts_err lx_rehearse_command(lua_State *L, const char *program, struct ts_error *err);

#endif
