// SPDX-License-Identifier: MIT
// The decision: the least of what the log, the server's last word and the pace leave room for.
#include "host/api/governor.h"

#include <string.h>

#define RECORD_VERSION 2
#define SECOND_US INT64_C(1000000)
#define PACE_PER_S 180 // the service allows 200 a second from one address
#define PACE_GAP_US (SECOND_US / PACE_PER_S)
#define PACE_BURST 10
#define LEASES_IN_QUOTA 1024
#define LEASES_IN_ROOM 8
#define PAUSE_MAX_US (3600 * SECOND_US)
#define RECHECKS_IN_WINDOW 256
#define SILENCE_US (900 * SECOND_US) // longer than any request that lives is heard of

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t most(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

// What is left to others by the user's wish.
static int64_t share_of(const struct ts_governor_rule *rule, int64_t requests)
{
    return requests * rule->reserve_percent / 100;
}

static int64_t hold_of(const struct ts_governor_rule *rule, int64_t requests)
{
    return most(ts_limit_reserve(requests), share_of(rule, requests));
}

// What is held back of what the server says is left.
static int64_t hold_told(
    const struct ts_governor_rule *rule, const struct ts_limit *limit, int64_t now_us)
{
    return most(ts_limit_hold(limit, now_us), share_of(rule, limit->requests));
}

// Whether the user's rate applies: given, or nothing else is known.
static bool is_ruled(const struct ts_governor *record, const struct ts_governor_rule *rule)
{
    return rule->is_given || !ts_limits_is_any(&record->limits);
}

static int64_t held_by_all(const struct ts_governor *record)
{
    int64_t sum = 0;
    for (size_t i = 0; i < TS_GOVERNOR_PROCESSES; i++) {
        sum += record->processes[i].out;
    }
    return sum;
}

// The longest window that has to be remembered.
static int64_t reach_of(const struct ts_governor *record, const struct ts_governor_rule *rule)
{
    int64_t reach = is_ruled(record, rule) ? rule->window_us : 0;
    for (size_t i = 0; i < TS_RATELIMIT_MAX; i++) {
        const struct ts_limit *limit = &record->limits.items[i];
        reach = limit->name ? most(reach, limit->window_us) : reach;
    }
    return reach;
}

// The limit that allows the least on average.
static struct ts_ratelimit_policy tightest(
    const struct ts_governor *record, const struct ts_governor_rule *rule)
{
    struct ts_ratelimit_policy least_of = {0};
    if (is_ruled(record, rule)) {
        least_of.requests = rule->requests;
        least_of.window_us = rule->window_us;
    }
    for (size_t i = 0; i < TS_RATELIMIT_MAX; i++) {
        const struct ts_limit *limit = &record->limits.items[i];
        double here = (double)limit->requests * (double)least_of.window_us;
        double there = (double)least_of.requests * (double)limit->window_us;
        if (limit->name && (least_of.requests == 0 || here < there)) {
            least_of.requests = limit->requests;
            least_of.window_us = limit->window_us;
        }
    }
    return least_of;
}

static bool is_paced(const struct ts_ratelimit_policy *policy)
{
    return (double)policy->requests * SECOND_US <= (double)PACE_PER_S * (double)policy->window_us;
}

int64_t ts_governor_window(const struct ts_governor *record, const struct ts_governor_rule *rule)
{
    return tightest(record, rule).window_us;
}

static void ended_add(struct ts_governor *record, int64_t count, int64_t now_us)
{
    ts_answer_log_add(&record->log, count, now_us);
    record->total += count;
}

// After a reboot: as much time has passed as the wall clock says, none when it went backwards.
static void record_move(struct ts_governor *record, const struct ts_governor_time *now,
    const struct ts_governor_rule *rule)
{
    int64_t passed_us = most(now->wall_us - record->saved_wall_us, 0);
    int64_t shift_us = now->mono_us - (record->saved_us + passed_us);
    int64_t out = held_by_all(record);
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

static bool record_is_sound(const struct ts_governor *record)
{
    bool is_sound = record->version == RECORD_VERSION && record->size == sizeof *record &&
                    ts_answer_log_is_sound(&record->log) && ts_limits_is_sound(&record->limits) &&
                    time_is_sound(record->saved_us) && time_is_sound(record->saved_wall_us) &&
                    time_is_sound(record->pause_until_us) && time_is_sound(record->tat_us) &&
                    record->total >= 0 && record->total < INT64_MAX / 4;
    for (size_t i = 0; is_sound && i < TS_GOVERNOR_PROCESSES; i++) {
        int64_t out = record->processes[i].out;
        is_sound = out >= 0 && out <= TS_RATELIMIT_REQUESTS_MAX;
    }
    return is_sound;
}

void ts_governor_open(struct ts_governor *record, bool is_found, const struct ts_governor_time *now,
    const struct ts_governor_rule *rule)
{
    bool is_sound = is_found && record_is_sound(record);
    if (!is_sound) {
        memset(record, 0, sizeof *record);
        record->version = RECORD_VERSION;
        record->size = sizeof *record;
        memcpy(record->boot, now->boot, sizeof record->boot);
        ts_answer_log_fit(&record->log, rule->window_us, 0, now->mono_us);
    }
    if (is_found && !is_sound) {
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
    record->pause_until_us = least(record->pause_until_us, now->mono_us + PAUSE_MAX_US);
    record->tat_us = least(record->tat_us, now->mono_us + SECOND_US);
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
    struct ts_governor *record, struct ts_governor_process *process, int64_t now_us)
{
    ended_add(record, process->out, now_us);
    ts_limits_spend(&record->limits, process->out);
    *process = (struct ts_governor_process){0};
}

void ts_governor_hold(
    struct ts_governor *record, const struct ts_governor_process *self, int64_t now_us)
{
    struct ts_governor_process *own = NULL, *idle = NULL, *oldest = &record->processes[0];
    for (size_t i = 0; i < TS_GOVERNOR_PROCESSES && !own; i++) {
        struct ts_governor_process *process = &record->processes[i];
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
    *own = self->out > 0 ? *self : (struct ts_governor_process){0};
    own->seen_us = self->out > 0 ? now_us : 0;
}

bool ts_governor_reap(struct ts_governor *record, const struct ts_process_id *self,
    bool (*is_gone)(const struct ts_process_id *process), int64_t now_us)
{
    bool has_changed = false;
    for (size_t i = 0; i < TS_GOVERNOR_PROCESSES; i++) {
        struct ts_governor_process *process = &record->processes[i];
        if (process->id.pid && !is_same_process(&process->id, self) &&
            (now_us - process->seen_us > SILENCE_US || is_gone(&process->id))) {
            process_forget(record, process, now_us);
            has_changed = true;
        }
    }
    return has_changed;
}

void ts_governor_settle(struct ts_governor *record, const struct ts_governor_rule *rule,
    const struct ts_governor_batch *batch, int64_t now_us)
{
    struct ts_ratelimit_policy fallback = {
        .requests = rule->requests, .window_us = rule->window_us};
    int64_t silent = batch->ended - batch->word.answers;
    ended_add(record, batch->ended, now_us);
    ts_limits_spend(&record->limits, silent);
    if (batch->word.answers > 0 || batch->word.policy_count > 0) {
        bool has_changed =
            ts_limits_hear(&record->limits, &batch->word, held_by_all(record), &fallback, now_us);
        if (has_changed) {
            ts_answer_log_fit(&record->log, reach_of(record, rule), 0, now_us);
        }
        ts_limits_watch(&record->limits, &batch->word, held_by_all(record), record->total,
            &record->log, now_us);
    }
    if (silent > 0) {
        ts_limits_hear_silence(&record->limits, now_us);
    }
}

void ts_governor_pause(struct ts_governor *record, int64_t until_us, int64_t now_us)
{
    until_us = least(until_us, now_us + PAUSE_MAX_US);
    record->pause_until_us = most(record->pause_until_us, until_us);
    ts_limits_pause(&record->limits, record->pause_until_us, now_us);
}

static struct ts_room room_in_log(const struct ts_governor *record, int64_t requests,
    int64_t window_us, int64_t held, int64_t now_us)
{
    int64_t logged = ts_answer_log_count(&record->log, window_us, now_us);
    struct ts_room room = {.count = requests - logged - held};
    if (room.count <= 0 && held < requests) {
        room.retry_us = ts_answer_log_free_at(&record->log, window_us, 1 - room.count, now_us);
    } else if (room.count <= 0) {
        room.retry_us = now_us + least(window_us / RECHECKS_IN_WINDOW, SECOND_US);
    }
    return room;
}

static void room_narrow(struct ts_room *room, struct ts_room other)
{
    if (other.count <= 0) {
        room->retry_us = room->count <= 0 ? most(room->retry_us, other.retry_us) : other.retry_us;
    }
    room->count = least(room->count, other.count);
}

// What all limits leave room for. The server's word is not asked where the log has no room anyway:
// a look at it would be wasted.
static struct ts_room room_of(const struct ts_governor *record, const struct ts_governor_rule *rule,
    int64_t held, int64_t now_us)
{
    struct ts_room room = {.count = INT64_MAX};
    if (is_ruled(record, rule)) {
        int64_t hold = most(
            rule->is_given ? 0 : ts_limit_reserve(rule->requests), share_of(rule, rule->requests));
        room_narrow(
            &room, room_in_log(record, rule->requests - hold, rule->window_us, held, now_us));
    }
    for (size_t i = 0; i < TS_RATELIMIT_MAX; i++) {
        const struct ts_limit *limit = &record->limits.items[i];
        if (limit->name) {
            bool is_told = limit->left >= 0;
            int64_t hold =
                is_told ? share_of(rule, limit->requests) : hold_of(rule, limit->requests);
            hold = most(hold, ts_limit_hold_window(limit));
            room_narrow(
                &room, room_in_log(record, limit->requests - hold, limit->window_us, held, now_us));
        }
    }
    int64_t in_log = room.count;
    for (size_t i = 0; i < TS_RATELIMIT_MAX && room.count > 0; i++) {
        const struct ts_limit *limit = &record->limits.items[i];
        if (limit->name && limit->left >= 0) {
            int64_t hold = hold_told(rule, limit, now_us);
            int64_t short_of = ts_limit_reserve(limit->requests) + 1 - in_log;
            int64_t worth_us = ts_answer_log_free_at(
                &record->log, limit->window_us, short_of, now_us); // now when none is missing
            room_narrow(&room, ts_limit_room(limit, held, hold, worth_us, now_us));
        }
    }
    return room;
}

static struct ts_room room_in_pace(const struct ts_governor *record, int64_t now_us)
{
    int64_t tat_us = most(record->tat_us, now_us);
    return (struct ts_room){
        .count = (now_us + PACE_BURST * PACE_GAP_US - tat_us) / PACE_GAP_US,
        .retry_us = tat_us - (PACE_BURST - 1) * PACE_GAP_US,
    };
}

int64_t ts_governor_take(struct ts_governor *record, const struct ts_governor_rule *rule,
    int64_t wanted, int64_t now_us, int64_t *retry_us)
{
    if (now_us < record->pause_until_us) {
        *retry_us = record->pause_until_us;
        return 0;
    }
    int64_t held = held_by_all(record);
    struct ts_ratelimit_policy policy = tightest(record, rule);
    struct ts_room room = room_of(record, rule, held, now_us);
    bool has_pace = is_paced(&policy);
    if (has_pace && room.count > 0) {
        room_narrow(&room, room_in_pace(record, now_us));
    }
    if (room.count <= 0) {
        *retry_us = most(room.retry_us, now_us + 1);
        return 0;
    }
    int64_t ahead = least(policy.requests / LEASES_IN_QUOTA, room.count / LEASES_IN_ROOM);
    int64_t count = least(room.count, has_pace ? wanted : most(wanted, ahead));
    if (has_pace) {
        record->tat_us = most(record->tat_us, now_us) + count * PACE_GAP_US;
    }
    for (size_t i = 0; i < TS_RATELIMIT_MAX; i++) {
        struct ts_limit *limit = &record->limits.items[i];
        if (limit->name && limit->left >= 0) {
            ts_limit_start(limit, held, hold_told(rule, limit, now_us), now_us);
        }
    }
    return count;
}

void ts_governor_look(const struct ts_governor *record, const struct ts_governor_rule *rule,
    int64_t now_us, struct ts_governor_view *view)
{
    struct ts_ratelimit_policy policy = tightest(record, rule);
    int64_t held = held_by_all(record);
    *view = (struct ts_governor_view){
        .requests = policy.requests,
        .window_us = policy.window_us,
        .reserve = hold_of(rule, policy.requests),
        .spent = ts_answer_log_count(&record->log, policy.window_us, now_us) + held,
        .in_flight = held,
        .paused_us = most(record->pause_until_us - now_us, 0),
    };
    int64_t left = INT64_MAX;
    for (size_t i = 0; i < TS_RATELIMIT_MAX; i++) {
        const struct ts_limit *limit = &record->limits.items[i];
        if (limit->name && limit->requests == policy.requests &&
            limit->window_us == policy.window_us) {
            view->others = ts_others_average(&limit->others, limit->window_us);
            view->reserve = most(view->reserve, ts_limit_hold_window(limit));
        }
    }
    if (is_ruled(record, rule)) {
        int64_t hold = rule->is_given ? share_of(rule, rule->requests) : view->reserve;
        view->reserve = hold;
        left = room_in_log(record, rule->requests - hold, rule->window_us, held, now_us).count;
    }
    for (size_t i = 0; i < TS_RATELIMIT_MAX; i++) {
        const struct ts_limit *limit = &record->limits.items[i];
        if (!limit->name) {
            continue;
        }
        int64_t hold = most(hold_of(rule, limit->requests), ts_limit_hold_window(limit));
        int64_t logged = ts_answer_log_count(&record->log, limit->window_us, now_us);
        left = least(left, limit->requests - hold - logged - held);
        if (limit->left >= 0) {
            view->is_heard = true;
            if (ts_others_is_known(&limit->others, limit->window_us)) {
                hold = hold_told(rule, limit, now_us);
            }
            // Past the reset its word is old: the log alone tells.
            left = now_us < limit->reset_us ? least(left, limit->left - hold - held) : left;
        }
    }
    view->left = view->paused_us > 0 ? 0 : most(left, 0);
    struct ts_room room = room_of(record, rule, held, now_us);
    view->wait_us = most(view->paused_us, room.count > 0 ? 0 : room.retry_us - now_us);
}

int64_t ts_governor_estimate(const struct ts_governor *record, const struct ts_governor_rule *rule,
    int64_t requests, int64_t now_us)
{
    struct ts_governor_view view;
    ts_governor_look(record, rule, now_us, &view);
    struct ts_ratelimit_policy policy = tightest(record, rule);
    int64_t gap_us = is_paced(&policy) ? PACE_GAP_US : 0;
    int64_t a_window = most(policy.requests - view.reserve, 1);
    int64_t left = view.paused_us > 0 ? a_window : view.left;
    if (requests <= left) {
        return view.paused_us + requests * gap_us;
    }
    // What is spent comes back as it leaves the window, and is spent again: whole windows, and of
    // the last the part that comes back first.
    int64_t more = requests - left;
    int64_t windows = (more - 1) / a_window, rest = more - windows * a_window;
    int64_t logged = ts_answer_log_count(&record->log, policy.window_us, now_us);
    int64_t rest_us = policy.window_us;
    if (view.paused_us == 0 && rest <= logged) {
        rest_us = ts_answer_log_free_at(&record->log, policy.window_us, rest, now_us) - now_us;
    } else if (view.paused_us > 0 || rest <= logged + left) {
        rest_us += (rest - (view.paused_us > 0 ? 0 : logged)) * gap_us;
    }
    return view.paused_us + windows * policy.window_us + rest_us;
}
