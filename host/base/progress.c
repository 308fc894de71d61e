// SPDX-License-Identifier: MIT
// Which jobs there are, and when it is time to speak of them. The words are in progress_words.c and
// progress_json.c.
#include "host/base/progress.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "host/base/progress_private.h"

#define SECOND_US INT64_C(1000000)
#define REDRAW_US (SECOND_US / 10) // what has changed is told so much later at the earliest
#define IDLE_US SECOND_US          // times go on though nothing changes
#define PLAIN_US (30 * SECOND_US)
#define PLAIN_STEPS 10
#define SAMPLE_US (SECOND_US / 5) // shorter spans say nothing of the rate
#define SMOOTHING_US (3 * SECOND_US)
#define LAST_WORD_MS 1000 // how long the end of a job waits for a reader of the JSON
#define JSON_MAX 4096

static int columns_ask(struct ts_terminal *terminal)
{
    return ts_terminal_columns(terminal->fd);
}

void ts_progress_init(struct ts_progress *progress, const struct ts_progress_config *config)
{
    enum ts_progress_mode mode = config->mode;
    if (mode == TS_PROGRESS_AUTO) {
        mode = ts_terminal_is_capable(STDERR_FILENO) ? TS_PROGRESS_LINE : TS_PROGRESS_PLAIN;
    }
    *progress = (struct ts_progress){
        .mode = mode,
        .json_fd = mode == TS_PROGRESS_JSON ? config->json_fd : -1,
        .log = config->log,
        .terminal = config->terminal,
        .clock = config->clock ? config->clock : ts_clock_system(),
        .columns = config->columns ? config->columns : columns_ask,
    };
    if (config->budget) {
        progress->budget = *config->budget;
    }
    if (progress->json_fd > STDERR_FILENO) {
        fcntl(progress->json_fd, F_SETFD, FD_CLOEXEC); // commands that a script starts end later
    }
}

void ts_progress_fini(struct ts_progress *progress)
{
    while (progress->oldest) {
        struct ts_progress_job *job = progress->oldest;
        progress->oldest = job->younger;
        job->progress = NULL;
    }
    if (progress->mode == TS_PROGRESS_LINE && progress->terminal) {
        ts_terminal_hide(progress->terminal);
    }
    progress->youngest = NULL;
    progress->mode = TS_PROGRESS_NEVER;
}

bool ts_progress_is_on(const struct ts_progress *progress)
{
    return progress->mode != TS_PROGRESS_NEVER;
}

static int64_t progress_now(const struct ts_progress *progress)
{
    return ts_clock_mono(progress->clock);
}

static bool progress_look(const struct ts_progress *progress, struct ts_progress_budget *budget)
{
    return progress->budget.look && progress->budget.look(progress->budget.self, budget);
}

// The average so far, and no less than what the budget needs for requests at the cost so far.
static int64_t job_left_us(const struct ts_progress_job *job, int64_t left, int64_t elapsed_us,
    const struct ts_progress_budget *budget)
{
    const struct ts_progress_source *source = &job->progress->budget;
    if (left <= 0 || job->done <= 0) {
        return left == 0 ? 0 : -1;
    }
    double ahead = (double)left / (double)job->done;
    double span = ahead * (double)elapsed_us;
    if (budget && source->estimate_us) {
        double requests = ahead * (double)(budget->requests - job->first_requests);
        double least = (double)source->estimate_us(source->self, (int64_t)(requests + 0.5));
        span = span > least ? span : least;
    }
    return span < 1e15 ? (int64_t)span : -1;
}

static void job_sample(struct ts_progress_job *job, int64_t now)
{
    double span = (double)(now - job->sample_us);
    if (span < SAMPLE_US) {
        return;
    }
    double rate = (double)(job->done - job->sample_done) * SECOND_US / span;
    double weight = job->sample_us == job->start_us ? 1 : span / (span + SMOOTHING_US);
    job->rate += weight * (rate - job->rate);
    job->sample_us = now;
    job->sample_done = job->done;
}

// Items a second over all of the job's time.
static double job_average(const struct ts_progress_job *job, int64_t elapsed_us)
{
    return elapsed_us > 0 ? (double)job->done * SECOND_US / (double)elapsed_us : 0;
}

