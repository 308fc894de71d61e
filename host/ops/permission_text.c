// SPDX-License-Identifier: MIT
// Permissions as options: those that were given, those that would be needed, and the text in which
// a run keeps them for its resume. An option is always written in full, with all it grants.
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "host/base/str.h"
#include "host/ops/permission_private.h"

void permission_text_add(struct permission_text *text, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int len = vsnprintf(text->out + text->len, text->size - text->len, format, args);
    va_end(args);
    if (len > 0) {
        size_t room = text->size - text->len - 1;
        text->len += (size_t)len < room ? (size_t)len : room;
    }
}

// "delete=3", or "delete" without limit.
static void count_add(struct permission_text *text, int kind, int64_t count)
{
    permission_text_add(text, "%s", permission_kinds[kind].name);
    if (count != INT64_MAX) {
        permission_text_add(text, "=%" PRId64, count);
    }
}

void permission_text_add_flag(struct permission_text *text, int kind, int64_t cap)
{
    permission_text_add(text, "%s", permission_kinds[kind].flag);
    if (cap != INT64_MAX) {
        permission_text_add(text, "%c%" PRId64, permission_kinds[kind].is_grant ? '=' : ' ', cap);
    }
}

static void space_add(struct permission_text *text)
{
    permission_text_add(text, "%s", text->len ? " " : "");
}

// Adds the options that set the caps of these kinds. What --allow grants is one option.
static void options_add(
    struct permission_text *text, const int64_t cap[TS_ALLOW_COUNT], unsigned kinds)
{
    const char *separator = "--allow ";
    for (int kind = 0; kind < TS_ALLOW_COUNT; kind++) {
        if (permission_kinds[kind].is_grant && (kinds & TS_PERMISSION_BIT(kind))) {
            if (separator[0] == '-') {
                space_add(text);
            }
            permission_text_add(text, "%s", separator);
            count_add(text, kind, cap[kind]);
            separator = ",";
        }
    }
    for (int kind = 0; kind < TS_ALLOW_COUNT; kind++) {
        if (!permission_kinds[kind].is_grant && (kinds & TS_PERMISSION_BIT(kind))) {
            space_add(text);
            permission_text_add_flag(text, kind, cap[kind]);
        }
    }
}

// The kinds that an option says something about.
static unsigned kinds_given(const struct ts_permissions *permissions)
{
    unsigned kinds = 0;
    for (int kind = 0; kind < TS_ALLOW_COUNT; kind++) {
        int64_t otherwise = permission_kinds[kind].is_grant ? 0 : INT64_MAX;
        kinds |= permissions->cap[kind] != otherwise ? TS_PERMISSION_BIT(kind) : 0;
    }
    return kinds;
}

static unsigned kinds_granted(unsigned kinds)
{
    for (int kind = 0; kind < TS_ALLOW_COUNT; kind++) {
        kinds &= permission_kinds[kind].is_grant ? ~0u : ~TS_PERMISSION_BIT(kind);
    }
    return kinds;
}

// The kinds of which more is wanted than is left.
static unsigned kinds_short(
    const struct ts_permissions *permissions, const int64_t more[TS_ALLOW_COUNT])
{
    unsigned kinds = 0;
    for (int kind = 0; kind < TS_ALLOW_COUNT; kind++) {
        kinds |= more[kind] > permission_rest(permissions, kind) ? TS_PERMISSION_BIT(kind) : 0;
    }
    return kinds;
}

// Adds the options under which so much more of each kind passes, as far as they differ from those
// that were given: in full, or what is to be added to them.
static void options_add_missing(struct permission_text *text,
    const struct ts_permissions *permissions, const int64_t more[TS_ALLOW_COUNT], bool is_added)
{
    unsigned kinds = kinds_short(permissions, more);
    int64_t cap[TS_ALLOW_COUNT];
    for (int kind = 0; kind < TS_ALLOW_COUNT; kind++) {
        int64_t least = permission_sum(permissions->used[kind], more[kind]);
        int64_t given = permissions->cap[kind];
        cap[kind] = given > least ? given : least;
        if (is_added && permission_kinds[kind].is_grant) {
            cap[kind] -= given; // for grants add up
        }
    }
    if (!is_added && kinds_granted(kinds)) {
        kinds |= kinds_granted(kinds_given(permissions)); // its other grants are to stay
    }
    options_add(text, cap, kinds);
}

void ts_permissions_options_missing(const struct ts_permissions *permissions,
    const struct ts_needs *needs, char out[TS_PERMISSIONS_TEXT_MAX])
{
    struct permission_text text = {.out = out, .size = TS_PERMISSIONS_TEXT_MAX};
    out[0] = '\0';
    options_add_missing(&text, permissions, needs->count, true);
}

// Adds "delete: 3 wanted, 1 allowed" for each kind that is short.
static void shortage_add(struct permission_text *text, const struct ts_permissions *permissions,
    const int64_t more[TS_ALLOW_COUNT])
{
    unsigned kinds = kinds_short(permissions, more);
    for (int kind = 0; kind < TS_ALLOW_COUNT; kind++) {
        if (kinds & TS_PERMISSION_BIT(kind)) {
            permission_text_add(text, "%s%s: %" PRId64 " wanted, %" PRId64 " %s",
                text->len ? "; " : "", permission_kinds[kind].name, more[kind],
                permission_rest(permissions, kind), permissions->used[kind] ? "left" : "allowed");
        }
    }
}

