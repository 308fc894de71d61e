// SPDX-License-Identifier: MIT
// A turn: wait with curl_multi_poll, let libcurl work, then run the callbacks of what came of it.
// Callbacks never run while libcurl is on the stack, so they may call anything in this room.
#include "host/net/loop_private.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "host/net/easy.h"
#include "host/net/memory.h"

// Longest real wait for descriptors while the clock is not the system's.
#define INJECTED_WAIT_MS 10

static enum ts_err multi_failed(CURLMcode code, struct ts_error *err)
{
    enum ts_err kind = code == CURLM_OUT_OF_MEMORY ? TS_ERR_NOMEM : TS_ERR_INTERNAL;
    return ts_error_set(err, kind, "libcurl: %s", curl_multi_strerror(code));
}

static enum ts_err loop_perform(struct ts_loop *loop, struct ts_error *err)
{
    int running = 0;
    loop->has_started = false;
    CURLMcode code = curl_multi_perform(loop->multi, &running);
    if (code) {
        return multi_failed(code, err);
    }
    ts_xfer_collect(loop);
    return TS_OK;
}

// Rounded up to whole milliseconds, so that a timer is due when its wait is over.
static int wait_ms(const struct ts_loop *loop, int64_t until_us)
{
    int64_t next = ts_loop_next_timer(loop);
    int64_t end = next < until_us ? next : until_us;
    int64_t now = ts_loop_now(loop);
    if (loop->ended_first || end <= now) {
        return 0;
    }
    if (loop->is_clock_injected) {
        return loop->in_flight > 0 || loop->watches.len > 0 ? INJECTED_WAIT_MS : 0;
    }
    int64_t ms = (end - now - 1) / 1000 + 1;
    return ms < INT_MAX ? (int)ms : INT_MAX;
}

static void wake_drain(struct ts_loop *loop)
{
    uint64_t count;
    while (read(loop->wake_fd, &count, sizeof count) < 0 && errno == EINTR) {
    }
}

static enum ts_err loop_wait(struct ts_loop *loop, int64_t until_us, struct ts_error *err)
{
    enum ts_err code = ts_watch_prepare(loop, err);
    if (code) {
        return code;
    }
    struct ts_watch_list *watches = &loop->watches;
    int ready = 0;
    CURLMcode rc = curl_multi_poll(
        loop->multi, watches->waits, (unsigned)watches->len + 1, wait_ms(loop, until_us), &ready);
    if (rc) {
        return multi_failed(rc, err);
    }
    if (watches->waits[0].revents) {
        wake_drain(loop);
    }
    if (ready > 0 && watches->len > 0) {
        ts_watch_look(loop);
    }
    return TS_OK;
}

static bool user_agent_copy(struct ts_loop *loop, const char *user_agent)
{
    size_t size = sizeof "User-Agent: " + strlen(user_agent);
    loop->user_agent = strdup(user_agent);
    loop->user_agent_line = malloc(size);
    if (!loop->user_agent || !loop->user_agent_line) {
        return false;
    }
    snprintf(loop->user_agent_line, size, "User-Agent: %s", user_agent);
    return true;
}

