// SPDX-License-Identifier: MIT
// The first failure of the journal is kept: what cannot be recorded must not happen.
#include "host/ops/recorder.h"

#include <stdlib.h>

#include "host/base/clock.h"
#include "host/ops/pending.h"

void ts_recorder_start(struct ts_recorder *recorder, const struct ts_recorder_source *source)
{
    *recorder = (struct ts_recorder){.source = *source, .is_on = true};
    recorder->last = &recorder->first;
}

void ts_recorder_fini(struct ts_recorder *recorder)
{
    while (recorder->first) {
        struct ts_pending *pending = recorder->first;
        recorder->first = pending->next;
        free(pending);
    }
    free(recorder->numbers);
    ts_journal_close(recorder->journal);
    *recorder = (struct ts_recorder){0};
}

const char *ts_recorder_run(const struct ts_recorder *recorder)
{
    return recorder->is_there ? recorder->run : "";
}

// Keeps the failure, if it is one and the first.
static enum ts_err recorder_check(
    struct ts_recorder *recorder, enum ts_err code, const struct ts_error *cause)
{
    if (!code || recorder->failure.code) {
        return recorder->failure.code;
    }
    // What has a meaning of its own elsewhere, as USAGE has, means the same here: nothing passes.
    enum ts_err kind = code == TS_ERR_REFUSED || code == TS_ERR_EXISTS ? code : TS_ERR_JOURNAL;
    return ts_error_set(&recorder->failure, kind, "%s", cause->message);
}

static enum ts_err recorder_fail(const struct ts_recorder *recorder, struct ts_error *err)
{
    if (recorder->failure.code) {
        *err = recorder->failure;
    }
    return recorder->failure.code;
}

static enum ts_err recorder_open(struct ts_recorder *recorder)
{
    struct ts_error cause;
    if (recorder->journal || recorder->failure.code) {
        return recorder->failure.code;
    }
    enum ts_err code = recorder->source.open(recorder->source.self, &recorder->journal, &cause);
    return recorder_check(recorder, code, &cause);
}

static enum ts_err recorder_begin(struct ts_recorder *recorder)
{
    struct ts_error cause;
    struct ts_journal_run run = {0};
    if (recorder_open(recorder) || recorder->run[0]) {
        return recorder->failure.code;
    }
    enum ts_err code = recorder->source.describe(recorder->source.self, &run, &cause);
    if (!code) {
        code = ts_journal_add_run(recorder->journal, &run, recorder->run, &cause);
    }
    if (!code && recorder->source.on_named) {
        recorder->source.on_named(recorder->source.self, recorder->run);
    }
    return recorder_check(recorder, code, &cause);
}

enum ts_err ts_recorder_journal(
    struct ts_recorder *recorder, struct ts_journal **out, struct ts_error *err)
{
    *out = NULL;
    if (!recorder->is_on) {
        return ts_error_set(err, TS_ERR_USAGE, "this run has no journal");
    }
    recorder_open(recorder);
    *out = recorder->journal;
    return recorder_fail(recorder, err);
}

enum ts_err ts_recorder_begin(struct ts_recorder *recorder, struct ts_error *err)
{
    if (!recorder->is_on) {
        return ts_error_set(err, TS_ERR_USAGE, "this run has no journal");
    }
    recorder_begin(recorder);
    return ts_recorder_commit(recorder, err);
}

// Makes a handle for another operation, 0 when memory ends.
static size_t handle_create(struct ts_recorder *recorder)
{
    if (recorder->len == recorder->cap) {
        size_t cap = recorder->cap ? recorder->cap * 2 : 64;
        int64_t *numbers = reallocarray(recorder->numbers, cap, sizeof *numbers);
        if (!numbers) {
            return 0;
        }
        recorder->numbers = numbers;
        recorder->cap = cap;
    }
    recorder->numbers[recorder->len++] = 0;
    return recorder->len;
}

static enum ts_err recorder_exhausted(struct ts_recorder *recorder)
{
    struct ts_error cause;
    enum ts_err code = ts_error_set(&cause, TS_ERR_NOMEM, "the journal is out of memory");
    return recorder_check(recorder, code, &cause);
}

