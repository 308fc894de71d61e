// SPDX-License-Identifier: MIT
// What the journal holds, row by row, as JSON objects. Times are RFC 3339 in UTC, durations
// milliseconds; members without a value are left out.
#ifndef TS_STATE_JOURNAL_READ_H
#define TS_STATE_JOURNAL_READ_H

#include "host/state/journal.h"

// Called for each row with its JSON, which is NUL-terminated and borrowed until it returns. False
// ends the reading.
typedef bool (*ts_journal_row_fn)(void *owner, const char *json, size_t len);

// Finds the run that is meant: its id, a beginning or an end of it that no other has, or "last".
// USAGE, naming what could be meant, when there is none or more than one.
enum ts_err ts_journal_find(
    struct ts_journal *journal, const char *text, char id[TS_RUN_ID_MAX], struct ts_error *err);

// The runs, newest first: run, command, of, script, arguments, directory, options, account,
// base_url, host, user, pid, version, started, ended, exit, status, summary, plan_id, sha256, and
// the numbers of operations by state: done, not_applied, in_doubt, refused, stale, and under_way if
// there are any: intents of a run that goes on are that, of one that does not they are in_doubt.
// status is "running" while its process is there (or may be, on another host), "killed" when it
// went without a word. id: only that run; NULL: all.
enum ts_err ts_journal_read_runs(struct ts_journal *journal, const char *id,
    ts_journal_row_fn on_row, void *owner, struct ts_error *err);

// The steps of the run's plan, one by one. None: nothing is read.
enum ts_err ts_journal_read_plan(struct ts_journal *journal, const char *id,
    ts_journal_row_fn on_row, void *owner, struct ts_error *err);

// The operations of the run in their order: operation (its number), op, account, sitekey, name,
// place, body, before, after, before_mark, after_mark, step, state, error, ray, status, attempts,
// started, duration_ms, forgiven.
enum ts_err ts_journal_read_operations(struct ts_journal *journal, const char *id,
    ts_journal_row_fn on_row, void *owner, struct ts_error *err);

// The runs that resumed this one, and those that they resumed in turn, the first of all first, with
// this one among them: their operations belong together. Rows as those of ts_journal_read_runs.
enum ts_err ts_journal_read_chain(struct ts_journal *journal, const char *id,
    ts_journal_row_fn on_row, void *owner, struct ts_error *err);

// Checks the file and that every row makes sense. Rows are JSON strings, one for each finding;
// none: the journal is sound. SYSTEM when it is too damaged to be read to the end.
enum ts_err ts_journal_verify(
    struct ts_journal *journal, ts_journal_row_fn on_row, void *owner, struct ts_error *err);

#endif
