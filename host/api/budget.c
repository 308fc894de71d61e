// SPDX-License-Identifier: MIT
// Stands between the queue and the record: takes permissions for a handful of starts at once,
// settles what has ended along with that, and wakes the queue when a wait is over.
//
// The record is shared, so each visit to it is one short exclusive update. Where no other process
// can be asked, because there is no store or it fails, the last copy goes on as this process's own.
#include "host/api/budget.h"

#include <stdlib.h>
#include <string.h>

#include "host/api/governor.h"
#include "host/api/notice.h"
#include "host/api/queue_private.h"
#include "host/base/str.h"
#include "host/net/loop.h"
#include "host/net/timer.h"

#define SECOND_US INT64_C(1000000)
#define SETTLE_US 100000     // what has ended is settled at the latest after so long
#define LEASE_US 100000      // permissions not used by then go back
#define RECHECK_US SECOND_US // others may have given something back meanwhile
#define BUSY_RETRY_US 20000  // a store that was busy is asked again
#define BUSY_TRIES 20
#define REAP_US SECOND_US

// What one visit to the record is for, and what came of it.
struct visit {
    int64_t wanted;
    int64_t granted;
    int64_t retry_us;
    int64_t pause_s; // 0: none
    bool is_return;  // permissions go back unused
    bool is_last;    // the budget ends
};

struct ts_budget {
    struct ts_lane lane;
    struct ts_timer wake_timer;
    struct ts_timer settle_timer;
    struct ts_loop *loop;
    struct ts_queue *queue;
    struct ts_record_rule rule;
    struct ts_budget_store store; // without update: private
    char key[256];
    struct ts_record_process self;
    struct ts_record record; // as it was when last seen
    uint8_t boot[TS_BOOT_ID_LEN];
    struct ts_record_batch batch;   // not settled yet
    struct ts_limits_policy policy; // as read last
    int64_t leased;                 // permissions not used yet
    int64_t leased_us;
    int64_t in_flight;
    int64_t requests;
    int64_t retry_us; // asking earlier is no use
    int64_t seen_us;  // when the record was last seen
    int64_t reaped_us;
    int busy_count;
    struct ts_notice notice;
};

struct errand {
    struct ts_budget *budget;
    struct visit *visit;
};

struct ts_lane *budget_lane(struct ts_budget *budget)
{
    return &budget->lane;
}

static bool is_shared(const struct ts_budget *budget)
{
    return budget->store.update != NULL;
}

static struct ts_record_time time_now(const struct ts_budget *budget)
{
    const struct ts_clock *clock = ts_loop_clock(budget->loop);
    struct ts_record_time now = {.mono_us = ts_clock_mono(clock), .wall_us = ts_clock_wall(clock)};
    memcpy(now.boot, budget->boot, sizeof now.boot);
    return now;
}

static bool none_is_left(const struct ts_process_id *process)
{
    (void)process;
    return true;
}

// What a visit does to the record. Changes nothing in the budget but its copy, so that it can be
// undone when the store fails to keep it.
static bool on_record(void *owner, void *memory, size_t size, bool is_found)
{
    struct errand *errand = owner;
    struct ts_budget *budget = errand->budget;
    struct visit *visit = errand->visit;
    struct ts_record *record = memory;
    (void)size;
    struct ts_record_time now = time_now(budget);
    ts_record_open(record, is_found, &now, &budget->rule);
    bool has_changed =
        visit->wanted > 0 || visit->pause_s || visit->is_return || budget->batch.ended;
    if (is_shared(budget) && now.mono_us - budget->reaped_us > REAP_US) {
        budget->reaped_us = now.mono_us;
        has_changed |= ts_record_reap(record, &budget->self.id, ts_process_is_gone, now.mono_us);
    }
    struct ts_record_process self = budget->self;
    self.out = budget->in_flight + budget->leased;
    ts_record_hold(record, &self, now.mono_us);
    if (budget->batch.ended > 0) {
        ts_record_settle(record, &budget->rule, &budget->batch, now.mono_us);
    }
    if (visit->pause_s) {
        int64_t span_us = visit->pause_s < 0 ? ts_governor_window(record, &budget->rule)
                                             : visit->pause_s * SECOND_US;
        ts_record_pause(record, now.mono_us + span_us, now.mono_us);
    }
    if (visit->wanted > 0) {
        visit->granted =
            ts_governor_take(record, &budget->rule, visit->wanted, now.mono_us, &visit->retry_us);
        self.out += visit->granted;
        ts_record_hold(record, &self, now.mono_us);
    }
    if (memory != &budget->record) {
        budget->record = *record;
    }
    budget->seen_us = now.mono_us;
    return has_changed;
}

