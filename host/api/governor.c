// SPDX-License-Identifier: MIT
// The decision: the least of what the log, the server's last word and the pace leave room for.
#include "host/api/governor.h"

#include "host/api/least.h"

#define SECOND_US INT64_C(1000000)
#define PACE_PER_S 180 // the service allows 200 a second from one address
#define PACE_GAP_US (SECOND_US / PACE_PER_S)
#define PACE_BURST 10
#define LEASES_IN_QUOTA 1024
#define LEASES_IN_ROOM 8
#define RECHECKS_IN_WINDOW 256

// What is left to others by the user's wish.
static int64_t share_of(const struct ts_record_rule *rule, int64_t requests)
{
    return requests * rule->reserve_percent / 100;
}

static int64_t hold_of(const struct ts_record_rule *rule, int64_t requests)
{
    return ts_most(ts_limit_reserve(requests), share_of(rule, requests));
}

// What is held back of what the server says is left.
static int64_t hold_told(
    const struct ts_record_rule *rule, const struct ts_limit *limit, int64_t now_us)
{
    return ts_most(ts_limit_hold(limit, now_us), share_of(rule, limit->requests));
}

// What is held back in the log: of the user's rate, and of a limit for whoever has not been seen.
static int64_t hold_ruled(const struct ts_record_rule *rule)
{
    return rule->is_given ? share_of(rule, rule->requests) : hold_of(rule, rule->requests);
}

static int64_t hold_unseen(const struct ts_record_rule *rule, const struct ts_limit *limit)
{
    bool is_told = limit->left >= 0;
    return is_told ? share_of(rule, limit->requests) : hold_of(rule, limit->requests);
}

