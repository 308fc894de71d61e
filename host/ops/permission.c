// SPDX-License-Identifier: MIT
// Permissions as a table of kinds, each with a cap counted over the run.
// Grants add up: --allow delete=2 --allow delete=3 allows five.
#include "host/ops/permission.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "host/base/str.h"
#include "host/ops/permission_private.h"

const struct permission_kind permission_kinds[TS_ALLOW_COUNT] = {
    [TS_ALLOW_CREATE] = {.name = "create", .flag = "--max-create"},
    [TS_ALLOW_UPDATE] = {.name = "update", .flag = "--max-update"},
    [TS_ALLOW_DELETE] = {.name = "delete", .flag = "--allow delete", .is_grant = true},
    [TS_ALLOW_ROTATE] = {.name = "rotate", .flag = "--allow rotate", .is_grant = true},
    [TS_ALLOW_ANY_HOSTNAME] = {.name = "any-hostname",
        .flag = "--allow any-hostname",
        .is_grant = true,
        .why = "empty `domains` would admit any hostname: "},
    [TS_ALLOW_REVEAL] = {.name = "reveal", .flag = "--allow reveal", .is_grant = true},
};

const char *ts_permission_name(enum ts_permission kind)
{
    return permission_kinds[kind].name;
}

const char *ts_permission_flag(enum ts_permission kind)
{
    return permission_kinds[kind].flag;
}

enum ts_permission ts_permission_find(const char *name)
{
    int kind = 0;
    while (kind < TS_ALLOW_COUNT && !ts_str_is(permission_kinds[kind].name, name)) {
        kind++;
    }
    return (enum ts_permission)kind;
}

void ts_permissions_init(struct ts_permissions *permissions)
{
    *permissions = (struct ts_permissions){0};
    permissions->cap[TS_ALLOW_CREATE] = INT64_MAX;
    permissions->cap[TS_ALLOW_UPDATE] = INT64_MAX;
}

void ts_permissions_grant_all(struct ts_permissions *permissions)
{
    *permissions = (struct ts_permissions){0};
    for (int i = 0; i < TS_ALLOW_COUNT; i++) {
        permissions->cap[i] = INT64_MAX;
    }
}

int64_t permission_sum(int64_t a, int64_t b)
{
    return a > INT64_MAX - b ? INT64_MAX : a + b;
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
    enum ts_permission kind = ts_permission_find(name);
    if (kind < TS_ALLOW_COUNT && !permission_kinds[kind].is_grant) {
        return ts_error_set(err, TS_ERR_USAGE,
            "--allow %s: that needs no permission; %s N caps how many", name,
            permission_kinds[kind].flag);
    }
    if (kind == TS_ALLOW_COUNT) {
        return ts_error_set(err, TS_ERR_USAGE,
            "--allow: \"%s\" is not a permission; there are delete, rotate, any-hostname, reveal",
            name);
    }
    permissions->cap[kind] = permission_sum(permissions->cap[kind], cap);
    return TS_OK;
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

enum ts_err ts_permissions_cap(struct ts_permissions *permissions, enum ts_permission kind,
    const char *text, struct ts_error *err)
{
    const char *flag = permission_kinds[kind].flag;
    int64_t cap;
    if (!ts_str_to_int(text, &cap)) {
        return ts_error_set(
            err, TS_ERR_USAGE, "%s %.40s: a whole number expected; 0 lets none pass", flag, text);
    }
    permissions->cap[kind] = cap;
    return TS_OK;
}

// Adds why one more use of a kind is refused.
static void refusal_add(
    struct permission_text *text, const struct ts_permissions *permissions, int kind)
{
    const char *flag = permission_kinds[kind].flag;
    const char *why = permission_kinds[kind].why;
    permission_text_add(text, "%s%s", text->len ? "; " : "", why ? why : "");
    if (permissions->cap[kind] == 0 && permission_kinds[kind].is_grant) {
        permission_text_add(text, "not allowed without %s (or %s=N)", flag, flag);
        return;
    }
    permission_text_add(text, "the cap of ");
    permission_text_add_flag(text, kind, permissions->cap[kind]);
    permission_text_add(text, " is reached; ");
    permission_text_add_flag(text, kind, permission_sum(permissions->used[kind], 1));
    permission_text_add(text, " or more would allow it");
}

enum ts_err ts_permissions_check(
    const struct ts_permissions *permissions, unsigned kinds, struct ts_error *err)
{
    for (int kind = 0; kind < TS_ALLOW_COUNT; kind++) {
        kinds &= permission_rest(permissions, kind) ? ~TS_PERMISSION_BIT(kind) : ~0u;
    }
    if (!kinds) {
        return TS_OK;
    }
    char message[TS_ERROR_MESSAGE_MAX];
    struct permission_text text = {.out = message, .size = sizeof message};
    for (int kind = 0; kind < TS_ALLOW_COUNT; kind++) {
        if (kinds & TS_PERMISSION_BIT(kind)) {
            refusal_add(&text, permissions, kind);
        }
    }
    return ts_error_set(err, TS_ERR_REFUSED, "%s", message);
}

void ts_permissions_use(struct ts_permissions *permissions, unsigned kinds, int by)
{
    for (int kind = 0; kind < TS_ALLOW_COUNT; kind++) {
        if (kinds & TS_PERMISSION_BIT(kind)) {
            permissions->used[kind] += by;
        }
    }
}

int64_t permission_rest(const struct ts_permissions *permissions, int kind)
{
    int64_t cap = permissions->cap[kind], used = permissions->used[kind];
    return cap == INT64_MAX ? cap : cap > used ? cap - used : 0;
}

int64_t ts_permissions_left(const struct ts_permissions *permissions, enum ts_permission kind)
{
    return permissions->is_read_only ? 0 : permission_rest(permissions, kind);
}
