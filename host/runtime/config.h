// SPDX-License-Identifier: MIT
// What the command line decided, for one run.
// Strings are borrowed from argv and the environment and outlive the run.
#ifndef TS_RUNTIME_CONFIG_H
#define TS_RUNTIME_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/base/log.h"
#include "host/ops/permission.h"

struct ts_parts;

struct ts_config {
    const char *script;  // path, stock name or "-"; NULL when code is given
    const char *code;    // -e
    const char *program; // argv[0]
    char **args;         // the script's own
    int arg_count;
    bool is_sandbox;
    const char *sandbox_db; // NULL: in memory
    const char *account;    // NULL: CLOUDFLARE_ACCOUNT_ID was not set either
    const char *token_file;
    const char *base_url; // NULL: the public API
    const char *ca_file;
    struct ts_permissions permissions;
    int64_t concurrency;
    int64_t timeout_us;
    enum ts_log_level level;
    // For tests that fail allocations: NULL uses the C library.
    void *(*alloc)(void *self, void *block, size_t old_size, size_t new_size);
    void *alloc_self;
    // For tests that count what is left over: called when the Lua state is closed and the parts are
    // still there. NULL: not called.
    void (*on_closed)(void *self, struct ts_parts *parts);
    void *on_closed_self;
};

#define TS_CONFIG_CONCURRENCY 16
#define TS_CONFIG_TIMEOUT_US (60 * 1000000LL)

// Fills in the defaults and what the environment says: CLOUDFLARE_ACCOUNT_ID, CLOUDFLARE_BASE_URL.
void ts_config_init(struct ts_config *config);

#endif
