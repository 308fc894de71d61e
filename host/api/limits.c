// SPDX-License-Identifier: MIT
// What the server says, limit by limit: policies come and go by their names, and its last word on
// what is left is told from older ones by rounds.
#include "host/api/limits.h"

#include "host/api/least.h"

#define SECOND_US INT64_C(1000000)
#define DOUBTFUL 1 // the name of the limit that stands for a lost history

bool ts_limits_is_any(const struct ts_limits *limits)
{
    for (size_t i = 0; i < TS_RATELIMIT_MAX; i++) {
        if (limits->items[i].name) {
            return true;
        }
    }
    return false;
}

bool ts_limits_is_sound(const struct ts_limits *limits)
{
    for (size_t i = 0; i < TS_RATELIMIT_MAX; i++) {
        const struct ts_limit *limit = &limits->items[i];
        bool is_sound = limit->requests > 0 && limit->requests <= TS_RATELIMIT_REQUESTS_MAX &&
                        limit->window_us >= SECOND_US &&
                        limit->window_us <= TS_RATELIMIT_SECONDS_MAX * SECOND_US &&
                        limit->left >= -1 && limit->left <= TS_RATELIMIT_REQUESTS_MAX &&
                        limit->next_left >= 0 && limit->probe_gap_us >= 0 &&
                        limit->probe_gap_us <= limit->window_us &&
                        ts_others_is_sound(&limit->others);
        if (limit->name && !is_sound) {
            return false;
        }
    }
    return true;
}

void ts_limits_doubt(struct ts_limits *limits, int64_t requests, int64_t window_us, int64_t now_us)
{
    limits->items[0] = (struct ts_limit){.name = DOUBTFUL,
        .requests = requests,
        .window_us = window_us,
        .is_assumed = 1,
        .told_us = now_us,
        .heard_us = now_us,
        .reset_us = now_us,
        .next_left = INT64_MAX};
}

void ts_limits_shift(struct ts_limits *limits, int64_t shift_us)
{
    for (size_t i = 0; i < TS_RATELIMIT_MAX; i++) {
        struct ts_limit *limit = &limits->items[i];
        limit->told_us += shift_us;
        limit->heard_us += shift_us;
        limit->reset_us += shift_us;
        limit->next_reset_us += shift_us;
        limit->probe_us += shift_us;
        ts_others_shift(&limit->others, shift_us);
    }
}

void ts_limits_clamp(struct ts_limits *limits, int64_t now_us)
{
    for (size_t i = 0; i < TS_RATELIMIT_MAX; i++) {
        struct ts_limit *limit = &limits->items[i];
        int64_t end_us = now_us + limit->window_us + SECOND_US;
        limit->told_us = ts_least(limit->told_us, now_us);
        limit->heard_us = ts_least(limit->heard_us, now_us);
        limit->reset_us = ts_least(limit->reset_us, end_us);
        limit->next_reset_us = ts_least(limit->next_reset_us, end_us);
        limit->probe_us = ts_least(limit->probe_us, end_us);
    }
}

void ts_limits_spend(struct ts_limits *limits, int64_t count)
{
    for (size_t i = 0; i < TS_RATELIMIT_MAX; i++) {
        struct ts_limit *limit = &limits->items[i];
        if (limit->left > 0) {
            limit->left = ts_most(limit->left - count, 0);
        }
        if (limit->next_left != INT64_MAX) {
            limit->next_left = ts_most(limit->next_left - count, 0);
        }
    }
}

static struct ts_limit *limit_find(struct ts_limits *limits, uint32_t name)
{
    for (size_t i = 0; i < TS_RATELIMIT_MAX; i++) {
        if (limits->items[i].name == name) {
            return &limits->items[i];
        }
    }
    return NULL;
}

bool ts_limits_is_doubtful(const struct ts_limits *limits, int64_t *until_us)
{
    for (size_t i = 0; i < TS_RATELIMIT_MAX; i++) {
        const struct ts_limit *limit = &limits->items[i];
        if (limit->name == DOUBTFUL && limit->left >= 0) {
            *until_us = limit->heard_us + limit->window_us;
            return true;
        }
    }
    return false;
}

// A place for a new limit: a free one, else that of which nothing was heard for longest.
static struct ts_limit *limit_place(struct ts_limits *limits)
{
    struct ts_limit *place = &limits->items[0];
    for (size_t i = 0; i < TS_RATELIMIT_MAX; i++) {
        struct ts_limit *limit = &limits->items[i];
        if (!limit->name || limit->name == DOUBTFUL) {
            return limit;
        }
        place = limit->told_us < place->told_us ? limit : place;
    }
    return place;
}

static bool policy_hear(
    struct ts_limits *limits, const struct ts_ratelimit_policy *policy, int64_t now_us)
{
    struct ts_limit *limit = limit_find(limits, policy->name);
    if (limit && limit->requests == policy->requests && limit->window_us == policy->window_us) {
        limit->told_us = now_us;
        limit->is_assumed = 0;
        return false;
    }
    limit = limit ? limit : limit_place(limits);
    *limit = (struct ts_limit){.name = policy->name,
        .requests = policy->requests,
        .window_us = policy->window_us,
        .told_us = now_us,
        .left = -1,
        .next_left = INT64_MAX,
        .probe_gap_us = ts_limit_gap_least(policy->window_us)};
    return true;
}