static bool needs_anything(const struct ts_needs *needs)
{
    bool is_needed = needs->deliveries > 0;
    for (int kind = 0; kind < TS_ALLOW_COUNT; kind++) {
        // Revealing a secret changes nothing, so that --read-only is no obstacle to it.
        is_needed = is_needed || (needs->count[kind] > 0 && kind != TS_ALLOW_REVEAL);
    }
    return is_needed;
}

enum ts_err ts_permissions_check_all(
    const struct ts_permissions *permissions, const struct ts_needs *needs, struct ts_error *err)
{
    bool is_refused = permissions->is_read_only && needs_anything(needs);
    bool is_short = kinds_short(permissions, needs->count) != 0;
    char message[TS_ERROR_MESSAGE_MAX] = "", options[TS_PERMISSIONS_TEXT_MAX] = "";
    struct permission_text text = {.out = message, .size = sizeof message};
    struct permission_text missing = {.out = options, .size = sizeof options};
    if (!is_refused && !is_short) {
        return TS_OK;
    }
    shortage_add(&text, permissions, needs->count);
    options_add_missing(&missing, permissions, needs->count, false);
    return ts_error_set(err, TS_ERR_REFUSED, "%s%s%s%s%s%s",
        is_refused ? "refused by --read-only" : "", is_refused && is_short ? "; " : "", message,
        is_short ? "; all of it passes with " : "", options,
        is_refused && is_short ? " and without --read-only" : "");
}

void ts_permissions_options(
    const struct ts_permissions *permissions, char out[TS_PERMISSIONS_TEXT_MAX])
{
    struct permission_text text = {.out = out, .size = TS_PERMISSIONS_TEXT_MAX};
    out[0] = '\0';
    permission_text_add(&text, "%s", permissions->is_read_only ? "--read-only" : "");
    options_add(&text, permissions->cap, kinds_given(permissions));
}

void ts_permissions_save(
    const struct ts_permissions *permissions, char out[TS_PERMISSIONS_TEXT_MAX])
{
    ts_permissions_options(permissions, out);
    struct permission_text text = {.out = out, .size = TS_PERMISSIONS_TEXT_MAX, .len = strlen(out)};
    const char *separator = "--used ";
    for (int kind = 0; kind < TS_ALLOW_COUNT; kind++) {
        if (permissions->used[kind] > 0) {
            if (separator[0] == '-') {
                space_add(&text);
            }
            permission_text_add(&text, "%s", separator);
            count_add(&text, kind, permissions->used[kind]);
            separator = ",";
        }
    }
}

// Reads "create=3,delete=2".
static enum ts_err used_read(struct ts_permissions *permissions, char *list, struct ts_error *err)
{
    for (char *word; (word = strsep(&list, ",")) != NULL;) {
        char *number = word + strcspn(word, "=");
        if (*number) {
            *number++ = '\0';
        }
        enum ts_permission kind = ts_permission_find(word);
        if (kind == TS_ALLOW_COUNT || !ts_str_to_int(number, &permissions->used[kind])) {
            return ts_error_set(err, TS_ERR_INVALID, "\"%.40s\" is no use of a permission", word);
        }
    }
    return TS_OK;
}

// Reads one option and its value, which *rest begins with.
static enum ts_err option_read(
    struct ts_permissions *permissions, const char *option, char **rest, struct ts_error *err)
{
    if (ts_str_is(option, "--read-only")) {
        permissions->is_read_only = true;
        return TS_OK;
    }
    char *value = strsep(rest, " ");
    if (value && ts_str_is(option, "--allow")) {
        return ts_permissions_add(permissions, value, err);
    }
    if (value && ts_str_is(option, "--used")) {
        return used_read(permissions, value, err);
    }
    for (int kind = 0; value && kind < TS_ALLOW_COUNT; kind++) {
        if (!permission_kinds[kind].is_grant && ts_str_is(option, permission_kinds[kind].flag)) {
            return ts_permissions_cap(permissions, (enum ts_permission)kind, value, err);
        }
    }
    return ts_error_set(err, TS_ERR_INVALID, "\"%.40s\" is no option about permissions", option);
}

enum ts_err ts_permissions_load(
    struct ts_permissions *permissions, const char *text, struct ts_error *err)
{
    char copy[TS_PERMISSIONS_TEXT_MAX];
    ts_permissions_init(permissions);
    if (!ts_str_copy(copy, sizeof copy, text)) {
        return ts_error_set(err, TS_ERR_INVALID, "the permissions of the run are too long a text");
    }
    char *rest = copy[0] ? copy : NULL;
    for (char *option; (option = strsep(&rest, " ")) != NULL;) {
        struct ts_error cause;
        if (option_read(permissions, option, &rest, &cause)) {
            return ts_error_set(
                err, TS_ERR_INVALID, "the permissions of the run: %s", cause.message);
        }
    }
    return TS_OK;
}

void ts_permissions_inherit(struct ts_permissions *permissions, const struct ts_permissions *before)
{
    unsigned given = kinds_given(permissions);
    permissions->is_read_only = permissions->is_read_only || before->is_read_only;
    for (int kind = 0; kind < TS_ALLOW_COUNT; kind++) {
        if (!((given >> kind) & 1)) {
            permissions->cap[kind] = before->cap[kind];
        }
        permissions->used[kind] = permission_sum(permissions->used[kind], before->used[kind]);
    }
}
