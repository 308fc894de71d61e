// SPDX-License-Identifier: MIT
// The rules of sending again. A write whose fate is in doubt is not settled here: it goes to
// whoever can read what the server has.
#include "host/api/retry.h"

#include <string.h>

#include "host/base/str.h"

#define DATE_LEN 29
#define SECONDS_MAX 1000000000 // in microseconds it still fits

struct ts_retry_policy ts_retry_policy_of(int64_t max_wait_us)
{
    return (struct ts_retry_policy){
        .attempts = TS_RETRY_ATTEMPTS,
        .base_us = TS_RETRY_BASE_US,
        .cap_us = TS_RETRY_CAP_US,
        .max_wait_us = max_wait_us,
    };
}

enum ts_retry_verdict ts_retry_judge(const struct ts_answer *answer, bool is_read)
{
    if (answer->status == 429) {
        return TS_RETRY_LATER; // also when the rest of the answer was lost
    }
    if (!ts_answer_is_retryable(answer)) {
        return TS_RETRY_FINAL;
    }
    return is_read || !answer->is_sent ? TS_RETRY_AGAIN : TS_RETRY_FINAL;
}

enum ts_retry_reach ts_retry_reach(const struct ts_answer *answer)
{
    if (answer->status >= 500) {
        return TS_REACH_BROKEN;
    }
    if (!answer->code) {
        return TS_REACH_FINE;
    }
    if (answer->code == TS_ERR_TRUST) {
        return TS_REACH_BARRED;
    }
    bool is_network = answer->code == TS_ERR_TRANSPORT || answer->code == TS_ERR_TIMEOUT;
    if (!is_network || answer->status) {
        return TS_REACH_UNSURE;
    }
    return answer->is_sent ? TS_REACH_BROKEN : TS_REACH_NONE;
}

// splitmix64: one word of state, any seed. Jitter needs no better.
static uint64_t random_next(uint64_t *random)
{
    *random += 0x9e3779b97f4a7c15u;
    uint64_t z = *random;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

int64_t ts_retry_pause(const struct ts_retry_policy *policy, int failures, uint64_t *random)
{
    int64_t whole = policy->base_us;
    for (int i = 1; i < failures && whole < policy->cap_us; i++) {
        whole *= 2;
    }
    whole = whole < policy->cap_us ? whole : policy->cap_us;
    int64_t half = whole / 2;
    return half + (int64_t)(random_next(random) % (uint64_t)(whole - half + 1));
}

// Days from 1970-01-01 to a date of the Gregorian calendar; months count from 0.
static int64_t days_of(int64_t year, int month, int day)
{
    // Years that begin in March, so that the leap day comes last.
    int64_t shifted = month < 2 ? year - 1 : year;
    int64_t in_year = (153 * ((month + 10) % 12) + 2) / 5 + day - 1;
    return 365 * shifted + shifted / 4 - shifted / 100 + shifted / 400 + in_year - 719468;
}

// The number at text, all of it digits; -1 for anything else.
static int number_at(const char *text, int digits)
{
    int value = 0;
    for (int i = 0; i < digits; i++) {
        if (text[i] < '0' || text[i] > '9') {
            return -1;
        }
        value = value * 10 + (text[i] - '0');
    }
    return value;
}

// 0 for January; -1 for anything else.
static int month_at(const char *text)
{
    static const char months[12][4] = {
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    for (int i = 0; i < 12; i++) {
        if (memcmp(text, months[i], 3) == 0) {
            return i;
        }
    }
    return -1;
}

// Seconds since the epoch of "Sun, 06 Nov 1994 08:49:37 GMT"; -1 for anything else.
static int64_t date_parse(const char *text)
{
    static const char end[] = " GMT";
    if (!text || strlen(text) != DATE_LEN || strcmp(text + DATE_LEN - strlen(end), end) != 0) {
        return -1;
    }
    int day = number_at(text + 5, 2), month = month_at(text + 8), year = number_at(text + 12, 4);
    int hour = number_at(text + 17, 2), minute = number_at(text + 20, 2);
    int second = number_at(text + 23, 2);
    bool is_sound = day >= 1 && day <= 31 && month >= 0 && year >= 1970 && hour >= 0 && hour < 24 &&
                    minute >= 0 && minute < 60 && second >= 0 && second <= 60;
    if (!is_sound) {
        return -1;
    }
    return ((days_of(year, month, day) * 24 + hour) * 60 + minute) * 60 + second;
}

int64_t ts_retry_after(const char *value, const char *date, int64_t wall_us)
{
    int64_t seconds = -1;
    if (!value) {
        return -1;
    }
    if (ts_str_to_int(value, &seconds)) {
        return seconds < SECONDS_MAX ? seconds : SECONDS_MAX;
    }
    int64_t until = date_parse(value);
    if (until < 0) {
        return -1;
    }
    int64_t from = date_parse(date);
    if (from < 0) {
        from = wall_us / 1000000;
    }
    return until > from ? until - from : 0;
}