static enum ts_err store_visit(struct ts_budget *budget, struct visit *visit, struct ts_error *err)
{
    struct errand errand = {budget, visit};
    struct ts_record record;
    struct ts_record saved = budget->record;
    enum ts_err code = budget->store.update(
        budget->store.self, budget->key, &record, sizeof record, on_record, &errand, err);
    if (code) {
        budget->record = saved;
        visit->granted = 0;
    }
    return code;
}

// From now on this process counts alone; what others held counts as spent.
static void store_leave(struct ts_budget *budget, const struct ts_error *err)
{
    budget->store = (struct ts_budget_store){0};
    ts_record_reap(&budget->record, &budget->self.id, none_is_left, ts_loop_now(budget->loop));
    ts_notice_private(budget->notice.log, err);
}

// True when the visit took place.
static bool budget_visit(struct ts_budget *budget, struct visit *visit)
{
    struct ts_error err;
    enum ts_err code = is_shared(budget) ? store_visit(budget, visit, &err) : TS_OK;
    if (code == TS_ERR_TIMEOUT && ++budget->busy_count < BUSY_TRIES && !visit->is_last) {
        visit->retry_us = ts_loop_now(budget->loop) + BUSY_RETRY_US;
        return false;
    }
    if (code && !visit->is_last) {
        store_leave(budget, &err);
    }
    if (!is_shared(budget)) {
        struct errand errand = {budget, visit};
        on_record(&errand, &budget->record, sizeof budget->record, true);
    }
    budget->busy_count = 0;
    budget->batch.ended = 0;
    budget->batch.word = (struct ts_limits_word){0};
    budget->leased += visit->granted;
    return true;
}

static void on_settle(struct ts_timer *timer)
{
    struct ts_budget *budget =
        (struct ts_budget *)((char *)timer - offsetof(struct ts_budget, settle_timer));
    int64_t now_us = ts_loop_now(budget->loop);
    struct visit visit = {0};
    bool is_idle = budget->leased > 0 && now_us - budget->leased_us >= LEASE_US;
    if (is_idle) {
        visit.is_return = true;
        budget->leased = 0;
    }
    if (is_idle || budget->batch.ended > 0) {
        budget_visit(budget, &visit);
    }
    if (budget->leased > 0 || budget->batch.ended > 0) {
        ts_timer_arm(budget->loop, timer, now_us + LEASE_US, on_settle, NULL);
    }
    if (budget->lane.count > 0) {
        budget->retry_us = 0;
        queue_advance(budget->queue);
    }
}

static void settle_soon(struct ts_budget *budget, int64_t span_us)
{
    struct ts_timer *timer = &budget->settle_timer;
    if (!timer->loop) {
        ts_timer_arm(budget->loop, timer, ts_loop_now(budget->loop) + span_us, on_settle, NULL);
    }
}

static void on_wake(struct ts_timer *timer)
{
    struct ts_budget *budget =
        (struct ts_budget *)((char *)timer - offsetof(struct ts_budget, wake_timer));
    budget->retry_us = 0;
    queue_advance(budget->queue);
}

enum ts_err ts_budget_create(
    const struct ts_budget_config *config, struct ts_budget **out, struct ts_error *err)
{
    struct ts_budget *budget = *out = calloc(1, sizeof *budget);
    if (!budget) {
        return ts_error_set(err, TS_ERR_NOMEM, "out of memory");
    }
    budget->lane.budget = budget;
    budget->loop = config->loop;
    budget->queue = config->queue;
    budget->notice.log = config->log;
    budget->rule = (struct ts_record_rule){
        .requests = config->rate.requests,
        .window_us = config->rate.window_us,
        .is_given = config->rate.is_given,
        .reserve_percent = config->reserve_percent,
    };
    if (config->rate.requests <= 0 || config->rate.window_us <= 0) {
        budget->rule.requests = TS_BUDGET_REQUESTS;
        budget->rule.window_us = TS_BUDGET_WINDOW_US;
        budget->rule.is_given = false;
    }
    if (config->store) {
        budget->store = *config->store;
        budget->notice.place = config->store->place;
    }
    ts_str_copy(budget->key, sizeof budget->key, config->key ? config->key : "");
    ts_process_self(&budget->self.id);
    ts_process_boot(budget->boot);
    struct ts_record_time now = time_now(budget);
    ts_record_open(&budget->record, false, &now, &budget->rule);
    return TS_OK;
}

