// SPDX-License-Identifier: MIT
// Counts permissions and keeps pauses; the policy comes with the governor.
// A timer wakes the queue when a wait is over.
#include "host/api/budget.h"

#include <stdlib.h>

#include "host/api/queue_private.h"
#include "host/net/loop.h"
#include "host/net/timer.h"

#define SECOND_US INT64_C(1000000)

struct ts_budget {
    struct ts_timer timer; // first: on_timer casts
    struct ts_lane lane;
    struct ts_loop *loop;
    struct ts_queue *queue;
    struct ts_budget_rate rate;
    int64_t pause_until_us;
    int64_t taken;
    int64_t requests;
};

struct ts_lane *budget_lane(struct ts_budget *budget)
{
    return &budget->lane;
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
    budget->rate = config->rate;
    if (budget->rate.requests <= 0) {
        budget->rate.requests = TS_BUDGET_REQUESTS;
        budget->rate.window_us = TS_BUDGET_WINDOW_US;
    }
    return TS_OK;
}

void ts_budget_destroy(struct ts_budget *budget)
{
    if (budget) {
        ts_timer_disarm(&budget->timer);
        free(budget);
    }
}

static void on_timer(struct ts_timer *timer)
{
    struct ts_budget *budget = (struct ts_budget *)timer;
    queue_advance(budget->queue);
}

bool ts_budget_take(struct ts_budget *budget)
{
    if (ts_loop_now(budget->loop) < budget->pause_until_us) {
        ts_timer_arm(budget->loop, &budget->timer, budget->pause_until_us, on_timer, NULL);
        return false;
    }
    budget->taken++;
    budget->requests++;
    return true;
}

void ts_budget_give(
    struct ts_budget *budget, bool is_sent, const char *ratelimit, const char *policy)
{
    (void)ratelimit;
    (void)policy;
    budget->taken--;
    budget->requests -= !is_sent;
}

void ts_budget_pause(struct ts_budget *budget, int64_t seconds)
{
    int64_t pause_us = seconds < 0 ? budget->rate.window_us : seconds * SECOND_US;
    int64_t until_us = ts_loop_now(budget->loop) + pause_us;
    if (until_us > budget->pause_until_us) {
        budget->pause_until_us = until_us;
    }
}

void ts_budget_look(struct ts_budget *budget, struct ts_budget_view *view)
{
    int64_t now_us = ts_loop_now(budget->loop);
    *view = (struct ts_budget_view){
        .limit = budget->rate.requests,
        .window_us = budget->rate.window_us,
        .left = budget->rate.requests - budget->taken,
        .in_flight = budget->taken,
        .requests = budget->requests,
        .paused_us = budget->pause_until_us > now_us ? budget->pause_until_us - now_us : 0,
    };
}

int64_t ts_budget_estimate_us(struct ts_budget *budget, int64_t requests)
{
    return (requests - 1) / budget->rate.requests * budget->rate.window_us;
}
