// SPDX-License-Identifier: MIT
// The signal handler and what it needs. Its state is static, against the rule, because a handler
// has no argument to reach its owner by; only ts_signals_start and _cancel write the plain fields.
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
    bool is_started;
    struct sigaction old_int;
    struct sigaction old_term;
    struct sigaction old_hup;
    struct sigaction old_alarm;
    bool is_armed;
} state;

// Everything here is async-signal-safe: a lock-free atomic, _exit, write(2) in ts_loop_wake.
static void on_signal(int number)
{
    int none = 0;
    if (!atomic_compare_exchange_strong(&state.seen, &none, number)) {
        if (number == SIGHUP) {
            return; // a terminal that goes away sends it, and so does the shell on it
        }
        _exit(128 + number);
    }
    if (state.on_first) {
        state.on_first(state.owner);
    }
    ts_loop_wake(state.loop);
}

static void on_alarm(int number)
{
    (void)number;
    atomic_store(&state.is_expired, true);
    if (state.on_first) {
        state.on_first(state.owner);
    }
    ts_loop_wake(state.loop);
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
    if (state.is_started) {
        return ts_error_set(err, TS_ERR_INTERNAL, "signal handlers are installed already");
    }
    state.loop = loop;
    state.on_first = on_first;
    state.owner = owner;
    atomic_store(&state.seen, 0);
    atomic_store(&state.is_expired, false);
    // No SA_RESTART: a script that waits for its standard input hears of the stop too.
    struct sigaction action = {.sa_handler = on_signal};
    struct sigaction trouble = {.sa_handler = on_write_trouble, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    sigemptyset(&trouble.sa_mask);
    // sigaction fails for invalid numbers and pointers only.
    if (sigaction(SIGPIPE, &trouble, NULL) || sigaction(SIGXFSZ, &trouble, NULL) ||
        sigaction(SIGINT, &action, &state.old_int) ||
        sigaction(SIGTERM, &action, &state.old_term) ||
        sigaction(SIGHUP, &action, &state.old_hup)) {
        return ts_error_set_errno(err, errno, "cannot install signal handlers");
    }
    if (state.old_hup.sa_handler == SIG_IGN) {
        sigaction(SIGHUP, &state.old_hup, NULL); // nohup: the run is to outlive its terminal
    }
    state.is_started = true;
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
    if (sigaction(SIGALRM, &action, &state.old_alarm)) {
        return ts_error_set_errno(err, errno, "cannot set the deadline");
    }
    state.is_armed = true;
    // A timer of 0 would be none.
    if (timer_set(after_us > 0 ? after_us : 1)) {
        return ts_error_set_errno(err, errno, "cannot set the deadline");
    }
    return TS_OK;
}

void ts_signals_cancel(void)
{
    if (state.is_armed) {
        timer_set(0);
        sigaction(SIGALRM, &state.old_alarm, NULL);
        state.is_armed = false;
    }
    if (!state.is_started) {
        return;
    }
    sigaction(SIGINT, &state.old_int, NULL);
    sigaction(SIGTERM, &state.old_term, NULL);
    sigaction(SIGHUP, &state.old_hup, NULL);
    state.is_started = false;
}

bool ts_signals_is_expired(void)
{
    return atomic_load(&state.is_expired);
}

int ts_signals_seen(void)
{
    return atomic_load(&state.seen);
}
