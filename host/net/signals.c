// SPDX-License-Identifier: MIT
// The signal handler and what it needs. Its state is static, against the rule, because a handler
// has no argument to reach its owner by; handlers write the atomic fields only.
#include "host/net/signals.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/time.h>
#include <unistd.h>

#include "host/net/loop.h"

static struct {
    atomic_int seen; // the first signal's number
    atomic_bool is_expired;
    struct ts_loop *loop;
    ts_signals_fn on_first;
    void *owner;
    ts_signals_fn on_leave;
    void *leaving;
    atomic_bool is_started; // what is above may be called
} state;

static void stop_ask(void)
{
    if (!atomic_load(&state.is_started)) {
        return;
    }
    if (state.on_first) {
        state.on_first(state.owner);
    }
    ts_loop_wake(state.loop);
}

// Everything here is async-signal-safe: a lock-free atomic, _exit, write(2) in ts_loop_wake.
static void on_signal(int number)
{
    int none = 0;
    if (!atomic_compare_exchange_strong(&state.seen, &none, number)) {
        if (number == SIGHUP) {
            return; // a terminal that goes away sends it, and so does the shell on it
        }
        if (atomic_load(&state.is_started) && state.on_leave) {
            state.on_leave(state.leaving);
        }
        _exit(128 + number);
    }
    stop_ask();
}

static void on_alarm(int number)
{
    (void)number;
    atomic_store(&state.is_expired, true);
    stop_ask();
}

// Instead of SIG_IGN, which the commands that a script starts would inherit: write(2) fails
// instead.
static void on_write_trouble(int number)
{
    (void)number;
}

enum ts_err ts_signals_start(
    struct ts_loop *loop, ts_signals_fn on_first, void *owner, struct ts_error *err)
{
    if (atomic_load(&state.is_started)) {
        return ts_error_set(err, TS_ERR_INTERNAL, "signal handlers are installed already");
    }
    state.loop = loop;
    state.on_first = on_first;
    state.owner = owner;
    atomic_store(&state.seen, 0);
    atomic_store(&state.is_expired, false);
    state.on_leave = NULL;
    // No SA_RESTART: a script that waits for its standard input hears of the stop too.
    struct sigaction action = {.sa_handler = on_signal};
    struct sigaction trouble = {.sa_handler = on_write_trouble, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    sigemptyset(&trouble.sa_mask);
    atomic_store(&state.is_started, true);
    // sigaction fails for invalid numbers and pointers only.
    struct sigaction old_hup;
    if (sigaction(SIGPIPE, &trouble, NULL) || sigaction(SIGXFSZ, &trouble, NULL) ||
        sigaction(SIGINT, &action, NULL) || sigaction(SIGTERM, &action, NULL) ||
        sigaction(SIGHUP, &action, &old_hup)) {
        return ts_error_set_errno(err, errno, "cannot install signal handlers");
    }
    if (old_hup.sa_handler == SIG_IGN) {
        sigaction(SIGHUP, &old_hup, NULL); // nohup: the run is to outlive its terminal
    }
    return TS_OK;
}

static enum ts_err timer_set(int64_t after_us)
{
    struct itimerval timer = {
        .it_value = {.tv_sec = after_us / 1000000, .tv_usec = after_us % 1000000}};
    return setitimer(ITIMER_REAL, &timer, NULL) ? TS_ERR_SYSTEM : TS_OK;
}

enum ts_err ts_signals_arm(int64_t after_us, struct ts_error *err)
{
    struct sigaction action = {.sa_handler = on_alarm};
    sigemptyset(&action.sa_mask);
    if (sigaction(SIGALRM, &action, NULL)) {
        return ts_error_set_errno(err, errno, "cannot set the deadline");
    }
    // A timer of 0 would be none.
    if (timer_set(after_us > 0 ? after_us : 1)) {
        return ts_error_set_errno(err, errno, "cannot set the deadline");
    }
    return TS_OK;
}

void ts_signals_leave_by(ts_signals_fn on_leave, void *owner)
{
    state.leaving = owner;
    state.on_leave = on_leave;
}

void ts_signals_cancel(void)
{
    if (atomic_exchange(&state.is_started, false)) {
        timer_set(0);
    }
}

bool ts_signals_is_expired(void)
{
    return atomic_load(&state.is_expired);
}

int ts_signals_seen(void)
{
    return atomic_load(&state.seen);
}
