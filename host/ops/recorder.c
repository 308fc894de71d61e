// SPDX-License-Identifier: MIT
// The first failure of the journal is kept: what cannot be recorded must not happen.
#include "host/ops/recorder.h"

#include "host/base/clock.h"
#include "host/ops/pending.h"
#include "host/ops/scribe.h"

#define NO_MEMORY "the journal is out of memory"

void ts_recorder_start(struct ts_recorder *recorder, const struct ts_recorder_source *source)
{
    *recorder = (struct ts_recorder){.source = *source, .is_on = true};
    recorder->last = &recorder->first;
}

void ts_recorder_fini(struct ts_recorder *recorder)
{
    ts_scribe_destroy(recorder->scribe);
    ts_pending_free(recorder->first);
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

void ts_recorder_refuse(struct ts_recorder *recorder, const struct ts_error *cause)
{
    recorder_check(recorder, TS_ERR_JOURNAL, cause);
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
    if (!code) {
        recorder->has_begun = true;
        recorder->scribe = ts_scribe_create(
            recorder->journal, recorder->run, recorder->source.wake, recorder->source.self);
        code = recorder->scribe ? TS_OK : ts_error_set(&cause, TS_ERR_NOMEM, NO_MEMORY);
    }
    if (!code && recorder->source.on_named) {
        recorder->source.on_named(recorder->source.self, recorder->run);
    }
    return recorder_check(recorder, code, &cause);
}

uint64_t ts_recorder_committed(struct ts_recorder *recorder, struct ts_error *err)
{
    uint64_t seen = recorder->ticket;
    if (recorder->scribe) {
        struct ts_error cause;
        seen = ts_scribe_seen(recorder->scribe, &cause);
        recorder_check(recorder, cause.code, &cause);
        recorder->is_there = ts_scribe_has_committed(recorder->scribe);
    }
    err->code = TS_OK;
    recorder_fail(recorder, err);
    return seen;
}

uint64_t ts_recorder_commit_begin(struct ts_recorder *recorder, bool may_wait)
{
    if (recorder->first) {
        recorder_begin(recorder);
    }
    if ((recorder->first || recorder->has_begun) && !recorder->failure.code) {
        recorder->ticket = ts_scribe_hand(recorder->scribe, recorder->first, may_wait);
        recorder->first = NULL;
        recorder->last = &recorder->first;
        recorder->has_begun = false;
    }
    return recorder->ticket;
}

static void recorder_wait(struct ts_recorder *recorder)
{
    struct ts_error ignored;
    if (recorder->scribe) {
        ts_scribe_wait(recorder->scribe);
        ts_recorder_committed(recorder, &ignored);
    }
}

enum ts_err ts_recorder_commit(struct ts_recorder *recorder, struct ts_error *err)
{
    ts_recorder_commit_begin(recorder, true);
    recorder_wait(recorder);
    return recorder_fail(recorder, err);
}

void ts_recorder_rest(struct ts_recorder *recorder)
{
    if (recorder->scribe) {
        ts_scribe_rest(recorder->scribe);
    }
}

enum ts_err ts_recorder_journal(
    struct ts_recorder *recorder, struct ts_journal **out, struct ts_error *err)
{
    *out = NULL;
    if (!recorder->is_on) {
        return ts_error_set(err, TS_ERR_USAGE, "this run has no journal");
    }
    recorder_wait(recorder);
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

static void recorder_exhausted(struct ts_recorder *recorder)
{
    struct ts_error cause;
    enum ts_err code = ts_error_set(&cause, TS_ERR_NOMEM, NO_MEMORY);
    recorder_check(recorder, code, &cause);
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

// Appends an operation, whose handle it returns; 0 when nothing is recorded any more.
static size_t operation_append(struct ts_recorder *recorder, const struct ts_journal_intent *intent)
{
    if (!recorder->is_on || recorder->failure.code) {
        return 0;
    }
    pending_append(recorder, ts_pending_add(recorder->operations + 1, intent));
    return recorder->failure.code ? 0 : ++recorder->operations;
}

enum ts_err ts_recorder_add(struct ts_recorder *recorder, const struct ts_journal_intent *intent,
    size_t *handle, struct ts_error *err)
{
    if (recorder->is_on) {
        recorder_begin(recorder);
    }
    *handle = operation_append(recorder, intent);
    return recorder_fail(recorder, err);
}

size_t ts_recorder_note(struct ts_recorder *recorder, const struct ts_journal_intent *intent,
    const struct ts_journal_outcome *outcome)
{
    size_t handle = operation_append(recorder, intent);
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
    if (recorder->failure.code && (!recorder->run[0] || recorder->failure.code == TS_ERR_EXISTS)) {
        return TS_OK; // it never began, and whoever wanted to write has heard of it
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
