// SPDX-License-Identifier: MIT
// --allow as a table of kinds, each with a cap counted over the run.
// Grants add up: --allow delete=2 --allow delete=3 allows five.
#include "host/ops/permission.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "host/base/str.h"

static const char *const names[TS_ALLOW_COUNT] = {
    [TS_ALLOW_DELETE] = "delete",
    [TS_ALLOW_ROTATE] = "rotate",
    [TS_ALLOW_ANY_HOSTNAME] = "any-hostname",
    [TS_ALLOW_REVEAL] = "reveal",
};

const char *ts_permission_name(enum ts_permission kind)
{
    return names[kind];
}

const char *ts_permission_flag(enum ts_permission kind)
{
    static const char *const flags[TS_ALLOW_COUNT] = {
        [TS_ALLOW_DELETE] = "--allow delete",
        [TS_ALLOW_ROTATE] = "--allow rotate",
        [TS_ALLOW_ANY_HOSTNAME] = "--allow any-hostname",
        [TS_ALLOW_REVEAL] = "--allow reveal",
    };
    return flags[kind];
}

static enum ts_err grant_add(
    struct ts_permissions *permissions, const char *grant, struct ts_error *err)
{
    char name[64];
    if (!ts_str_copy(name, sizeof name, grant)) {
        return ts_error_set(err, TS_ERR_USAGE, "--allow: \"%.40s...\" is too long", grant);
    }
    int64_t cap = INT64_MAX;
    char *number = strchr(name, '=');
    if (number) {
        *number++ = '\0';
        if (!ts_str_to_int(number, &cap) || cap < 1) {
            return ts_error_set(err, TS_ERR_USAGE,
                "--allow %s=%s: the cap must be a whole number from 1", name, number);
        }
    }
    for (int i = 0; i < TS_ALLOW_COUNT; i++) {
        if (ts_str_is(names[i], name)) {
            int64_t *sum = &permissions->cap[i];
            *sum = *sum > INT64_MAX - cap ? INT64_MAX : *sum + cap;
            return TS_OK;
        }
    }
    return ts_error_set(err, TS_ERR_USAGE,
        "--allow: \"%s\" is not a permission; there are delete, rotate, any-hostname, reveal",
        name);
}

enum ts_err ts_permissions_add(
    struct ts_permissions *permissions, const char *text, struct ts_error *err)
{
    char rest[256];
    if (!ts_str_copy(rest, sizeof rest, text)) {
        return ts_error_set(err, TS_ERR_USAGE, "--allow: the list is too long");
    }
    char *state = rest;
    for (char *grant; (grant = strsep(&state, ",")) != NULL;) {
        enum ts_err code = grant_add(permissions, grant, err);
        if (code) {
            return code;
        }
    }
    return TS_OK;
}

enum ts_err ts_permissions_check(
    const struct ts_permissions *permissions, enum ts_permission kind, struct ts_error *err)
{
    int64_t cap = permissions->cap[kind];
    if (cap == 0) {
        return ts_error_set(err, TS_ERR_REFUSED, "not allowed without --allow %s", names[kind]);
    }
    if (permissions->used[kind] >= cap) {
        return ts_error_set(
            err, TS_ERR_REFUSED, "the cap of --allow %s=%" PRId64 " is reached", names[kind], cap);
    }
    return TS_OK;
}

int64_t ts_permissions_left(const struct ts_permissions *permissions, enum ts_permission kind)
{
    int64_t cap = permissions->is_read_only ? 0 : permissions->cap[kind];
    return cap == INT64_MAX ? cap : cap - permissions->used[kind];
}
