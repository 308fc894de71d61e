// SPDX-License-Identifier: MIT
// The Turnstile widget API as a local server: what `tshost sandbox` and `--sandbox` start.
// It shares no code with the client rooms; they meet over HTTP only.
#ifndef TS_SANDBOX_SANDBOX_H
#define TS_SANDBOX_SANDBOX_H

#include <stdbool.h>
#include <stdint.h>

#include "host/base/clock.h"
#include "host/base/error.h"

struct ts_sandbox;

// Strings are borrowed until ts_sandbox_start returns. Zero and NULL mean the default.
struct ts_sandbox_config {
    const char *listen;    // "ADDRESS:PORT", default "127.0.0.1:0"; loopback addresses only
    const char *account;   // the one account id served; NULL: any well-formed one
    const char *token;     // the one API token accepted; NULL: any well-formed credentials
    const char *db;        // SQLite file that keeps the state; NULL: in memory
    int64_t rate_requests; // request limit per window; 0: no limit
    int64_t rate_window_s; // window in seconds
    const char *limiter;   // how it is counted: fixed-window (the default), sliding-log,
                           // sliding-counter, token-bucket
    int64_t grace_s;       // how long a rotated secret stays valid, 0 included; negative: 7200
    const char *entitle;   // comma list: any-hostname, bot_fight_mode, ephemeral_id, offlabel
    int64_t max_domains;   // hostnames per widget, default 15
    int64_t max_widgets;   // widgets per account; 0: no limit
    int64_t latency_ms;    // added to every answer
    bool log;              // one line per request to standard error
    const struct ts_clock *clock; // NULL: the system's
};

// Opens the store, binds the port and serves on threads of its own, which block all signals.
// On failure nothing is left running. Fails with USAGE (bad configuration) or SYSTEM.
enum ts_err ts_sandbox_start(
    const struct ts_sandbox_config *config, struct ts_sandbox **out, struct ts_error *err);

// The base URL, "http://127.0.0.1:PORT/client/v4". Borrowed, lives as long as the sandbox.
const char *ts_sandbox_url(const struct ts_sandbox *sandbox);

// Answers what is in flight, stops serving, closes the store. NULL is fine.
void ts_sandbox_stop(struct ts_sandbox *sandbox);

// Writes "SQLite 3.40.1, libmicrohttpd 0.9.75", as they run. Room for TS_SANDBOX_VERSIONS_MAX
// bytes.
#define TS_SANDBOX_VERSIONS_MAX 80
void ts_sandbox_versions(char text[TS_SANDBOX_VERSIONS_MAX]);

#endif
