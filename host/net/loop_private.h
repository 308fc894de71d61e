// SPDX-License-Identifier: MIT
// What the files of this room share of the loop: its fields, and the steps of a turn that live
// with their nouns. Nothing outside host/net includes it.
#ifndef TS_NET_LOOP_PRIVATE_H
#define TS_NET_LOOP_PRIVATE_H

#include <poll.h>

#include <curl/curl.h>

#include "host/base/pool.h"
#include "host/net/ca.h"
#include "host/net/loop.h"
#include "host/net/timer.h"
#include "host/net/watch.h"

struct ts_easy;
struct ts_xfer;

struct ts_timer_heap {
    struct ts_timer **items; // binary heap by (at_us, turn)
    size_t len;
    size_t cap;
    uint64_t armed;   // count of arms, the tie-breaker
    int64_t floor_us; // no timer sorts before the last firing
};

struct ts_watch_list {
    struct ts_watch *first;
    struct ts_watch *cursor; // the next one to call, while calling
    size_t len;
    struct curl_waitfd *waits; // for curl_multi_poll; the wake descriptor is the first
    struct pollfd *polls;      // for poll(2)
    size_t cap;
};

struct ts_loop {
    const struct ts_clock *clock;
    bool is_clock_injected;
    bool proxy_from_env;
    char *user_agent;      // NULL: none is sent
    char *user_agent_line; // "User-Agent: ..."
    char *ca_file;
    struct ts_ca ca; // chosen when the first https request needs it
    CURLM *multi;
    CURLSH *share;
    int wake_fd;
    struct ts_timer_heap timers;
    struct ts_watch_list watches;
    struct ts_pool pool;    // for what comes and goes with each request
    struct ts_easy *easies; // idle handles, for reuse
    size_t easy_count;
    size_t easy_max;
    bool has_started;            // a transfer was added since libcurl last ran
    struct ts_xfer *ended_first; // ended, on_done not yet called
    struct ts_xfer *ended_last;
    size_t in_flight;
};

// timer.c: fires what is due now and was armed before this call.
void ts_timer_fire_due(struct ts_loop *loop);

// watch.c: makes room for every watch and fills watches.waits. NOMEM.
enum ts_err ts_watch_prepare(struct ts_loop *loop, struct ts_error *err);

// watch.c: asks poll(2) which watches are ready, without waiting.
void ts_watch_look(struct ts_loop *loop);

// watch.c: calls the ready ones.
void ts_watch_call_ready(struct ts_loop *loop);

// xfer.c: ends the transfers that libcurl reports as done.
void ts_xfer_collect(struct ts_loop *loop);

// xfer.c: calls on_done of every ended transfer.
void ts_xfer_deliver(struct ts_loop *loop);

#endif
