// SPDX-License-Identifier: MIT
// What the command line decided, for one run.
// Strings are borrowed from argv and the environment and outlive the run.
#ifndef TS_RUNTIME_CONFIG_H
#define TS_RUNTIME_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/base/log.h"
#include "host/base/progress.h"
#include "host/ops/permission.h"

struct ts_parts;

// What to do when another run has the account.
enum ts_if_locked {
    TS_IF_LOCKED_FAIL, // exit status 7
    TS_IF_LOCKED_WAIT,
    TS_IF_LOCKED_SKIP, // exit status 0
};

enum ts_color {
    TS_COLOR_AUTO, // on a capable terminal, unless NO_COLOR says otherwise
    TS_COLOR_ALWAYS,
    TS_COLOR_NEVER,
};

struct ts_config {
    const char *script;     // path, stock name or "-"; NULL when code is given
    const char *code;       // -e
    const char *command;    // a program of ours in place of a script, see host/programs; NULL: none
    const char *of;         // the run that this one resumes; NULL: none
    const char *if_unknown; // of a resume: "stop", "done", "not-applied"
    const char *program;    // argv[0]
    char **args;            // the script's own
    int arg_count;
    const char *args_text;    // the same as a JSON array, for the journal; NULL: not known
    const char *options_text; // and the options before the script, each in full
    char **words;   // the command line as it was typed, program first; NULL: nobody typed one
    int word_count; // of them
    int option_at;  // where in it one more option may go: behind the last one
    bool is_sandbox;
    const char *sandbox_db; // NULL: in memory
    const char *account;    // NULL: CLOUDFLARE_ACCOUNT_ID was not set either
    const char *token_file;
    const char *base_url; // NULL: the public API
    const char *ca_file;
    bool is_dry_run; // only reads, as under --read-only, but looks into the journal
    bool is_plan;    // the script changes a copy of the account, see planning.h
    struct ts_permissions permissions;
    enum ts_if_locked if_locked;
    int64_t lock_wait_us; // how long to wait for it
    int64_t concurrency;
    int64_t timeout_us;    // one request
    int64_t deadline_us;   // the whole run, from its start; 0: none
    int64_t max_wait_us;   // how long a pause of the API or an outage is sat out
    int64_t fresh_us;      // how old a row may be when a write relies on it; 0: read every time
    int64_t rate_requests; // the request budget: so many in so long; 0: the default
    int64_t rate_window_us;
    int64_t reserve_percent;        // of the budget, left to others
    enum ts_progress_mode progress; // how, on standard error unless it is JSON
    int progress_fd;                // for JSON
    enum ts_log_level level;
    enum ts_color color; // of the summary and of errors
    bool is_json;        // the summary is one JSON object
    // Called when the run is over and its journal complete, with the exit status; returns the one
    // that counts. NULL: not called.
    int (*conclude)(void *self, struct ts_parts *parts, int status);
    void *conclude_self;
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
#define TS_CONFIG_MAX_WAIT_US (600 * 1000000LL) // the API blocks for 300 s
#define TS_CONFIG_FRESH_US (15 * 1000000LL)

// Fills in the defaults and what the environment says: CLOUDFLARE_ACCOUNT_ID, CLOUDFLARE_BASE_URL.
void ts_config_init(struct ts_config *config);

#endif