// Adds the operation of that handle to the journal.
static enum ts_err operation_add(
    struct ts_recorder *recorder, size_t handle, const struct ts_journal_intent *intent)
{
    struct ts_error cause;
    if (recorder_begin(recorder)) {
        return recorder->failure.code;
    }
    int64_t *number = &recorder->numbers[handle - 1];
    enum ts_err code = ts_journal_add(recorder->journal, recorder->run, intent, number, &cause);
    return recorder_check(recorder, code, &cause);
}

// Hands what is pending to the journal.
static enum ts_err pending_apply(struct ts_recorder *recorder, const struct ts_pending *pending)
{
    struct ts_error cause;
    int64_t number = recorder->numbers[pending->handle - 1];
    if (pending->kind == TS_PENDING_ADD) {
        return operation_add(recorder, pending->handle, &pending->intent);
    }
    enum ts_err code = pending->kind == TS_PENDING_SETTLE
                           ? ts_journal_settle(recorder->journal, number, &pending->outcome, &cause)
                           : ts_journal_forgive(recorder->journal, number, pending->why, &cause);
    return recorder_check(recorder, code, &cause);
}

static void pending_flush(struct ts_recorder *recorder)
{
    while (recorder->first && !recorder->failure.code) {
        struct ts_pending *pending = recorder->first;
        pending_apply(recorder, pending);
        recorder->first = pending->next;
        recorder->last = pending->next ? recorder->last : &recorder->first;
        free(pending);
    }
}

enum ts_err ts_recorder_add(struct ts_recorder *recorder, const struct ts_journal_intent *intent,
    size_t *handle, struct ts_error *err)
{
    *handle = 0;
    pending_flush(recorder); // so that the order is that in which things happened
    if (recorder->is_on && !recorder->failure.code) {
        *handle = handle_create(recorder);
        if (*handle == 0) {
            recorder_exhausted(recorder);
        } else if (operation_add(recorder, *handle, intent)) {
            *handle = 0;
        }
    }
    return recorder_fail(recorder, err);
}

enum ts_err ts_recorder_commit(struct ts_recorder *recorder, struct ts_error *err)
{
    pending_flush(recorder);
    if (recorder->journal && !recorder->failure.code) {
        struct ts_error cause;
        recorder_check(recorder, ts_journal_commit(recorder->journal, &cause), &cause);
        recorder->is_there = recorder->is_there || (recorder->run[0] && !recorder->failure.code);
    }
    return recorder_fail(recorder, err);
}

static void pending_append(struct ts_recorder *recorder, struct ts_pending *pending)
{
    if (!pending) {
        recorder_exhausted(recorder);
        return;
    }
    *recorder->last = pending;
    recorder->last = &pending->next;
}

size_t ts_recorder_note(struct ts_recorder *recorder, const struct ts_journal_intent *intent,
    const struct ts_journal_outcome *outcome)
{
    if (!recorder->is_on || recorder->failure.code) {
        return 0;
    }
    size_t handle = handle_create(recorder);
    if (handle == 0) {
        recorder_exhausted(recorder);
        return 0;
    }
    pending_append(recorder, ts_pending_add(handle, intent));
    ts_recorder_settle(recorder, handle, outcome);
    return handle;
}

void ts_recorder_settle(
    struct ts_recorder *recorder, size_t handle, const struct ts_journal_outcome *outcome)
{
    if (handle > 0 && !recorder->failure.code) {
        pending_append(recorder, ts_pending_settle(handle, outcome));
    }
}

void ts_recorder_forgive(struct ts_recorder *recorder, size_t handle, const char *why)
{
    if (handle > 0 && !recorder->failure.code) {
        pending_append(recorder, ts_pending_forgive(handle, why));
    }
}

enum ts_err ts_recorder_end(struct ts_recorder *recorder, int exit, const char *status,
    const char *summary, struct ts_error *err)
{
    struct ts_error cause;
    if (recorder->failure.code == TS_ERR_EXISTS) {
        return TS_OK; // it never began
    }
    if (!ts_recorder_commit(recorder, err) && recorder->run[0]) {
        enum ts_err code = ts_journal_end_run(recorder->journal, recorder->run, exit, status,
            summary, ts_clock_wall(ts_clock_system()), &cause);
        if (!code) {
            code = ts_journal_commit(recorder->journal, &cause);
        }
        recorder_check(recorder, code, &cause);
    }
    return recorder_fail(recorder, err);
}
