// SPDX-License-Identifier: MIT
// A breaker for the whole run. Failures that were under way together count once, for a server that
// restarts breaks every connection at the same moment. As many in a row as one call has attempts,
// each begun after the one before had failed, are an outage, unless a single call had them all:
// that one request may be what the API chokes on.
#include "host/api/outage.h"

#include "host/base/human.h"
#include "host/base/str.h"

void ts_outage_init(struct ts_outage *outage, const struct ts_retry_policy *policy,
    struct ts_log *log, uint64_t seed)
{
    *outage = (struct ts_outage){.policy = *policy, .log = log, .random = seed};
}

void ts_outage_fini(struct ts_outage *outage)
{
    ts_timer_disarm(&outage->timer);
}

static int64_t end_us(const struct ts_outage *outage)
{
    return outage->began_us + outage->policy.max_wait_us;
}

static void probe_plan(struct ts_outage *outage, int64_t after_us, int64_t now_us)
{
    int64_t pause = ts_retry_pause(&outage->policy, outage->probes + 1, &outage->random);
    pause = pause > after_us ? pause : after_us;
    int64_t left = end_us(outage) - now_us; // the last one leaves when the time is up
    outage->probe_at_us = now_us + (pause < left ? pause : left);
    ts_outage_plan(outage, outage->probe_at_us);
}

static void give_up(struct ts_outage *outage, int64_t now_us)
{
    char waited[TS_HUMAN_MAX];
    struct ts_error reason;
    ts_human_duration(now_us - outage->began_us, waited);
    bool has_waited = outage->policy.max_wait_us > 0;
    ts_error_set(&reason, TS_ERR_TRANSPORT, "the API cannot be reached: %s; given up %s%s%s",
        outage->cause, has_waited ? "after " : "at once", has_waited ? waited : "",
        has_waited ? " (--max-wait)" : " (--max-wait 0)");
    ts_str_copy(outage->reason, sizeof outage->reason, reason.message);
    outage->is_over = true;
}

static void give_up_barred(struct ts_outage *outage)
{
    struct ts_error reason;
    ts_error_set(&reason, TS_ERR_TRANSPORT,
        "the API cannot be reached: %s; waiting does not mend that: check --base-url, the clock of "
        "this machine and the certificates that it trusts (SSL_CERT_FILE)",
        outage->cause);
    ts_str_copy(outage->reason, sizeof outage->reason, reason.message);
    outage->is_over = true;
}

static void outage_begin(struct ts_outage *outage, int64_t after_us, int64_t now_us)
{
    outage->is_on = true;
    outage->probes = 0;
    probe_plan(outage, after_us, now_us);
    if (outage->log) {
        char longest[TS_HUMAN_MAX];
        ts_human_duration(ts_outage_left(outage, now_us), longest);
        ts_log_line(outage->log, TS_LOG_NORMAL,
            "tshost: the API cannot be reached: %s; waiting, for at most %s (--max-wait)",
            outage->cause, longest);
    }
}

// Notes it as one more in the row, or as the first of a new one.
static void failure_count(
    struct ts_outage *outage, const struct ts_outage_failure *failure, int64_t now_us)
{
    int64_t busy_until =
        outage->counted_us > outage->planned_us ? outage->counted_us : outage->planned_us;
    // Time in which the run wanted nothing of the API is not waiting.
    bool is_after_idling = failure->started_us - busy_until > outage->policy.cap_us;
    if (outage->failures == 0 || is_after_idling) {
        outage->began_us = now_us;
    }
    if (outage->failures == 0 || (is_after_idling && !outage->is_on)) {
        outage->failures = 0;
        outage->only_call = failure->call;
        outage->is_common = false;
    }
    if (failure->call != outage->only_call || failure->reach >= TS_REACH_NONE) {
        outage->is_common = true;
    }
    if (outage->failures == 0 || failure->started_us >= outage->counted_us) {
        outage->failures++;
        outage->counted_us = now_us;
    }
    ts_str_copy(outage->cause, sizeof outage->cause, failure->cause);
}

void ts_outage_add_failure(
    struct ts_outage *outage, const struct ts_outage_failure *failure, int64_t now_us)
{
    if (outage->is_over) {
        return;
    }
    failure_count(outage, failure, now_us);
    if (failure->reach == TS_REACH_BARRED && !outage->has_answered) {
        give_up_barred(outage);
        return;
    }
    bool is_used_up = outage->failures >= outage->policy.attempts && outage->is_common;
    bool is_news = outage->is_on ? failure->is_probe : is_used_up;
    if (!is_news) {
        return;
    }
    if (now_us >= end_us(outage)) {
        give_up(outage, now_us);
    } else if (outage->is_on) {
        outage->probes++;
        probe_plan(outage, failure->after_us, now_us);
    } else {
        outage_begin(outage, failure->after_us, now_us);
    }
}

void ts_outage_add_success(struct ts_outage *outage, int64_t now_us)
{
    outage->failures = 0;
    outage->has_answered = true;
    if (!outage->is_on || outage->is_over) {
        return;
    }
    outage->is_on = false;
    if (outage->log) {
        char span[TS_HUMAN_MAX];
        ts_human_duration(now_us - outage->began_us, span);
        ts_log_line(outage->log, TS_LOG_NORMAL, "tshost: the API is reached again after %s", span);
    }
}

void ts_outage_plan(struct ts_outage *outage, int64_t until_us)
{
    outage->planned_us = until_us > outage->planned_us ? until_us : outage->planned_us;
}

bool ts_outage_may_start(const struct ts_outage *outage, int64_t now_us)
{
    if (outage->is_over) {
        return false;
    }
    return !outage->is_on || (!outage->is_probing && now_us >= outage->probe_at_us);
}

int64_t ts_outage_left(const struct ts_outage *outage, int64_t now_us)
{
    int64_t whole = outage->policy.max_wait_us;
    int64_t left = outage->failures > 0 ? end_us(outage) - now_us : whole;
    return left > 0 ? left : 0;
}
