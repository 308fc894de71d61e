// SPDX-License-Identifier: MIT
// The sandbox as a program of its own. The two signals are blocked in every thread and taken by
// sigwait, so that no handler is needed.
#include "host/runtime/serve.h"

#include <signal.h>
#include <stdio.h>

#include "host/base/log.h"
#include "host/runtime/exit_status.h"
#include "host/runtime/limits.h"
#include "host/runtime/report.h"

#define CONNECTIONS 1024 // the most that a run of ours opens

static void signals_block(sigset_t *stop)
{
    sigemptyset(stop);
    sigaddset(stop, SIGINT);
    sigaddset(stop, SIGTERM);
    sigprocmask(SIG_BLOCK, stop, NULL);
    signal(SIGPIPE, SIG_IGN);
}

int ts_serve(const struct ts_sandbox_config *config)
{
    struct ts_log log;
    struct ts_error err;
    struct ts_sandbox *sandbox;
    sigset_t stop;
    ts_log_init(&log, stderr, TS_LOG_NORMAL);
    signals_block(&stop);
    (void)ts_limits_set(CONNECTIONS, false, &err); // with less, later connections wait
    if (ts_sandbox_start(config, &sandbox, &err)) {
        ts_report_error(&log, err.message);
        return TS_EXIT_USAGE;
    }
    int status = TS_EXIT_DONE;
    if (printf("%s\n", ts_sandbox_url(sandbox)) < 0 || fflush(stdout)) {
        ts_report_error(&log, "cannot write the base URL to standard output");
        status = TS_EXIT_SCRIPT;
    } else {
        int number;
        sigwait(&stop, &number);
    }
    ts_sandbox_stop(sandbox);
    return status;
}