static void job_look(struct ts_progress_job *job, int64_t now, struct ts_progress_view *view)
{
    struct ts_progress *progress = job->progress;
    struct ts_progress_budget budget = {0};
    bool is_known = progress_look(progress, &budget);
    int64_t total = job->total >= 0 && job->total < job->done ? job->done : job->total;
    *view = (struct ts_progress_view){
        .job = job,
        .inner = job->younger ? progress->youngest : NULL,
        .total = total,
        .left = total < 0 ? -1 : total - job->done,
        .elapsed_us = now - job->start_us,
        .budget_left = is_known ? budget.left : -1,
        .wait_us = is_known && budget.waiting ? budget.wait_us : 0,
        .waiting = budget.waiting,
        .reason = is_known ? budget.reason : NULL,
        .is_stopping = progress->is_stopping,
    };
    view->left_us = job_left_us(job, view->left, view->elapsed_us, is_known ? &budget : NULL);
    job_sample(job, now);
    bool is_sampled = job->sample_us > job->start_us;
    view->rate = is_sampled ? job->rate : job_average(job, view->elapsed_us);
}

// Never waits for a reader who does not read, but a little for the end of a job; a reader who has
// gone is not written to again.
static void json_write(struct ts_progress *progress, const char *text, size_t len, int wait_ms)
{
    struct pollfd ready = {.fd = progress->json_fd, .events = POLLOUT};
    int count = progress->json_fd < 0 ? 0 : poll(&ready, 1, wait_ms);
    if (count != 1 || !(ready.revents & (POLLOUT | POLLERR | POLLNVAL))) {
        return;
    }
    ssize_t written = write(progress->json_fd, text, len);
    if (written < 0 && errno != EAGAIN && errno != EINTR) {
        progress->json_fd = -1;
    }
}

static void json_tell(struct ts_progress_job *job, int64_t now, const char *event, bool is_complete)
{
    struct ts_progress_view view;
    struct ts_buf text;
    ts_buf_init(&text, JSON_MAX);
    job_look(job, now, &view);
    bool is_last = event[0] == 'e';
    view.rate = is_last ? job_average(job, view.elapsed_us) : view.rate;
    if (!ts_progress_json(&view, event, is_complete, &text)) {
        json_write(job->progress, ts_buf_text(&text), text.len, is_last ? LAST_WORD_MS : 0);
    }
    ts_buf_fini(&text);
}

static void job_announce(struct ts_progress_job *job, int64_t now)
{
    if (!job->is_announced && job->progress->mode == TS_PROGRESS_JSON) {
        json_tell(job, now, "start", false);
        job->progress->spoke_us = now;
    }
    job->is_announced = true;
}

// The count at which the next tenth of the oldest job is done; the last is told by its end.
static void job_plan_step(struct ts_progress_job *job)
{
    job->next_step = INT64_MAX;
    if (job->progress->mode != TS_PROGRESS_PLAIN || job->older || job->total < PLAIN_STEPS) {
        return;
    }
    for (int64_t step = 1; step < PLAIN_STEPS && job->next_step == INT64_MAX; step++) {
        int64_t whole = job->total / PLAIN_STEPS * step;
        int64_t rest = job->total % PLAIN_STEPS * step;
        int64_t count = whole + (rest + PLAIN_STEPS - 1) / PLAIN_STEPS;
        job->next_step = count > job->done && count < job->total ? count : INT64_MAX;
    }
}

static void plain_tell(struct ts_progress_job *job, int64_t now)
{
    char line[TS_TERMINAL_LINE_MAX + 1];
    struct ts_progress_view view;
    job_look(job, now, &view);
    ts_progress_plain(&view, line);
    ts_log_line(job->progress->log, TS_LOG_QUIET, "%s", line);
    job->spoke_us = now;
    job->is_announced = true;
}

static void line_tell(struct ts_progress *progress, int64_t now)
{
    char line[TS_TERMINAL_LINE_MAX + 1];
    struct ts_progress_view view;
    job_look(progress->oldest, now, &view);
    ts_progress_line(&view, progress->columns(progress->terminal) - 1, line);
    ts_terminal_show(progress->terminal, line);
    progress->spoke_us = now;
    progress->is_changed = false;
}

// The length of the label, cut where a character ends.
static size_t label_fit(const char *label, size_t len)
{
    if (len <= TS_PROGRESS_LABEL_MAX) {
        return len;
    }
    size_t fit = TS_PROGRESS_LABEL_MAX;
    for (int i = 0; i < 3 && ((unsigned char)label[fit] & 0xc0) == 0x80; i++) {
        fit--;
    }
    return fit;
}

