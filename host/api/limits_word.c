// SPDX-License-Identifier: MIT
// Of several answers the least is kept: they overtake each other, and the last is not the latest.
#include "host/api/limits_word.h"

#include <stdbool.h>
#include <string.h>

#include "host/base/str.h"

static void left_add(struct ts_limits_word *word, const struct ts_ratelimit_left *left)
{
    for (size_t i = 0; i < word->left_count; i++) {
        struct ts_ratelimit_left *known = &word->lefts[i];
        if (known->name == left->name) {
            bool is_less = left->requests < known->requests;
            known->requests = is_less ? left->requests : known->requests;
            known->reset_us = is_less ? left->reset_us : known->reset_us;
            return;
        }
    }
    if (word->left_count < TS_RATELIMIT_MAX) {
        word->lefts[word->left_count++] = *left;
    }
}

static void policy_add(
    struct ts_limits_word *word, struct ts_limits_policy *last, const char *policy)
{
    bool is_known = last->text[0] && ts_str_is(policy, last->text);
    if (is_known && word->policy_count == last->count) {
        return;
    }
    if (!is_known) {
        last->count = ts_ratelimit_read_policy(policy, last->items);
        if (!ts_str_copy(last->text, sizeof last->text, policy)) {
            last->text[0] = '\0'; // too long to be known again
        }
    }
    memcpy(word->policies, last->items, sizeof word->policies);
    word->policy_count = last->count;
}

void ts_limits_word_add(struct ts_limits_word *word, struct ts_limits_policy *last,
    const char *ratelimit, const char *policy)
{
    struct ts_ratelimit_left lefts[TS_RATELIMIT_MAX];
    size_t count = ts_ratelimit_read_left(ratelimit, lefts);
    for (size_t i = 0; i < count; i++) {
        left_add(word, &lefts[i]);
    }
    word->answers += count > 0;
    if (policy) {
        policy_add(word, last, policy);
    }
}
