// SPDX-License-Identifier: MIT
// Short waits need no words, and what was said once need not be said again.
#include "host/api/notice.h"

#include <stdio.h>

#include "host/api/governor.h"
#include "host/base/human.h"

#define TOLD_US INT64_C(5000000) // waits longer than this are told

void ts_notice_private(struct ts_log *log, const struct ts_error *cause)
{
    if (log) {
        ts_log_line(log, TS_LOG_QUIET,
            "warning: the rate budget is not shared: %s; requests of other tshost processes are "
            "not counted",
            cause->message);
    }
}

static void others_tell(struct ts_notice *notice, const struct ts_governor_view *view)
{
    if (!notice->has_told_others && view->others > ts_limit_reserve(view->requests)) {
        notice->has_told_others = true;
        ts_log_line(notice->log, TS_LOG_NORMAL,
            "tshost: somebody else uses about %d %% of the rate budget; leaving it to them",
            (int)(100 * view->others / view->requests));
    }
}

static void used_up_tell(
    struct ts_log *log, const struct ts_governor_view *view, const char *more, const char *left)
{
    char spent[TS_HUMAN_MAX], limit[TS_HUMAN_MAX], window[TS_HUMAN_MAX];
    ts_human_count(view->spent, spent);
    ts_human_count(view->requests, limit);
    ts_human_duration(view->window_us, window);
    ts_log_line(log, TS_LOG_NORMAL,
        "tshost: rate budget used up (%s of %s in %s%s); going on in %s", spent, limit, window,
        more, left);
}

// Earlier requests are not known, and the answers do not make up for it.
static void doubt_tell(const struct ts_notice *notice, const struct ts_governor_view *view,
    const char *what, const char *left)
{
    char window[TS_HUMAN_MAX], advice[TS_LOG_LINE_MAX - 512] = "";
    ts_human_duration(view->window_us, window);
    if (notice->place) {
        snprintf(advice, sizeof advice,
            "; if nothing else was sent in the last %s, remove %s and start again", window,
            notice->place);
    }
    ts_log_line(notice->log, TS_LOG_NORMAL,
        "tshost: rate budget: the record of earlier requests %s and the API does not say how many "
        "are left, so one goes at a time for up to %s%s",
        what, left, advice);
}

static void reason_tell(
    const struct ts_notice *notice, const struct ts_governor_view *view, const char *left)
{
    struct ts_log *log = notice->log;
    switch (notice->reason) {
    case TS_WAIT_PAUSE:
        ts_log_line(log, TS_LOG_NORMAL,
            "tshost: the API asks for a pause (429 Too Many Requests); going on in %s", left);
        break;
    case TS_WAIT_SPENT:
        used_up_tell(log, view, "", left);
        break;
    case TS_WAIT_OTHERS:
        used_up_tell(log, view, "; the rest is left to others", left);
        break;
    case TS_WAIT_TOLD:
        used_up_tell(log, view, "; the API says that the rest is gone too", left);
        break;
    case TS_WAIT_WATCH:
        ts_log_line(log, TS_LOG_NORMAL,
            "tshost: rate budget: about a third is held back until it is known whether others use "
            "it; going on in %s",
            left);
        break;
    case TS_WAIT_VERSION:
        doubt_tell(notice, view, "is of another version of tshost", left);
        break;
    case TS_WAIT_DAMAGE:
        doubt_tell(notice, view, "is damaged", left);
        break;
    case TS_WAIT_SILENCE:
        ts_log_line(log, TS_LOG_NORMAL,
            "tshost: rate budget: the API has ceased to say how many requests are left, so one "
            "goes at a time for up to %s",
            left);
        break;
    default:
        ts_log_line(log, TS_LOG_NORMAL,
            "tshost: rate budget: all that may be sent is under way (%d requests of all tshost "
            "processes); going on as answers come",
            (int)view->in_flight);
    }
}

// The present reason has ended: another one holds requests back, or none does.
static void reason_change(struct ts_notice *notice, enum ts_wait_reason reason, int64_t now_us)
{
    notice->waited_us = ts_notice_waited_us(notice, now_us);
    notice->reason = reason;
    notice->since_us = now_us;
}

void ts_notice_start(struct ts_notice *notice, int64_t now_us)
{
    if (!notice->is_waiting) {
        reason_change(notice, TS_WAIT_NONE, now_us);
    }
    notice->is_waiting = false;
}

int64_t ts_notice_held_us(const struct ts_notice *notice, int64_t now_us)
{
    return notice->reason ? now_us - notice->since_us : 0;
}

int64_t ts_notice_waited_us(const struct ts_notice *notice, int64_t now_us)
{
    int64_t held_us = ts_notice_held_us(notice, now_us);
    return notice->waited_us + (ts_wait_is_real(notice->reason, held_us) ? held_us : 0);
}

void ts_notice_wait(struct ts_notice *notice, const struct ts_record *record,
    const struct ts_record_rule *rule, int64_t retry_us, int64_t now_us)
{
    struct ts_wait wait;
    ts_governor_wait(record, rule, now_us, &wait);
    if (wait.reason != notice->reason) {
        reason_change(notice, wait.reason, now_us);
    }
    notice->is_waiting = true;
    if (!notice->log) {
        return;
    }
    struct ts_governor_view view;
    char left[TS_HUMAN_MAX];
    ts_governor_look(record, rule, now_us, &view);
    others_tell(notice, &view);
    int64_t held_us = now_us - notice->since_us;
    bool is_long = wait.until_us - now_us > TOLD_US || held_us > TOLD_US;
    bool is_real = ts_wait_is_real(wait.reason, held_us) || retry_us - now_us > TOLD_US;
    if (wait.reason && is_long && is_real && !notice->has_told[wait.reason]) {
        notice->has_told[wait.reason] = true;
        ts_human_duration(wait.until_us - now_us, left);
        reason_tell(notice, &view, left);
    }
}
