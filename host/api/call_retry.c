// SPDX-License-Identifier: MIT
// What follows an exchange: the end of the call, a rest before the next attempt, a pause of the
// whole token, or waiting for an outage to pass. A call that waits holds no place in flight.
#include <stdio.h>

#include "host/api/call_private.h"
#include "host/base/human.h"
#include "host/base/str.h"

#define SECOND_US INT64_C(1000000)

static bool is_read(const struct ts_call *call)
{
    // siteverify redeems a token: it counts as a write.
    return !call->endpoint->is_write && !call->endpoint->is_public;
}

// siteverify is another service: the API's outages and budget are nothing to it.
static bool is_apart(const struct ts_call *call)
{
    return call->endpoint->is_public;
}

struct ts_outage *call_outage(const struct ts_call *call)
{
    return &call->client->queue->outage;
}

static int64_t call_now(const struct ts_call *call)
{
    return ts_loop_now(call->client->loop);
}

static struct ts_call *call_of(struct ts_timer *timer)
{
    return (struct ts_call *)(void *)((char *)timer - offsetof(struct ts_call, timer));
}

// What went wrong, in words: "HTTP 502", "could not connect to ...".
static void cause_write(const struct ts_answer *answer, char *text, size_t size)
{
    if (answer->code) {
        ts_str_copy(text, size, answer->error.message);
    } else {
        snprintf(text, size, "HTTP %ld", answer->status);
    }
}

static void log_again(const struct ts_call *call, int64_t wait_us, const char *when)
{
    struct ts_log *log = call_outage(call)->log;
    if (log && ts_log_is_shown(log, TS_LOG_VERBOSE)) {
        char cause[TS_ERROR_MESSAGE_MAX], wait[TS_HUMAN_MAX];
        cause_write(&call->answer, cause, sizeof cause);
        ts_human_duration(wait_us, wait);
        ts_log_line(log, TS_LOG_VERBOSE, "tshost: %s%s%s: %s; attempt %d %s%s",
            call->endpoint->name, call->sitekey[0] ? " " : "", call->sitekey, cause,
            call->answer.attempts + 1, when, wait_us < 0 ? "" : wait);
    }
}

// Resting.

void call_wake(struct ts_call *call)
{
    struct ts_outage *outage = call_outage(call);
    ts_timer_disarm(&call->timer);
    *(call->prev ? &call->prev->next : &outage->resting) = call->next;
    *(call->next ? &call->next->prev : &outage->resting_last) = call->prev;
    call->next = call->prev = NULL;
}

static void on_rested(struct ts_timer *timer)
{
    struct ts_call *call = call_of(timer);
    struct ts_queue *queue = call->client->queue;
    call_wake(call);
    call->state = CALL_WAITING;
    queue_add_front(queue, call);
    queue_advance(queue);
}

static void call_rest(struct ts_call *call, int64_t wait_us)
{
    struct ts_outage *outage = call_outage(call);
    int64_t until_us = call_now(call) + wait_us;
    if (ts_timer_arm(call->client->loop, &call->timer, until_us, on_rested, NULL)) {
        call_end(call); // no memory: what it has heard will have to do
        return;
    }
    call->state = CALL_RESTING;
    call->prev = outage->resting_last;
    *(outage->resting_last ? &outage->resting_last->next : &outage->resting) = call;
    outage->resting_last = call;
    if (!is_apart(call)) {
        ts_outage_plan(outage, until_us);
    }
    log_again(call, wait_us, "in ");
}

// Failures.

// Ends the call as one that could not reach the API, whatever it heard before.
static void call_give_up(struct ts_call *call, const char *why)
{
    struct ts_answer *answer = &call->answer;
    answer->code = ts_error_set(&answer->error, TS_ERR_TRANSPORT, "%s", why);
    answer->is_sent = false; // what may have been carried out is never waited for
    answer->status = 0;
    ts_buf_clear(answer->body);
    call_end(call);
}

static void on_probe_due(struct ts_timer *timer)
{
    struct ts_queue *queue =
        (struct ts_queue *)(void *)((char *)timer - offsetof(struct ts_queue, outage.timer));
    queue_advance(queue);
}