// Limits that the server has ceased to name.
static bool policy_drop_old(struct ts_limits *limits, int64_t now_us)
{
    bool has_changed = false;
    for (size_t i = 0; i < TS_RATELIMIT_MAX; i++) {
        struct ts_limit *limit = &limits->items[i];
        if (limit->name && now_us - limit->told_us > 2 * limit->window_us) {
            *limit = (struct ts_limit){0};
            has_changed = true;
        }
    }
    return has_changed;
}

// The same moment is told again and again, rounded up to whole seconds: the earliest is nearest.
static int64_t reset_nearer(int64_t known_us, int64_t told_us, int64_t now_us)
{
    return known_us > now_us ? ts_least(known_us, told_us) : told_us;
}

static void left_hear(struct ts_limit *limit, const struct ts_ratelimit_left *left, int64_t now_us)
{
    int64_t reset_us = now_us + (left->reset_us < 0 ? limit->window_us : left->reset_us);
    if (limit->left < 0 || left->requests <= limit->left) {
        limit->left = left->requests;
        limit->reset_us = reset_nearer(limit->reset_us, reset_us, now_us);
    }
    if (left->requests <= limit->next_left) {
        limit->next_left = left->requests;
        limit->next_reset_us = reset_us;
    }
    limit->heard_us = now_us;
}

// Whatever was answered before the round began was counted before a request that started in it. So
// once such a request has been answered, only answers of this round can be the server's last word.
// With n in flight when the round begins, answer n + 1 cannot be of one of those.
static void round_count(struct ts_limits *limits, int64_t answers, int64_t held)
{
    limits->round_left -= answers;
    if (limits->round_left > 0) {
        return;
    }
    for (size_t i = 0; i < TS_RATELIMIT_MAX; i++) {
        struct ts_limit *limit = &limits->items[i];
        if (!limit->name || limit->next_left == INT64_MAX) {
            continue;
        }
        if (limit->next_left > limit->left) { // it refills: look at once, and often
            limit->probe_gap_us = ts_limit_gap_least(limit->window_us);
            limit->probe_us = 0;
            limit->reset_us = limit->next_reset_us;
        }
        limit->left = limit->next_left;
        limit->next_left = INT64_MAX;
    }
    limits->round_left = held + 1;
}

void ts_limits_assume(struct ts_limits *limits, int64_t requests, int64_t window_us)
{
    for (size_t i = 0; i < TS_RATELIMIT_MAX; i++) {
        struct ts_limit *limit = &limits->items[i];
        if (limit->name && limit->is_assumed) {
            limit->requests = requests;
            limit->window_us = window_us;
            limit->probe_gap_us = ts_least(limit->probe_gap_us, ts_limit_gap_most(window_us));
        }
    }
}

bool ts_limits_hear(struct ts_limits *limits, const struct ts_limits_word *word, int64_t held,
    const struct ts_ratelimit_policy *fallback, int64_t now_us)
{
    bool has_changed = false;
    for (size_t i = 0; i < word->policy_count; i++) {
        has_changed |= policy_hear(limits, &word->policies[i], now_us);
    }
    if (word->policy_count > 0) {
        struct ts_limit *doubtful = limit_find(limits, DOUBTFUL);
        if (doubtful) {
            *doubtful = (struct ts_limit){0};
        }
        has_changed |= policy_drop_old(limits, now_us);
    }
    for (size_t i = 0; i < word->left_count; i++) {
        struct ts_limit *limit = limit_find(limits, word->lefts[i].name);
        if (!limit && word->policy_count == 0) {
            struct ts_ratelimit_policy policy = *fallback;
            policy.name = word->lefts[i].name;
            has_changed |= policy_hear(limits, &policy, now_us);
            limit = limit_find(limits, policy.name);
            limit->is_assumed = 1;
        }
        if (limit) {
            left_hear(limit, &word->lefts[i], now_us);
        }
    }
    if (has_changed) {
        limits->round_left = held + 1;
    } else {
        round_count(limits, word->answers, held);
    }
    return has_changed;
}

void ts_limits_watch(struct ts_limits *limits, const struct ts_limits_word *word, int64_t held,
    int64_t total, const struct ts_answer_log *log, int64_t now_us)
{
    for (size_t i = 0; i < word->left_count; i++) {
        struct ts_limit *limit = limit_find(limits, word->lefts[i].name);
        if (limit) {
            struct ts_others_word heard = {.requests = limit->requests,
                .window_us = limit->window_us,
                .left = word->lefts[i].requests,
                .reset_us = word->lefts[i].reset_us,
                .held = held,
                .total = total,
                .log = log};
            ts_others_hear(&limit->others, &heard, now_us);
        }
    }
}

void ts_limits_hear_silence(struct ts_limits *limits, int64_t now_us)
{
    for (size_t i = 0; i < TS_RATELIMIT_MAX; i++) {
        struct ts_limit *limit = &limits->items[i];
        if (now_us - limit->heard_us <= limit->window_us) {
            continue;
        }
        limit->left = -1;
        limit->next_left = INT64_MAX;
        if (limit->name == DOUBTFUL) {
            *limit = (struct ts_limit){0};
        }
    }
}

void ts_limits_pause(struct ts_limits *limits, int64_t until_us, int64_t now_us)
{
    for (size_t i = 0; i < TS_RATELIMIT_MAX; i++) {
        struct ts_limit *limit = &limits->items[i];
        limit->left = 0;
        limit->next_left = INT64_MAX;
        ts_others_pause(&limit->others);
        limit->heard_us = now_us;
        limit->reset_us = until_us;
        limit->probe_us = until_us;
        limit->probe_gap_us = ts_limit_gap_least(limit->window_us);
    }
}