void ts_budget_destroy(struct ts_budget *budget)
{
    if (!budget) {
        return;
    }
    ts_timer_disarm(&budget->wake_timer);
    ts_timer_disarm(&budget->settle_timer);
    if (is_shared(budget) && (budget->leased > 0 || budget->batch.ended > 0)) {
        struct visit visit = {.is_return = true, .is_last = true};
        budget->leased = 0;
        budget_visit(budget, &visit);
    }
    free(budget);
}

static void permission_use(struct ts_budget *budget)
{
    budget->leased--;
    budget->in_flight++;
    budget->requests++;
}

bool ts_budget_take(struct ts_budget *budget)
{
    // What was taken ahead does not outlast a pause that another process may have been told of.
    if (budget->leased > 0 &&
        (!is_shared(budget) || ts_loop_now(budget->loop) - budget->leased_us < LEASE_US)) {
        permission_use(budget);
        return true;
    }
    int64_t now_us = ts_loop_now(budget->loop);
    if (now_us >= budget->retry_us) {
        struct visit visit = {.wanted = (int64_t)queue_startable(budget->queue, &budget->lane)};
        visit.wanted = visit.wanted > 0 ? visit.wanted : 1;
        budget->leased = 0;
        budget_visit(budget, &visit);
        now_us = ts_loop_now(budget->loop);
        if (visit.granted > 0) {
            ts_notice_start(&budget->notice, now_us);
            budget->leased_us = now_us;
            permission_use(budget);
            if (budget->leased > 0) {
                settle_soon(budget, LEASE_US);
            }
            return true;
        }
        ts_notice_wait(&budget->notice, &budget->record, &budget->rule, visit.retry_us, now_us);
        bool has_others = is_shared(budget) && visit.retry_us - now_us > RECHECK_US;
        budget->retry_us = has_others ? now_us + RECHECK_US : visit.retry_us;
    }
    // Arming fails only where memory for one more timer is missing: then answers wake the queue.
    ts_timer_arm(budget->loop, &budget->wake_timer, budget->retry_us, on_wake, NULL);
    return false;
}

void ts_budget_give(
    struct ts_budget *budget, bool is_sent, const char *ratelimit, const char *policy)
{
    budget->in_flight--;
    budget->retry_us = 0;
    if (!is_sent) {
        budget->requests--;
        budget->leased++;
        settle_soon(budget, SETTLE_US);
        return;
    }
    budget->batch.ended++;
    ts_limits_word_add(&budget->batch.word, &budget->policy, ratelimit, policy);
    settle_soon(budget, SETTLE_US);
}

void ts_budget_pause(struct ts_budget *budget, int64_t seconds)
{
    struct visit visit = {.pause_s = seconds < 0 ? -1 : seconds};
    if (seconds == 0) {
        return;
    }
    budget->leased = 0;
    if (!budget_visit(budget, &visit)) {
        // The store is busy: what this process knows, it heeds at once; the 429 itself said that
        // nothing is left, and others will be told so too.
        int64_t now_us = ts_loop_now(budget->loop);
        int64_t span_us = seconds < 0 ? budget->rule.window_us : seconds * SECOND_US;
        ts_record_pause(&budget->record, now_us + span_us, now_us);
    }
    budget->retry_us = budget->record.pause_until_us;
}

void ts_budget_look(struct ts_budget *budget, struct ts_budget_view *view)
{
    int64_t now_us = ts_loop_now(budget->loop);
    bool is_stale = is_shared(budget) && now_us - budget->seen_us > LEASE_US;
    if (is_stale || budget->batch.ended > 0) {
        struct visit visit = {0};
        budget_visit(budget, &visit);
    }
    struct ts_governor_view seen;
    struct ts_wait wait;
    ts_governor_look(&budget->record, &budget->rule, now_us, &seen);
    ts_governor_wait(&budget->record, &budget->rule, now_us, &wait);
    *view = (struct ts_budget_view){
        .limit = seen.requests,
        .window_us = seen.window_us,
        .left = seen.left + budget->leased,
        .reserve = seen.reserve,
        .others = seen.others,
        .paused_us = seen.paused_us,
        .wait_us = seen.wait_us,
        .wait = {wait.reason, wait.until_us - now_us},
        .held_us = ts_notice_held_us(&budget->notice, now_us),
        .waited_us = ts_notice_waited_us(&budget->notice, now_us),
        .in_flight = seen.in_flight,
        .requests = budget->requests,
        .is_heard = seen.is_heard,
        .is_shared = is_shared(budget),
    };
}

int64_t ts_budget_estimate_us(struct ts_budget *budget, int64_t requests)
{
    struct ts_budget_view view;
    ts_budget_look(budget, &view);
    return ts_governor_estimate(
        &budget->record, &budget->rule, requests, ts_loop_now(budget->loop));
}