static void reach_note(struct ts_call *call, bool was_probe)
{
    struct ts_outage *outage = call_outage(call);
    enum ts_retry_reach reach = ts_retry_reach(&call->answer);
    int64_t now_us = call_now(call);
    if (reach == TS_REACH_FINE) {
        ts_outage_add_success(outage, now_us);
        ts_timer_disarm(&outage->timer);
    } else if (reach != TS_REACH_UNSURE) {
        char cause[TS_ERROR_MESSAGE_MAX];
        cause_write(&call->answer, cause, sizeof cause);
        struct ts_outage_failure failure = {
            .call = call->number,
            .reach = reach,
            .started_us = call->started_us,
            .after_us = call->answer.retry_after_s * SECOND_US,
            .is_probe = was_probe,
            .cause = cause,
        };
        ts_outage_add_failure(outage, &failure, now_us);
    }
    bool is_waiting = outage->is_on && !outage->is_over;
    if (is_waiting &&
        ts_timer_arm(call->client->loop, &outage->timer, outage->probe_at_us, on_probe_due, NULL)) {
        outage->probe_at_us = now_us; // no memory for the pause: without one
    }
}

static void call_again(struct ts_call *call, bool was_probe)
{
    struct ts_outage *outage = call_outage(call);
    struct ts_answer *answer = &call->answer;
    if (outage->is_on && !is_apart(call)) {
        // Its turn comes when the API is back. A probe that failed lets others try: it may be what
        // the API chokes on.
        call->failures = 0;
        call->state = CALL_WAITING;
        log_again(call, -1, "when the API is reached");
        if (was_probe) {
            queue_add(call->client->queue, call);
        } else {
            queue_add_front(call->client->queue, call);
        }
        return;
    }
    call->failures++;
    if (call->failures >= outage->policy.attempts) {
        snprintf(answer->remark, sizeof answer->remark, "tried %d times", answer->attempts);
        call_end(call);
        return;
    }
    int64_t left_us =
        is_apart(call) ? outage->policy.max_wait_us : ts_outage_left(outage, call_now(call));
    int64_t after_us = answer->retry_after_s * SECOND_US;
    if (after_us > left_us) {
        snprintf(answer->remark, sizeof answer->remark,
            "it asks to wait %lld s, which is longer than --max-wait allows",
            (long long)answer->retry_after_s);
        call_end(call);
        return;
    }
    int64_t pause_us = ts_retry_pause(&outage->policy, call->failures, &outage->random);
    pause_us = pause_us < left_us ? pause_us : left_us;
    call_rest(call, pause_us > after_us ? pause_us : after_us);
}

// 429.

bool call_end_if_hopeless(struct ts_queue *queue, struct ts_lane *lane)
{
    struct ts_budget_view view;
    int64_t most_us = queue->outage.policy.max_wait_us;
    if (queue->outage.policy.base_us == 0) {
        return false; // not set up
    }
    ts_budget_look(lane->budget, &view);
    if (view.paused_us <= most_us) {
        return false;
    }
    char left[TS_HUMAN_MAX], most[TS_HUMAN_MAX], why[TS_ERROR_MESSAGE_MAX];
    ts_human_duration(view.paused_us, left);
    ts_human_duration(most_us, most);
    snprintf(why, sizeof why,
        "not sent: the API has asked for a pause (429) of which %s are left, which is longer than "
        "--max-wait (%s)",
        left, most);
    while (lane->head) {
        struct ts_call *call = lane->head;
        queue_remove(queue, call);
        call_give_up(call, why);
    }
    return true;
}