void ts_progress_start(struct ts_progress *progress, struct ts_progress_job *job, const char *label,
    size_t len, int64_t total)
{
    *job = (struct ts_progress_job){.total = total, .next_step = INT64_MAX};
    if (!ts_progress_is_on(progress)) {
        return;
    }
    struct ts_progress_budget budget = {0};
    job->label_len = label_fit(label, len);
    memcpy(job->label, label, job->label_len);
    job->progress = progress;
    job->id = ++progress->jobs;
    job->start_us = job->spoke_us = job->sample_us = progress_now(progress);
    job->first_requests = progress_look(progress, &budget) ? budget.requests : 0;
    job->older = progress->youngest;
    *(job->older ? &job->older->younger : &progress->oldest) = job;
    progress->youngest = job;
    job->is_changed = progress->is_changed = true;
    if (!job->older) {
        job_announce(job, job->start_us);
        job_plan_step(job);
    }
}

void ts_progress_advance(struct ts_progress_job *job, bool has_failed)
{
    if (!job->progress) {
        return;
    }
    job->done++;
    job->failed += has_failed;
    job->is_changed = job->progress->is_changed = true;
    if (job->done >= job->next_step) {
        plain_tell(job, progress_now(job->progress));
        job_plan_step(job);
    }
}

static void job_close(struct ts_progress_job *job, int64_t now, bool is_complete)
{
    struct ts_progress *progress = job->progress;
    if (progress->mode == TS_PROGRESS_JSON) {
        json_tell(job, now, "end", is_complete);
        return;
    }
    char line[TS_TERMINAL_LINE_MAX + 1];
    struct ts_progress_view view;
    job_look(job, now, &view);
    ts_progress_closing(&view, is_complete, line);
    if (progress->mode == TS_PROGRESS_LINE) {
        ts_terminal_hide(progress->terminal);
    }
    ts_log_line(progress->log, TS_LOG_QUIET, "%s", line);
}

void ts_progress_finish(struct ts_progress_job *job, bool is_complete)
{
    struct ts_progress *progress = job->progress;
    if (!progress) {
        return;
    }
    int64_t now = progress_now(progress);
    bool is_long = now - job->start_us >= PLAIN_US && progress->mode != TS_PROGRESS_JSON;
    bool is_told = job->is_announced || is_long;
    if (is_told) {
        job_close(job, now, is_complete);
    }
    *(job->older ? &job->older->younger : &progress->oldest) = job->younger;
    *(job->younger ? &job->younger->older : &progress->youngest) = job->older;
    job->progress = NULL;
    progress->is_changed = true;
    if (progress->oldest && !job->older) { // what was taken for a part is the whole now
        job_announce(progress->oldest, now);
        job_plan_step(progress->oldest);
    }
    if (progress->oldest && is_told && progress->mode == TS_PROGRESS_LINE) {
        line_tell(progress, now);
    }
}

static void plain_tick(struct ts_progress *progress, int64_t now)
{
    for (struct ts_progress_job *job = progress->oldest; job; job = job->younger) {
        if (now - job->spoke_us >= PLAIN_US) {
            plain_tell(job, now);
        }
    }
}

// One job at a time: of those that have changed the one that was silent for longest.
static void json_tick(struct ts_progress *progress, int64_t now)
{
    struct ts_progress_job *chosen = NULL;
    int changed = 0;
    for (struct ts_progress_job *job = progress->oldest; job; job = job->younger) {
        changed += job->is_changed;
        if (job->is_changed && (!chosen || job->spoke_us < chosen->spoke_us)) {
            chosen = job;
        }
    }
    chosen = chosen ? chosen : progress->oldest;
    job_announce(chosen, now);
    json_tell(chosen, now, "progress", false);
    chosen->spoke_us = now;
    chosen->is_changed = false;
    progress->is_changed = changed > 1;
}

static int64_t pause_us(const struct ts_progress *progress)
{
    return progress->is_changed ? REDRAW_US : IDLE_US;
}

void ts_progress_tick(struct ts_progress *progress)
{
    if (!progress->oldest) {
        return;
    }
    int64_t now = progress_now(progress);
    if (now < progress->spoke_us + pause_us(progress)) {
        return;
    }
    progress->spoke_us = now;
    switch (progress->mode) {
    case TS_PROGRESS_LINE:
        line_tell(progress, now);
        break;
    case TS_PROGRESS_JSON:
        json_tick(progress, now);
        break;
    default:
        progress->is_changed = false;
        plain_tick(progress, now);
        break;
    }
}

int64_t ts_progress_next(const struct ts_progress *progress)
{
    return progress->oldest ? progress->spoke_us + pause_us(progress) : TS_NEVER;
}

void ts_progress_stop(struct ts_progress *progress)
{
    progress->is_changed = progress->is_changed || !progress->is_stopping;
    progress->is_stopping = true;
}