enum ts_err ts_loop_create(
    const struct ts_loop_config *config, struct ts_loop **out, struct ts_error *err)
{
    *out = NULL;
    enum ts_err code;
    // Counted by libcurl and safe among threads since 7.84: every loop takes its own reference.
    if (!ts_memory_start()) {
        return ts_error_set(err, TS_ERR_INTERNAL, "libcurl cannot start");
    }
    struct ts_loop *loop = calloc(1, sizeof *loop);
    if (!loop) {
        curl_global_cleanup();
        return ts_error_set(err, TS_ERR_NOMEM, "out of memory");
    }
    ts_pool_init(&loop->pool);
    loop->clock = config->clock ? config->clock : ts_clock_system();
    loop->is_clock_injected = loop->clock != ts_clock_system();
    loop->proxy_from_env = config->proxy_from_env;
    loop->timers.floor_us = INT64_MIN;
    loop->easy_max = config->max_connections > 0 ? config->max_connections : 1;
    loop->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (loop->wake_fd < 0) {
        code = ts_error_set_errno(err, errno, "cannot make an event descriptor");
        goto fail;
    }
    loop->ca_file = config->ca_file ? strdup(config->ca_file) : NULL;
    loop->multi = curl_multi_init();
    loop->share = curl_share_init();
    if ((config->user_agent && !user_agent_copy(loop, config->user_agent)) ||
        (config->ca_file && !loop->ca_file) || !loop->multi || !loop->share) {
        code = ts_error_set(err, TS_ERR_NOMEM, "out of memory");
        goto fail;
    }
    long kept = loop->easy_max < LONG_MAX ? (long)loop->easy_max : LONG_MAX;
    // With fewer connections kept than in flight, libcurl closes and opens them all the time. Names
    // are cached in the share because libcurl walks the whole cache for each request, and the multi
    // handle's has three times as many slots.
    if (curl_multi_setopt(loop->multi, CURLMOPT_MAXCONNECTS, kept) ||
        curl_share_setopt(loop->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_DNS) ||
        curl_share_setopt(loop->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION)) {
        code = ts_error_set(err, TS_ERR_INTERNAL, "libcurl refused an option");
        goto fail;
    }
    *out = loop;
    return TS_OK;
fail:
    ts_loop_destroy(loop);
    return code;
}

void ts_loop_destroy(struct ts_loop *loop)
{
    if (!loop) {
        return;
    }
    assert(!ts_loop_is_busy(loop));
    // The order libcurl wants: easy handles, the multi handle, what they shared.
    ts_easy_drop_idle(loop);
    curl_multi_cleanup(loop->multi);
    curl_share_cleanup(loop->share);
    ts_ca_fini(&loop->ca);
    ts_pool_fini(&loop->pool);
    if (loop->wake_fd >= 0) {
        close(loop->wake_fd);
    }
    free(loop->timers.items);
    free(loop->watches.waits);
    free(loop->watches.polls);
    free(loop->user_agent);
    free(loop->user_agent_line);
    free(loop->ca_file);
    free(loop);
    curl_global_cleanup();
}

enum ts_err ts_loop_turn(struct ts_loop *loop, int64_t until_us, struct ts_error *err)
{
    // What was started since the last turn goes out before the wait: it costs no poll of its own.
    enum ts_err code = loop->has_started ? loop_perform(loop, err) : TS_OK;
    if (!code) {
        code = loop_wait(loop, until_us, err);
    }
    if (!code) {
        code = loop_perform(loop, err);
    }
    if (code) {
        return code;
    }
    // An answer that is there beats its deadline; deadlines that pass end more transfers.
    ts_xfer_deliver(loop);
    ts_timer_fire_due(loop);
    ts_xfer_deliver(loop);
    ts_watch_call_ready(loop);
    return TS_OK;
}

void ts_loop_wake(struct ts_loop *loop)
{
    int saved = errno; // a signal handler may not change it
    uint64_t one = 1;
    while (write(loop->wake_fd, &one, sizeof one) < 0 && errno == EINTR) {
    }
    errno = saved;
}

bool ts_loop_is_busy(const struct ts_loop *loop)
{
    return loop->in_flight > 0 || loop->timers.len > 0 || loop->watches.len > 0;
}

int64_t ts_loop_now(const struct ts_loop *loop)
{
    return ts_clock_mono(loop->clock);
}

int64_t ts_loop_next_timer(const struct ts_loop *loop)
{
    return loop->timers.len > 0 ? loop->timers.items[0]->at_us : TS_NEVER;
}

size_t ts_loop_in_flight(const struct ts_loop *loop)
{
    return loop->in_flight;
}

struct ts_pool *ts_loop_pool(struct ts_loop *loop)
{
    return &loop->pool;
}

const struct ts_clock *ts_loop_clock(const struct ts_loop *loop)
{
    return loop->clock;
}
