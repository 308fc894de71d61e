// SPDX-License-Identifier: MIT
// The parts of a run in the order in which they are made, and undone in reverse: log and display,
// secrets, loop, queue, door, sandbox, signals. What run and doctor have in common.
#ifndef TS_RUNTIME_PARTS_H
#define TS_RUNTIME_PARTS_H

#include "bindings/host.h"
#include "bindings/replay.h"
#include "bindings/sched.h"
#include "host/api/queue.h"
#include "host/base/log.h"
#include "host/base/secret.h"
#include "host/ops/door.h"
#include "host/runtime/budgets.h"
#include "host/runtime/config.h"
#include "host/runtime/display.h"
#include "host/runtime/locks.h"
#include "host/runtime/planning.h"
#include "host/runtime/record.h"

struct ts_sandbox;

// The account that stands for "the configured one" when a sandbox runs and none is configured.
#define TS_SANDBOX_ACCOUNT "00000000000000000000000000000000"

struct ts_parts {
    const struct ts_config *config;
    int64_t begun_us;      // when the run began, on the monotonic clock
    int64_t begun_wall_us; // and on the wall clock
    struct ts_log log;
    struct ts_display display;
    struct ts_secret_pool *secrets;
    struct ts_loop *loop;
    struct ts_queue queue;
    struct ts_directory directory; // of what outlives the run
    struct ts_budgets budgets;
    struct ts_locks locks;
    struct ts_door door;
    struct ts_record record;
    struct ts_sandbox *sandbox;  // --sandbox only
    struct ts_planning planning; // of a plan only
    struct lx_replay replay;     // of a resume only
    struct ts_sched sched;
    struct ts_host host;
};

// Makes them all. On failure nothing is left over.
enum ts_err ts_parts_init(
    struct ts_parts *parts, const struct ts_config *config, struct ts_error *err);

// Undoes them, in the one right order; the Lua state must be closed before. May run twice.
void ts_parts_fini(struct ts_parts *parts);

#endif
