// SPDX-License-Identifier: MIT
// A small reader of structured fields (RFC 8941): names are strings or tokens, parameters that are
// not understood are skipped with their values, quoted text may hold commas and semicolons.
#include "host/api/ratelimit.h"

#include <stdbool.h>
#include <string.h>

#define SECOND_US INT64_C(1000000)
#define UNTOLD (-1)

// One item of a list, whatever header it comes from.
struct item {
    uint32_t name;
    int64_t q, w, r, t;
    bool counts_requests;
};

static const char *space_skip(const char *p)
{
    while (*p == ' ' || *p == '\t') {
        p++;
    }
    return p;
}

// The end of a bare value: a quoted string (backslash escapes), a byte sequence or a token.
static const char *value_end(const char *p)
{
    if (*p == '"') {
        for (p++; *p && *p != '"'; p++) {
            p += *p == '\\' && p[1];
        }
        return *p ? p + 1 : p;
    }
    while (*p && *p != ',' && *p != ';' && *p != ' ' && *p != '\t') {
        p++;
    }
    return p;
}

static uint32_t name_digest(const char *p, const char *end)
{
    if (end - p >= 2 && *p == '"') {
        p++, end--;
    }
    uint32_t digest = 2166136261u; // FNV-1a
    for (; p < end; p++) {
        digest = (digest ^ (unsigned char)*p) * 16777619u;
    }
    return digest ? digest : 1;
}

// A whole number without sign, at most max; UNTOLD for anything else.
static int64_t number_read(const char *p, const char *end, int64_t max)
{
    int64_t value = 0;
    if (p == end) {
        return UNTOLD;
    }
    for (; p < end; p++) {
        if (*p < '0' || *p > '9' || value > max) {
            return UNTOLD;
        }
        value = value * 10 + (*p - '0');
    }
    return value <= max ? value : UNTOLD;
}

static void parameter_read(struct item *item, const char *key, const char *value, const char *end)
{
    switch (*key) {
    case 'q':
        item->q = number_read(value, end, TS_RATELIMIT_REQUESTS_MAX);
        break;
    case 'r':
        item->r = number_read(value, end, TS_RATELIMIT_REQUESTS_MAX);
        break;
    case 'w':
        item->w = number_read(value, end, TS_RATELIMIT_SECONDS_MAX);
        break;
    case 't':
        item->t = number_read(value, end, TS_RATELIMIT_SECONDS_MAX);
        break;
    default:
        break;
    }
}

// Reads the item at *text and moves behind its comma; false at the end of the list.
static bool item_read(const char **text, struct item *item)
{
    const char *p = space_skip(*text);
    while (*p == ',') {
        p = space_skip(p + 1);
    }
    if (!*p) {
        return false;
    }
    *item = (struct item){.q = UNTOLD, .w = UNTOLD, .r = UNTOLD, .t = UNTOLD};
    item->counts_requests = true;
    const char *end = value_end(p);
    item->name = name_digest(p, end);
    p = space_skip(end);
    while (*p == ';') {
        const char *key = space_skip(p + 1);
        size_t key_len = strcspn(key, "=;, \t");
        p = key + key_len;
        if (*p == '=') {
            const char *value = p + 1;
            p = value_end(value);
            if (key_len == 1) {
                parameter_read(item, key, value, p);
            } else if (key_len == 2 && memcmp(key, "qu", 2) == 0) {
                item->counts_requests = p - value == 10 && memcmp(value, "\"requests\"", 10) == 0;
            }
        }
        p = space_skip(p);
    }
    while (*p && *p != ',') { // what is left of something else
        p = value_end(p) > p ? value_end(p) : p + 1;
    }
    *text = p;
    return true;
}

size_t ts_ratelimit_read_policy(
    const char *text, struct ts_ratelimit_policy items[TS_RATELIMIT_MAX])
{
    size_t count = 0;
    struct item item;
    while (text && item_read(&text, &item)) {
        if (item.q < 1 || item.w < 1 || !item.counts_requests) {
            continue;
        }
        size_t slot = count;
        if (count == TS_RATELIMIT_MAX) {
            slot = 0;
            for (size_t i = 1; i < count; i++) {
                slot = items[i].requests > items[slot].requests ? i : slot;
            }
            if (items[slot].requests <= item.q) {
                continue;
            }
        }
        items[slot] = (struct ts_ratelimit_policy){item.name, item.q, item.w * SECOND_US};
        count += slot == count;
    }
    return count;
}

size_t ts_ratelimit_read_left(const char *text, struct ts_ratelimit_left items[TS_RATELIMIT_MAX])
{
    size_t count = 0;
    struct item item;
    while (text && item_read(&text, &item)) {
        if (item.r < 0) {
            continue;
        }
        size_t slot = count;
        if (count == TS_RATELIMIT_MAX) {
            slot = 0;
            for (size_t i = 1; i < count; i++) {
                slot = items[i].requests > items[slot].requests ? i : slot;
            }
            if (items[slot].requests <= item.r) {
                continue;
            }
        }
        int64_t reset_us = item.t < 0 ? UNTOLD : item.t * SECOND_US;
        items[slot] = (struct ts_ratelimit_left){item.name, item.r, reset_us};
        count += slot == count;
    }
    return count;
}
