// SPDX-License-Identifier: MIT
// The progress in words, for people. Decimals are put together from whole numbers, because a script
// may have changed the locale.
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "host/base/human.h"
#include "host/base/progress_private.h"
#include "host/base/text.h"

#define SECOND_US INT64_C(1000000)
#define PARTS_MAX 8
#define PART_MAX 256
#define RATE_MAX 48

// What a line is made of, in order. Where it is too long, what has the lowest rank is left out.
enum rank { RANK_BUDGET, RANK_RATE, RANK_LEFT, RANK_INNER, RANK_TIME, RANK_FAILED, RANK_ALWAYS };

struct parts {
    struct {
        enum rank rank;
        char text[PART_MAX];
    } items[PARTS_MAX];
    size_t count;
};

static void parts_add(struct parts *parts, enum rank rank, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void parts_add(struct parts *parts, enum rank rank, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(parts->items[parts->count].text, PART_MAX, format, args);
    va_end(args);
    parts->items[parts->count++].rank = rank;
}

// Joins those of at least that rank.
static void parts_join(const struct parts *parts, enum rank rank, char *line)
{
    size_t len = 0;
    line[0] = '\0';
    for (size_t i = 0; i < parts->count && len < TS_TERMINAL_LINE_MAX; i++) {
        if (parts->items[i].rank >= rank) {
            const char *joint = parts->items[i].rank == RANK_INNER ? " > " : ", ";
            len += (size_t)snprintf(line + len, TS_TERMINAL_LINE_MAX + 1 - len, "%s%s",
                len == 0 ? "" : joint, parts->items[i].text);
        }
    }
}

static void label_copy(const struct ts_progress_job *job, char label[TS_PROGRESS_LABEL_MAX + 1])
{
    memcpy(label, job->label, job->label_len);
    ts_text_clean(label, job->label_len);
    label[job->label_len] = '\0';
}

// "1,240/3,100", or what is done alone.
static void count_add(struct parts *parts, enum rank rank, const struct ts_progress_job *job)
{
    char label[TS_PROGRESS_LABEL_MAX + 1], done[TS_HUMAN_MAX], total[TS_HUMAN_MAX];
    label_copy(job, label);
    ts_human_count(job->done, done);
    ts_human_count(job->total > job->done ? job->total : job->done, total);
    if (job->total < 0) {
        parts_add(parts, rank, "%s: %s", label, done);
    } else {
        parts_add(parts, rank, "%s: %s/%s", label, done, total);
    }
}

// A second's work, or a minute's where that is less than one item.
static void rate_words(double rate, char text[RATE_MAX])
{
    const char *unit = rate > 0 && rate < 1 ? "min" : "s";
    double count = rate > 0 && rate < 1 ? rate * 60 : rate;
    int64_t tenths = count < 1e15 ? (int64_t)(count * 10 + 0.5) : INT64_MAX / 2;
    char whole[TS_HUMAN_MAX];
    if (tenths < 100 && tenths % 10 != 0) {
        snprintf(text, RATE_MAX, "%" PRId64 ".%" PRId64 "/%s", tenths / 10, tenths % 10, unit);
    } else {
        ts_human_count((tenths + 5) / 10, whole);
        snprintf(text, RATE_MAX, "%s/%s", whole, unit);
    }
}

// Tenths of seconds would only flicker.
static void whole_seconds(int64_t span_us, char text[TS_HUMAN_MAX])
{
    ts_human_duration((span_us + SECOND_US - 1) / SECOND_US * SECOND_US, text);
}

// What both the redrawn and the plain line say behind the count.
static void figures_add(struct parts *parts, const struct ts_progress_view *view)
{
    char text[TS_HUMAN_MAX], rate[RATE_MAX];
    ts_human_count(view->job->failed, text);
    parts_add(parts, RANK_FAILED, "%s failed", text);
    if (view->left >= 0) {
        ts_human_count(view->left, text);
        parts_add(parts, RANK_LEFT, "%s left", text);
    }
    if (view->is_stopping) {
        parts_add(parts, RANK_TIME, "stopping");
    } else if (view->wait_us > 0) {
        whole_seconds(view->wait_us, text);
        parts_add(parts, RANK_TIME, "%s, %s", view->waiting, text);
    } else {
        rate_words(view->rate, rate);
        parts_add(parts, RANK_RATE, "%s", rate);
        if (view->budget_left >= 0) {
            ts_human_count(view->budget_left, text);
            parts_add(parts, RANK_BUDGET, "budget %s", text);
        }
        if (view->left_us >= 0) {
            whole_seconds(view->left_us, text);
            parts_add(parts, RANK_TIME, "~%s", text);
        }
    }
}

void ts_progress_line(const struct ts_progress_view *view, int columns, char *line)
{
    struct parts parts = {.count = 0};
    count_add(&parts, RANK_ALWAYS, view->job);
    figures_add(&parts, view);
    if (view->inner) {
        count_add(&parts, RANK_INNER, view->inner);
    }
    enum rank rank = RANK_BUDGET;
    parts_join(&parts, rank, line);
    while (rank < RANK_ALWAYS && ts_text_columns(line) > columns) {
        parts_join(&parts, ++rank, line);
    }
    ts_text_cut(line, columns > 0 ? columns : 0);
}

void ts_progress_plain(const struct ts_progress_view *view, char *line)
{
    struct parts parts = {.count = 0};
    char label[TS_PROGRESS_LABEL_MAX + 1], done[TS_HUMAN_MAX], total[TS_HUMAN_MAX];
    label_copy(view->job, label);
    ts_human_count(view->job->done, done);
    ts_human_count(view->total, total);
    if (view->total > 0) {
        double share = (double)view->job->done / (double)view->total;
        parts_add(&parts, RANK_ALWAYS, "%s: %d %%", label, (int)(share * 100 + 1e-9));
        parts_add(&parts, RANK_ALWAYS, "%s of %s done", done, total);
    } else {
        parts_add(&parts, RANK_ALWAYS, "%s: %s done", label, done);
    }
    figures_add(&parts, view);
    parts_join(&parts, RANK_BUDGET, line);
}

void ts_progress_closing(const struct ts_progress_view *view, bool is_complete, char *line)
{
    char label[TS_PROGRESS_LABEL_MAX + 1], done[TS_HUMAN_MAX], total[TS_HUMAN_MAX];
    char failed[TS_HUMAN_MAX], time[TS_HUMAN_MAX];
    label_copy(view->job, label);
    ts_human_count(view->job->done, done);
    ts_human_count(view->total, total);
    ts_human_count(view->job->failed, failed);
    ts_human_duration(view->elapsed_us, time);
    bool is_partial = !is_complete && view->total >= 0;
    bool has_failed = view->job->failed > 0;
    snprintf(line, TS_TERMINAL_LINE_MAX + 1, "%s: %s%s%s done%s%s%s%s %s", label, done,
        is_partial ? " of " : "", is_partial ? total : "", has_failed ? ", " : "",
        has_failed ? failed : "", has_failed ? " failed" : "",
        is_complete ? " in" : ", stopped after", time);
}