static void call_pause(struct ts_call *call)
{
    struct ts_outage *outage = call_outage(call);
    struct ts_budget *budget = call_budget(call);
    struct ts_answer *answer = &call->answer;
    int64_t now_us = call_now(call), after_us = answer->retry_after_s * SECOND_US;
    if (call->pauses++ == 0) {
        call->paused_us = now_us;
    }
    if (budget) {
        struct ts_budget_view view;
        ts_budget_pause(budget, answer->retry_after_s);
        ts_budget_look(budget, &view);
        after_us = view.paused_us > after_us ? view.paused_us : after_us;
        ts_outage_plan(outage, now_us + after_us);
    }
    int64_t left_us = outage->policy.max_wait_us - (now_us - call->paused_us);
    if (left_us <= 0 || after_us > left_us) {
        char left[TS_HUMAN_MAX];
        ts_human_duration(left_us, left);
        snprintf(answer->remark, sizeof answer->remark,
            "that is longer than what is left of --max-wait (%s)", left);
        call_end(call);
        return;
    }
    if (budget && after_us > 0) {
        call->state = CALL_WAITING;
        log_again(call, after_us, "after the pause that it asks for: ");
        queue_add_front(call->client->queue, call);
    } else {
        int64_t pause_us = ts_retry_pause(&outage->policy, call->pauses, &outage->random);
        call_rest(call, pause_us > after_us ? pause_us : after_us);
    }
}

// What call.c and queue.c ask for.

static void call_settle(struct ts_call *call)
{
    struct ts_outage *outage = call_outage(call);
    bool was_probe = call->is_probe;
    call_leave_flight(call, call->answer.is_sent);
    enum ts_retry_verdict verdict = TS_RETRY_FINAL;
    if (outage->policy.attempts > 0) {
        verdict = ts_retry_judge(&call->answer, is_read(call));
    }
    if (outage->policy.attempts > 0 && !is_apart(call)) {
        reach_note(call, was_probe);
    }
    if (verdict == TS_RETRY_AGAIN) {
        call->pauses = 0;
    }
    if (verdict == TS_RETRY_AGAIN && outage->is_over && !is_apart(call)) {
        call_give_up(call, outage->reason);
    } else if (verdict == TS_RETRY_FINAL || call->client->queue->is_closed) {
        call_end(call);
    } else if (verdict == TS_RETRY_LATER) {
        call_pause(call);
    } else {
        call_again(call, was_probe);
    }
}

void call_on_exchange_done(void *owner, struct ts_xfer *xfer)
{
    struct ts_call *call = owner;
    struct ts_queue *queue = call->client->queue;
    (void)xfer;
    call_answer_fill(call);
    call_settle(call); // may release the call
    if (queue->outage.is_over && !queue->is_closed) {
        ts_queue_close(queue);
    }
    queue_advance(queue);
}

struct ts_call *call_pick(struct ts_call *head)
{
    struct ts_outage *outage = call_outage(head);
    if (!outage->is_on) {
        return head;
    }
    bool may_probe = ts_outage_may_start(outage, call_now(head));
    struct ts_call *write = NULL;
    for (struct ts_call *call = head; call; call = call->next) {
        if (is_apart(call) || (may_probe && is_read(call))) {
            return call;
        }
        if (!may_probe && call_budget(call)) {
            return NULL; // in a budget's lane nobody is exempt
        }
        write = may_probe && !write ? call : write;
    }
    return write;
}

void call_abandon(struct ts_call *call)
{
    struct ts_outage *outage = call_outage(call);
    if (outage->is_over && !is_apart(call)) {
        call_give_up(call, outage->reason);
        return;
    }
    if (call->answer.attempts == 0) {
        call->answer.code =
            ts_error_set(&call->answer.error, TS_ERR_CANCELLED, "stopped before it was sent");
    }
    call_end(call); // else with what it heard last
}

bool call_is_late(const struct ts_call *call)
{
    return call->start_before_us && call_now(call) > call->start_before_us;
}

void call_expire(struct ts_call *call)
{
    call->answer.code =
        ts_error_set(&call->answer.error, TS_ERR_LATE, "not sent: it could not begin in time");
    call->answer.is_sent = false;
    call_end(call);
}

void call_abandon_resting(struct ts_queue *queue)
{
    while (queue->outage.resting) {
        struct ts_call *call = queue->outage.resting;
        call_wake(call);
        call_abandon(call);
    }
}