// The limit that allows the least on average.
static struct ts_ratelimit_policy tightest(
    const struct ts_record *record, const struct ts_record_rule *rule)
{
    struct ts_ratelimit_policy least_of = {0};
    if (ts_record_is_ruled(record, rule)) {
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

int64_t ts_governor_window(const struct ts_record *record, const struct ts_record_rule *rule)
{
    return tightest(record, rule).window_us;
}

static struct ts_room room_in_log(const struct ts_record *record, int64_t requests,
    int64_t window_us, int64_t held, int64_t now_us)
{
    int64_t logged = ts_answer_log_count(&record->log, window_us, now_us);
    struct ts_room room = {.count = requests - logged - held};
    if (room.count <= 0 && held < requests) {
        room.retry_us = ts_answer_log_free_at(&record->log, window_us, 1 - room.count, now_us);
    } else if (room.count <= 0) {
        room.retry_us = now_us + ts_least(window_us / RECHECKS_IN_WINDOW, SECOND_US);
    }
    return room;
}

static void room_narrow(struct ts_room *room, struct ts_room other)
{
    if (other.count <= 0) {
        room->retry_us =
            room->count <= 0 ? ts_most(room->retry_us, other.retry_us) : other.retry_us;
    }
    room->count = ts_least(room->count, other.count);
}

// What all limits leave room for. The server's word is not asked where the log has no room anyway:
// a look at it would be wasted.
static struct ts_room room_of(
    const struct ts_record *record, const struct ts_record_rule *rule, int64_t held, int64_t now_us)
{
    struct ts_room room = {.count = INT64_MAX};
    if (ts_record_is_ruled(record, rule)) {
        int64_t most_own = rule->requests - hold_ruled(rule);
        room_narrow(&room, room_in_log(record, most_own, rule->window_us, held, now_us));
    }
    for (size_t i = 0; i < TS_RATELIMIT_MAX; i++) {
        const struct ts_limit *limit = &record->limits.items[i];
        if (limit->name) {
            int64_t hold = ts_most(hold_unseen(rule, limit), ts_limit_hold_window(limit));
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

static struct ts_room room_in_pace(const struct ts_record *record, int64_t now_us)
{
    int64_t tat_us = ts_most(record->tat_us, now_us);
    return (struct ts_room){
        .count = (now_us + PACE_BURST * PACE_GAP_US - tat_us) / PACE_GAP_US,
        .retry_us = tat_us - (PACE_BURST - 1) * PACE_GAP_US,
    };
}

int64_t ts_governor_take(struct ts_record *record, const struct ts_record_rule *rule,
    int64_t wanted, int64_t now_us, int64_t *retry_us)
{
    if (now_us < record->pause_until_us) {
        *retry_us = record->pause_until_us;
        return 0;
    }
    int64_t held = ts_record_held(record);
    struct ts_ratelimit_policy policy = tightest(record, rule);
    struct ts_room room = room_of(record, rule, held, now_us);
    bool has_pace = is_paced(&policy);
    if (has_pace && room.count > 0) {
        room_narrow(&room, room_in_pace(record, now_us));
    }
    if (room.count <= 0) {
        *retry_us = ts_most(room.retry_us, now_us + 1);
        return 0;
    }
    int64_t ahead = ts_least(policy.requests / LEASES_IN_QUOTA, room.count / LEASES_IN_ROOM);
    int64_t count = ts_least(room.count, has_pace ? wanted : ts_most(wanted, ahead));
    if (has_pace) {
        record->tat_us = ts_most(record->tat_us, now_us) + count * PACE_GAP_US;
    }
    for (size_t i = 0; i < TS_RATELIMIT_MAX; i++) {
        struct ts_limit *limit = &record->limits.items[i];
        if (limit->name && limit->left >= 0) {
            ts_limit_start(limit, held, hold_told(rule, limit, now_us), now_us);
        }
    }
    return count;
}

void ts_governor_look(const struct ts_record *record, const struct ts_record_rule *rule,
    int64_t now_us, struct ts_governor_view *view)
{
    struct ts_ratelimit_policy policy = tightest(record, rule);
    int64_t held = ts_record_held(record);
    *view = (struct ts_governor_view){
        .requests = policy.requests,
        .window_us = policy.window_us,
        .reserve = hold_of(rule, policy.requests),
        .spent = ts_answer_log_count(&record->log, policy.window_us, now_us) + held,
        .in_flight = held,
        .paused_us = ts_most(record->pause_until_us - now_us, 0),
    };
    int64_t left = INT64_MAX;
    for (size_t i = 0; i < TS_RATELIMIT_MAX; i++) {
        const struct ts_limit *limit = &record->limits.items[i];
        if (limit->name && limit->requests == policy.requests &&
            limit->window_us == policy.window_us) {
            view->others = ts_others_average(&limit->others, limit->window_us);
            view->reserve = ts_most(view->reserve, ts_limit_hold_window(limit));
        }
    }
    if (ts_record_is_ruled(record, rule)) {
        int64_t hold = rule->is_given ? share_of(rule, rule->requests) : view->reserve;
        view->reserve = hold;
        left = room_in_log(record, rule->requests - hold, rule->window_us, held, now_us).count;
    }
    for (size_t i = 0; i < TS_RATELIMIT_MAX; i++) {
        const struct ts_limit *limit = &record->limits.items[i];
        if (!limit->name) {
            continue;
        }
        int64_t hold = ts_most(hold_of(rule, limit->requests), ts_limit_hold_window(limit));
        int64_t logged = ts_answer_log_count(&record->log, limit->window_us, now_us);
        left = ts_least(left, limit->requests - hold - logged - held);
        if (limit->left >= 0) {
            view->is_heard = true;
            if (ts_others_is_known(&limit->others, limit->window_us)) {
                hold = hold_told(rule, limit, now_us);
            }
            // Past the reset its word is old: the log alone tells.
            left = now_us < limit->reset_us ? ts_least(left, limit->left - hold - held) : left;
        }
    }
    struct ts_room room = room_of(record, rule, held, now_us);
    int64_t until_us;
    if (ts_limits_is_doubtful(&record->limits, &until_us)) {
        left = ts_least(left, room.count);
        view->is_heard = false;
    }
    view->left = view->paused_us > 0 ? 0 : ts_most(left, 0);
    view->wait_us = ts_most(view->paused_us, room.count > 0 ? 0 : room.retry_us - now_us);
}

// Of several reasons the one that holds for longest counts.
static void wait_add(struct ts_wait *wait, enum ts_wait_reason reason, int64_t until_us)
{
    if (reason && (!wait->reason || until_us > wait->until_us)) {
        *wait = (struct ts_wait){reason, until_us};
    }
}

// Why the log has no room for own_most requests; for_others are not among them.
static void wait_for_log(struct ts_wait *wait, struct ts_room room, int64_t own_most,
    int64_t for_others, int64_t held, int64_t now_us)
{
    if (room.count > 0) {
        return;
    }
    if (held >= own_most) {
        wait_add(wait, TS_WAIT_FLIGHT, now_us);
    } else {
        bool is_for_others = room.count + for_others > 0;
        wait_add(wait, is_for_others ? TS_WAIT_OTHERS : TS_WAIT_SPENT, room.retry_us);
    }
}

// Why the server's word leaves no room, but for a look now and then.
static void wait_for_word(const struct ts_record *record, const struct ts_record_rule *rule,
    const struct ts_limit *limit, int64_t held, int64_t now_us, struct ts_wait *wait)
{
    int64_t hold = hold_told(rule, limit, now_us), left = limit->left - held;
    if (left > hold) {
        if (!ts_limit_is_fresh(limit, now_us)) {
            wait_add(wait, TS_WAIT_SILENCE, limit->heard_us + limit->window_us);
        }
        return;
    }
    if (limit->left > hold) {
        wait_add(wait, TS_WAIT_FLIGHT, now_us);
    } else if (left > ts_most(ts_limit_hold_seen(limit, now_us), share_of(rule, limit->requests))) {
        int64_t known_us = ts_others_known_at(&limit->others, limit->window_us, now_us);
        wait_add(wait, TS_WAIT_WATCH, ts_least(known_us, limit->reset_us));
    } else if (now_us < limit->reset_us) { // else the word is old, and the next answer tells
        int64_t reserve = hold_of(rule, limit->requests);
        int64_t own = ts_answer_log_count(&record->log, limit->window_us, now_us) + held;
        bool has_others = ts_others_average(&limit->others, limit->window_us) > reserve;
        wait_add(wait,
            own + reserve >= limit->requests ? TS_WAIT_SPENT
            : has_others                     ? TS_WAIT_OTHERS
                                             : TS_WAIT_TOLD,
            limit->reset_us);
    }
}

void ts_governor_wait(const struct ts_record *record, const struct ts_record_rule *rule,
    int64_t now_us, struct ts_wait *wait)
{
    int64_t held = ts_record_held(record), until_us;
    *wait = (struct ts_wait){TS_WAIT_NONE, now_us};
    if (now_us < record->pause_until_us) {
        wait_add(wait, TS_WAIT_PAUSE, record->pause_until_us);
        return;
    }
    if (ts_limits_is_doubtful(&record->limits, &until_us)) {
        wait_add(wait, (enum ts_wait_reason)record->doubt, until_us);
        return;
    }
    if (ts_record_is_ruled(record, rule)) {
        int64_t own_most = rule->requests - hold_ruled(rule);
        struct ts_room room = room_in_log(record, own_most, rule->window_us, held, now_us);
        wait_for_log(wait, room, own_most, 0, held, now_us);
    }
    for (size_t i = 0; i < TS_RATELIMIT_MAX; i++) {
        const struct ts_limit *limit = &record->limits.items[i];
        if (!limit->name) {
            continue;
        }
        int64_t unseen = hold_unseen(rule, limit);
        int64_t hold = ts_most(unseen, ts_limit_hold_window(limit)),
                own_most = limit->requests - hold;
        struct ts_room room = room_in_log(record, own_most, limit->window_us, held, now_us);
        wait_for_log(wait, room, own_most, hold - unseen, held, now_us);
        if (limit->left >= 0) {
            wait_for_word(record, rule, limit, held, now_us, wait);
        }
    }
}

int64_t ts_governor_estimate(const struct ts_record *record, const struct ts_record_rule *rule,
    int64_t requests, int64_t now_us)
{
    struct ts_governor_view view;
    ts_governor_look(record, rule, now_us, &view);
    struct ts_ratelimit_policy policy = tightest(record, rule);
    int64_t gap_us = is_paced(&policy) ? PACE_GAP_US : 0;
    int64_t a_window = ts_most(policy.requests - view.reserve, 1);
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
