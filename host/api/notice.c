// SPDX-License-Identifier: MIT
// Short waits need no words, and what was said once need not be said again.
#include "host/api/notice.h"

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
            "somebody else uses about %d %% of the rate budget; leaving it to them",
            (int)(100 * view->others / view->requests));
    }
}

static void spent_tell(
    struct ts_notice *notice, const struct ts_governor_view *view, const char *left)
{
    char spent[TS_HUMAN_MAX], limit[TS_HUMAN_MAX], window[TS_HUMAN_MAX];
    notice->has_told_wait = true;
    ts_human_count(view->spent, spent);
    ts_human_count(view->requests, limit);
    ts_human_duration(view->window_us, window);
    ts_log_line(notice->log, TS_LOG_NORMAL, "rate budget used up (%s of %s in %s); going on in %s",
        spent, limit, window, left);
}

static void pause_tell(struct ts_notice *notice, const char *left)
{
    notice->has_told_pause = true;
    ts_log_line(notice->log, TS_LOG_NORMAL,
        "the API asks for a pause (429 Too Many Requests); going on in %s", left);
}

void ts_notice_start(struct ts_notice *notice)
{
    notice->is_waiting = false;
}

void ts_notice_wait(struct ts_notice *notice, const struct ts_record *record,
    const struct ts_record_rule *rule, int64_t retry_us, int64_t now_us)
{
    if (!notice->is_waiting) {
        notice->is_waiting = true;
        notice->waiting_us = now_us;
    }
    if (!notice->log) {
        return;
    }
    struct ts_governor_view view;
    char left[TS_HUMAN_MAX];
    ts_governor_look(record, rule, now_us, &view);
    others_tell(notice, &view);
    ts_human_duration(retry_us - now_us, left);
    bool is_long = retry_us - now_us > TOLD_US || now_us - notice->waiting_us > TOLD_US;
    if (is_long && view.paused_us > 0 && !notice->has_told_pause) {
        pause_tell(notice, left);
    } else if (is_long && view.paused_us == 0 && !notice->has_told_wait) {
        spent_tell(notice, &view, left);
    }
}
