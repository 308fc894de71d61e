// SPDX-License-Identifier: MIT
// What native functions need to reach from a lua_State: the run's parts, owned by host/runtime.
// A pointer to it stands in every state's extra space, which coroutines inherit.
#ifndef TS_BINDINGS_HOST_H
#define TS_BINDINGS_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lua.h>

#include "bindings/spare.h"
#include "host/api/client.h"
#include "host/base/log.h"
#include "host/base/secret.h"
#include "host/ops/door.h"

struct ts_loop;
struct ts_progress;
struct ts_rehearsal;
struct lx_replay;
struct ts_sched;

// The client that a script wants. NULL stands for what is configured.
struct ts_client_wish {
    const char *account;
    const char *token_file;
    bool is_public; // for public endpoints only: no account, no credentials
};

// What a program says of its run, see ts_journal_run. Borrowed; NULL: nothing.
struct ts_purpose {
    const char *of;
    const char *script;
    const char *plan_id;
    const char *plan;
};

struct ts_host {
    struct ts_loop *loop;
    struct ts_queue *queue;
    struct ts_door *door;
    struct ts_sched *sched;
    struct ts_secret_pool *secrets;
    struct ts_log *log;
    struct ts_progress *progress;
    int64_t timeout_us; // --timeout
    int64_t fresh_us;   // --fresh
    // Makes a client, which the caller owns. CREDENTIALS or USAGE when something is missing; LOCKED
    // when another run has the account, which may take long to find out; JOURNAL when that cannot
    // be known; CANCELLED when the run or the task is to stop, which is then due.
    enum ts_err (*open_client)(struct ts_host *host, const struct ts_client_wish *wish,
        struct ts_client **out, struct ts_error *err);
    struct lx_replay *replay; // of a resume; NULL: what the script asks for was not done before
    // Puts the run into the journal before its first write. Fails as ts_recorder_begin.
    enum ts_err (*begin)(
        struct ts_host *host, const struct ts_purpose *purpose, struct ts_error *err);
    // The account that is configured, NULL: none, and where it is, as the journal has them.
    const char *(*account)(struct ts_host *host);
    const char *(*origin)(struct ts_host *host);
    struct ts_rehearsal *rehearsal;          // of a plan; NULL: what the script does is carried out
    int exit_request;                        // what os.exit asked for, -1 while it did not
    int words;                               // the strings of widgets in the registry, see luaL_ref
    struct lx_spares spares[LX_SPARE_COUNT]; // boxes that wait to be used again
    uint64_t clients;                        // how many boxes of clients were made
};

// The host of this state. Never NULL inside a native function.
struct ts_host *ts_host_of(lua_State *L);

// Ties a new state to its host, before any coroutine is made.
void ts_host_attach(lua_State *L, struct ts_host *host);

#endif
