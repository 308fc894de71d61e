// SPDX-License-Identifier: MIT
// The Turnstile widget API as a local server: what `tshost sandbox` and `--sandbox` start.
// It shares no code with the client rooms; they meet over HTTP only.
#ifndef TS_SANDBOX_SANDBOX_H
#define TS_SANDBOX_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
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
    // New sitekeys are "planned-0001" and on, new secrets "planned-secret-0001" and on, and those
    // of imported widgets "planned-secret-" and the sitekey: so that what they get into shows
    // itself.
    bool is_placeholder;
    const struct ts_clock *clock; // NULL: the system's
};

// Opens the store, binds the port and serves on threads of its own, which block all signals.
// On failure nothing is left running. Fails with USAGE (bad configuration) or SYSTEM.
enum ts_err ts_sandbox_start(
    const struct ts_sandbox_config *config, struct ts_sandbox **out, struct ts_error *err);

// The base URL, "http://127.0.0.1:PORT/client/v4". Borrowed, lives as long as the sandbox.
const char *ts_sandbox_url(const struct ts_sandbox *sandbox);

// What an imported page said, and what came of it.
struct ts_sandbox_imported {
    int64_t rows;     // on the page
    int64_t per_page; // that a page may have; -1: not said
    int64_t total;    // of widgets in the whole list; -1: not said
    int64_t widgets;  // that the account has here now
};

// Takes the answer of a list call over into an account: sitekeys, fields and times stay, secrets
// are new ones, and may be rotated. A widget that is there already is replaced. The text is JSON,
// len bytes with a NUL behind them. May be called while the sandbox serves, from any thread. All of
// the page or nothing is taken: INVALID when it is not a list of widgets, USAGE for a bad account
// id, SYSTEM, NOMEM.
enum ts_err ts_sandbox_import(struct ts_sandbox *sandbox, const char *account, const char *json,
    size_t len, struct ts_sandbox_imported *out, struct ts_error *err);

// Answers what is in flight, stops serving, closes the store. NULL is fine.
void ts_sandbox_stop(struct ts_sandbox *sandbox);

// Writes "SQLite 3.40.1, libmicrohttpd 0.9.75", as they run. Room for TS_SANDBOX_VERSIONS_MAX
// bytes.
#define TS_SANDBOX_VERSIONS_MAX 80
void ts_sandbox_versions(char text[TS_SANDBOX_VERSIONS_MAX]);

#endif
