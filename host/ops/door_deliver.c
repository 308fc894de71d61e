// SPDX-License-Identifier: MIT
// What changes something outside without being a write: delivering a secret, and revealing one to
// the script. The door is closed to none of it by stopping, for a new secret may be all there is.
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "host/api/widget.h"
#include "host/base/clock.h"
#include "host/net/loop.h"
#include "host/ops/deliver.h"
#include "host/ops/door.h"

#define US_PER_MS 1000

static enum ts_err delivery_check(
    const struct ts_door *door, const char *target, struct ts_error *err)
{
    if (door->permissions.is_read_only) {
        return ts_error_set(
            err, TS_ERR_REFUSED, "%s: no secret is delivered under --read-only", target);
    }
    return TS_OK;
}

enum ts_err ts_door_take_reveal(struct ts_door *door, struct ts_error *err)
{
    unsigned reveal = TS_PERMISSION_BIT(TS_ALLOW_REVEAL);
    enum ts_err code = ts_permissions_check(&door->permissions, reveal, err);
    if (!code) {
        ts_permissions_use(&door->permissions, reveal, 1);
    }
    return code;
}

// What the journal is told of a delivery; target is JSON, and mark has room for a fingerprint.
static struct ts_journal_intent intent_of(const struct ts_delivery_spec *spec, const char *op,
    const struct ts_buf *target, char mark[TS_SECRET_MARK])
{
    ts_secret_mark(spec->secret, mark);
    return (struct ts_journal_intent){
        .op = op,
        .sitekey = spec->sitekey[0] ? spec->sitekey : NULL,
        .place = spec->place,
        .step = spec->step,
        .body = ts_buf_text(target),
        .body_len = target->len,
        .before_mark = mark,
        .started_us = ts_clock_wall(ts_clock_system()),
    };
}

static struct ts_journal_outcome outcome_of(enum ts_outcome outcome, const struct ts_error *err)
{
    return (struct ts_journal_outcome){
        .state = outcome == TS_OUTCOME_DONE          ? TS_OPERATION_DONE
                 : outcome == TS_OUTCOME_NOT_APPLIED ? TS_OPERATION_NOT_APPLIED
                                                     : TS_OPERATION_UNKNOWN,
        .error = err ? err->message : NULL,
    };
}

// The path from the root, so that it means the same wherever it is read.
static void path_complete(const char *path, char *out, size_t size)
{
    char directory[PATH_MAX];
    bool is_relative = path[0] != '/' && getcwd(directory, sizeof directory);
    snprintf(out, size, "%s%s%s", is_relative ? directory : "", is_relative ? "/" : "", path);
}

// Notes a delivery to a file that is over. A process that is killed before this is in the journal
// leaves a file that tells by itself what it is.
static size_t file_note(struct ts_door *door, const struct ts_delivery_spec *spec, const char *path,
    bool is_replace, enum ts_err code, const struct ts_error *err)
{
    char whole[2 * PATH_MAX], mark[TS_SECRET_MARK];
    struct ts_widget_body target;
    size_t operation = 0;
    path_complete(path, whole, sizeof whole);
    ts_widget_body_init(&target, NULL);
    if (!ts_widget_body_add_text(&target, "path", whole, strlen(whole)) &&
        !ts_widget_body_add_bool(&target, "replace", is_replace) && !ts_widget_body_end(&target)) {
        struct ts_journal_intent intent = intent_of(spec, "write", &target.json, mark);
        struct ts_journal_outcome outcome =
            outcome_of(code ? TS_OUTCOME_NOT_APPLIED : TS_OUTCOME_DONE, code ? err : NULL);
        outcome.state = code == TS_ERR_REFUSED ? TS_OPERATION_REFUSED : outcome.state;
        operation = ts_recorder_note(&door->recorder, &intent, &outcome);
    }
    ts_widget_body_fini(&target);
    return operation;
}

enum ts_err ts_door_deliver_file(struct ts_door *door, const struct ts_delivery_spec *spec,
    const char *path, bool is_replace, size_t *operation, struct ts_error *err)
{
    enum ts_err code = delivery_check(door, path, err);
    if (!code && !door->is_rehearsal) {
        code = ts_deliver_file(spec->secret, path, is_replace, err);
    }
    *operation = file_note(door, spec, path, is_replace, code, err);
    return code;
}

static enum ts_err command_write(
    struct ts_widget_body *target, const char *const *argv, int64_t timeout_us)
{
    size_t count = 0;
    while (argv[count]) {
        count++;
    }
    enum ts_err code = ts_widget_body_add_list(target, "command", argv, count);
    code = code ? code : ts_widget_body_add_int(target, "timeout_ms", timeout_us / US_PER_MS);
    return code ? code : ts_widget_body_end(target);
}

// Notes a command that is about to get a secret, and makes that durable. Fails when it cannot be
// written down; why the journal fails shows with the next write that is to be sent.
static enum ts_err command_note(struct ts_door *door, const struct ts_delivery_spec *spec,
    const char *const *argv, int64_t timeout_us, size_t *operation, struct ts_error *err)
{
    char mark[TS_SECRET_MARK];
    struct ts_widget_body target;
    struct ts_error ignored;
    ts_widget_body_init(&target, NULL);
    enum ts_err code = command_write(&target, argv, timeout_us);
    if (!code) {
        struct ts_journal_intent intent = intent_of(spec, "pipe", &target.json, mark);
        if (!ts_recorder_add(&door->recorder, &intent, operation, &ignored)) {
            ts_recorder_commit(&door->recorder, &ignored);
        }
    }
    ts_widget_body_fini(&target);
    if (code == TS_ERR_TOO_LARGE) {
        ts_error_set(err, code, "%s: its words are too long for the journal", argv[0]);
    } else if (code) {
        ts_error_set(err, code, "out of memory");
    }
    return code;
}

enum ts_err ts_door_deliver_command(struct ts_door *door, struct ts_loop *loop,
    const struct ts_delivery_spec *spec, const char *const *argv, int64_t timeout_us,
    ts_deliver_fn on_done, void *owner, struct ts_delivery **out, size_t *operation,
    struct ts_error *err)
{
    *out = NULL;
    *operation = 0;
    enum ts_err code = delivery_check(door, argv[0], err);
    if (code) {
        return code;
    }
    code = command_note(door, spec, argv, timeout_us, operation, err);
    if (code) {
        return code;
    }
    code = door->is_rehearsal ? ts_delivery_rehearse(loop, argv[0], on_done, owner, out, err)
                              : ts_deliver_command(loop, spec->secret, argv,
                                    ts_loop_now(loop) + timeout_us, on_done, owner, out, err);
    if (code) {
        ts_door_delivered(door, *operation, TS_OUTCOME_NOT_APPLIED, err);
    }
    return code;
}

void ts_door_delivered(
    struct ts_door *door, size_t operation, enum ts_outcome outcome, const struct ts_error *err)
{
    struct ts_journal_outcome ended = outcome_of(outcome, err);
    ts_recorder_settle(&door->recorder, operation, &ended);
}
