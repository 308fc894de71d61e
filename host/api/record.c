// SPDX-License-Identifier: MIT
// Opening, counting, forgetting. What a file held is trusted only as far as it can be true.
#include "host/api/record.h"

#include <string.h>

#include "host/api/least.h"

#define RECORD_VERSION 4
#define VERSIONS_MAX 1000 // no version will be that high, so it is damage
#define SECOND_US INT64_C(1000000)
#define PAUSE_MAX_US (3600 * SECOND_US)
#define SILENCE_US (900 * SECOND_US) // longer than any request that lives is heard of

bool ts_record_is_ruled(const struct ts_record *record, const struct ts_record_rule *rule)
{
    return rule->is_given || !ts_limits_is_any(&record->limits);
}

int64_t ts_record_held(const struct ts_record *record)
{
    int64_t sum = 0;
    for (size_t i = 0; i < TS_RECORD_PROCESSES; i++) {
        sum += record->processes[i].out;
    }
    return sum;
}

// The longest window that has to be remembered.
static int64_t reach_of(const struct ts_record *record, const struct ts_record_rule *rule)
{
    int64_t reach = ts_record_is_ruled(record, rule) ? rule->window_us : 0;
    for (size_t i = 0; i < TS_RATELIMIT_MAX; i++) {
        const struct ts_limit *limit = &record->limits.items[i];
        reach = limit->name ? ts_most(reach, limit->window_us) : reach;
    }
    return reach;
}

static void ended_add(struct ts_record *record, int64_t count, int64_t now_us)
{
    ts_answer_log_add(&record->log, count, now_us);
    record->total += count;
}

// After a reboot: as much time has passed as the wall clock says, none when it went backwards.
static void record_move(
    struct ts_record *record, const struct ts_record_time *now, const struct ts_record_rule *rule)
{
    int64_t passed_us = ts_most(now->wall_us - record->saved_wall_us, 0);
    int64_t shift_us = now->mono_us - (record->saved_us + passed_us);
    int64_t out = ts_record_held(record);
    memset(record->processes, 0, sizeof record->processes); // none of them lives
    record->pause_until_us += shift_us;
    record->tat_us += shift_us;
    ts_limits_shift(&record->limits, shift_us);
    ts_limits_spend(&record->limits, out);
    ts_answer_log_fit(&record->log, reach_of(record, rule), shift_us, now->mono_us);
    ended_add(record, out, now->mono_us);
    memcpy(record->boot, now->boot, sizeof record->boot);
}

static bool time_is_sound(int64_t time_us)
{
    return time_us > -INT64_MAX / 4 && time_us < INT64_MAX / 4;
}

static bool record_is_sound(const struct ts_record *record)
{
    bool is_sound = record->version == RECORD_VERSION && record->size == sizeof *record &&
                    ts_answer_log_is_sound(&record->log) && ts_limits_is_sound(&record->limits) &&
                    time_is_sound(record->saved_us) && time_is_sound(record->saved_wall_us) &&
                    time_is_sound(record->pause_until_us) && time_is_sound(record->tat_us) &&
                    record->total >= 0 && record->total < INT64_MAX / 4 && record->doubt >= 0 &&
                    record->doubt < TS_WAIT_REASONS;
    for (size_t i = 0; is_sound && i < TS_RECORD_PROCESSES; i++) {
        int64_t out = record->processes[i].out;
        is_sound = out >= 0 && out <= TS_RATELIMIT_REQUESTS_MAX;
    }
    return is_sound;
}

static enum ts_wait_reason record_doubt(const struct ts_record *record)
{
    bool is_version = record->version > 0 && record->version < VERSIONS_MAX;
    return is_version && record->version != RECORD_VERSION ? TS_WAIT_VERSION : TS_WAIT_DAMAGE;
}

