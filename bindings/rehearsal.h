// SPDX-License-Identifier: MIT
// What a plan puts between its script and the world: the script talks to a copy of the account, and
// nothing that it does beside that is carried out. Made by host/runtime.
#ifndef TS_BINDINGS_REHEARSAL_H
#define TS_BINDINGS_REHEARSAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bindings/host.h"

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
    bool is_copying;
    bool has_failed; // a copy stayed incomplete: there is no plan
};

#endif
