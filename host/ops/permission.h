// SPDX-License-Identifier: MIT
// What a run may do: --read-only, grants of what cannot be undone (--allow), caps on what can
// (--max-create, --max-update). Counted over the run; a refusal names the flag that would allow it.
#ifndef TS_OPS_PERMISSION_H
#define TS_OPS_PERMISSION_H

#include <stdbool.h>
#include <stdint.h>

#include "host/base/error.h"

enum ts_permission {
    TS_ALLOW_CREATE, // unless --max-create says how many
    TS_ALLOW_UPDATE, // unless --max-update does
    TS_ALLOW_DELETE, // this and the following only as far as --allow grants it
    TS_ALLOW_ROTATE,
    TS_ALLOW_ANY_HOSTNAME,
    TS_ALLOW_REVEAL,
    TS_ALLOW_COUNT,
};

// Sets of permissions are bits.
#define TS_PERMISSION_BIT(kind) (1u << (kind))

// Zeroed: nothing at all may pass.
struct ts_permissions {
    bool is_read_only;
    int64_t cap[TS_ALLOW_COUNT]; // 0: not allowed; INT64_MAX: without limit
    int64_t used[TS_ALLOW_COUNT];
};

// How many of each kind something takes that is to pass as a whole, and how many secrets it
// delivers.
struct ts_needs {
    int64_t count[TS_ALLOW_COUNT];
    int64_t deliveries;
};

// Room for what ts_permissions_options and ts_permissions_save write, NUL included.
#define TS_PERMISSIONS_TEXT_MAX 512

// What a run may do without options: create and update.
void ts_permissions_init(struct ts_permissions *permissions);

// Everything, as often as wanted: for a plan, which only tells what it would take.
void ts_permissions_grant_all(struct ts_permissions *permissions);

// Adds the grants of one --allow value, "delete=20,reveal", to what is granted already. USAGE.
enum ts_err ts_permissions_add(
    struct ts_permissions *permissions, const char *text, struct ts_error *err);

// Sets the cap of CREATE or UPDATE from the value of its option, a whole number from 0. The last
// one holds. USAGE.
enum ts_err ts_permissions_cap(struct ts_permissions *permissions, enum ts_permission kind,
    const char *text, struct ts_error *err);

// Whether one more use of each kind of that set is allowed, without using it. REFUSED, naming the
// flags that would allow it.
enum ts_err ts_permissions_check(
    const struct ts_permissions *permissions, unsigned kinds, struct ts_error *err);

// Counts one use of each kind of that set (by is 1), or takes it back (-1).
void ts_permissions_use(struct ts_permissions *permissions, unsigned kinds, int by);

// How many more uses are allowed: 0 under --read-only, INT64_MAX without limit.
int64_t ts_permissions_left(const struct ts_permissions *permissions, enum ts_permission kind);

// The name as scripts and --allow have it: "any-hostname".
const char *ts_permission_name(enum ts_permission kind);

// The option that allows it, "--allow delete" or "--max-create"; static.
const char *ts_permission_flag(enum ts_permission kind);

// The kind of that name; TS_ALLOW_COUNT when there is none.
enum ts_permission ts_permission_find(const char *name);

// Whether all that a plan takes is allowed, before its first write. REFUSED: the message says what
// is short, and ends in the options that let all of it pass, each in full, so that it replaces the
// one that was given.
enum ts_err ts_permissions_check_all(
    const struct ts_permissions *permissions, const struct ts_needs *needs, struct ts_error *err);

// The options that, added to those that were given, let so much more pass: "--allow delete=5
// --max-update 40". "" when none are missing.
void ts_permissions_options_missing(const struct ts_permissions *permissions,
    const struct ts_needs *needs, char out[TS_PERMISSIONS_TEXT_MAX]);

// The options that grant what is granted, as they could be typed; "" when nothing is.
void ts_permissions_options(
    const struct ts_permissions *permissions, char out[TS_PERMISSIONS_TEXT_MAX]);

// The same, followed by what is used: for a run that goes on in another process.
void ts_permissions_save(
    const struct ts_permissions *permissions, char out[TS_PERMISSIONS_TEXT_MAX]);

// Reads what ts_permissions_save wrote. INVALID when it is anything else.
enum ts_err ts_permissions_load(
    struct ts_permissions *permissions, const char *text, struct ts_error *err);

// Goes on where another run stopped: what it used is used, and what the options of this one do not
// say is as it was: a kind that is granted again is granted as often as the options of this one
// say.
void ts_permissions_inherit(
    struct ts_permissions *permissions, const struct ts_permissions *before);

#endif