void ts_record_open(struct ts_record *record, bool is_found, const struct ts_record_time *now,
    const struct ts_record_rule *rule)
{
    bool is_sound = is_found && record_is_sound(record);
    enum ts_wait_reason doubt = is_found && !is_sound ? record_doubt(record) : TS_WAIT_NONE;
    if (!is_sound) {
        memset(record, 0, sizeof *record);
        record->version = RECORD_VERSION;
        record->size = sizeof *record;
        memcpy(record->boot, now->boot, sizeof record->boot);
        ts_answer_log_fit(&record->log, rule->window_us, 0, now->mono_us);
    }
    if (doubt) {
        record->doubt = doubt;
        ts_limits_doubt(&record->limits, rule->requests, rule->window_us, now->mono_us);
    }
    if (memcmp(record->boot, now->boot, sizeof record->boot) != 0) {
        record_move(record, now, rule);
    }
    ts_limits_assume(&record->limits, rule->requests, rule->window_us);
    int64_t reach_us = reach_of(record, rule);
    bool is_ahead = record->log.newest > now->mono_us / record->log.width_us;
    if (is_ahead || !ts_answer_log_covers(&record->log, reach_us)) {
        ts_answer_log_fit(&record->log, reach_us, 0, now->mono_us);
    }
    record->pause_until_us = ts_least(record->pause_until_us, now->mono_us + PAUSE_MAX_US);
    record->tat_us = ts_least(record->tat_us, now->mono_us + SECOND_US);
    ts_limits_clamp(&record->limits, now->mono_us);
    record->saved_us = now->mono_us;
    record->saved_wall_us = now->wall_us;
}

static bool is_same_process(const struct ts_process_id *a, const struct ts_process_id *b)
{
    return a->pid == b->pid && a->start == b->start && a->space == b->space;
}

// What it held counts as spent now: it may have been sent, and nobody will say.
static void process_forget(
    struct ts_record *record, struct ts_record_process *process, int64_t now_us)
{
    ended_add(record, process->out, now_us);
    ts_limits_spend(&record->limits, process->out);
    *process = (struct ts_record_process){0};
}

void ts_record_hold(struct ts_record *record, const struct ts_record_process *self, int64_t now_us)
{
    struct ts_record_process *own = NULL, *idle = NULL, *oldest = &record->processes[0];
    for (size_t i = 0; i < TS_RECORD_PROCESSES && !own; i++) {
        struct ts_record_process *process = &record->processes[i];
        if (!process->id.pid) {
            idle = idle ? idle : process;
        } else if (is_same_process(&process->id, &self->id)) {
            own = process;
        }
        oldest = process->seen_us < oldest->seen_us ? process : oldest;
    }
    if (!own && self->out == 0) {
        return;
    }
    if (!own && !idle) { // more processes than places: one that was quiet for long pays for it
        process_forget(record, oldest, now_us);
    }
    own = own ? own : idle ? idle : oldest;
    *own = self->out > 0 ? *self : (struct ts_record_process){0};
    own->seen_us = self->out > 0 ? now_us : 0;
}

bool ts_record_reap(struct ts_record *record, const struct ts_process_id *self,
    bool (*is_gone)(const struct ts_process_id *process), int64_t now_us)
{
    bool has_changed = false;
    for (size_t i = 0; i < TS_RECORD_PROCESSES; i++) {
        struct ts_record_process *process = &record->processes[i];
        if (process->id.pid && !is_same_process(&process->id, self) &&
            (now_us - process->seen_us > SILENCE_US || is_gone(&process->id))) {
            process_forget(record, process, now_us);
            has_changed = true;
        }
    }
    return has_changed;
}

void ts_record_settle(struct ts_record *record, const struct ts_record_rule *rule,
    const struct ts_record_batch *batch, int64_t now_us)
{
    struct ts_ratelimit_policy fallback = {
        .requests = rule->requests, .window_us = rule->window_us};
    int64_t silent = batch->ended - batch->word.answers;
    ended_add(record, batch->ended, now_us);
    ts_limits_spend(&record->limits, silent);
    if (batch->word.answers > 0 || batch->word.policy_count > 0) {
        bool has_changed = ts_limits_hear(
            &record->limits, &batch->word, ts_record_held(record), &fallback, now_us);
        if (has_changed) {
            ts_answer_log_fit(&record->log, reach_of(record, rule), 0, now_us);
        }
        ts_limits_watch(&record->limits, &batch->word, ts_record_held(record), record->total,
            &record->log, now_us);
    }
    if (silent > 0) {
        ts_limits_hear_silence(&record->limits, now_us);
    }
}

void ts_record_pause(struct ts_record *record, int64_t until_us, int64_t now_us)
{
    until_us = ts_least(until_us, now_us + PAUSE_MAX_US);
    record->pause_until_us = ts_most(record->pause_until_us, until_us);
    ts_limits_pause(&record->limits, record->pause_until_us, now_us);
}
