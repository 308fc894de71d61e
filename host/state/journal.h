// SPDX-License-Identifier: MIT
// What runs have done and were about to do: a row for each run, and one for each of its operations
// (the writes to the API and the deliveries of secrets). An operation is durable here before the
// first byte of it leaves. Reading is in journal_read.h.
//
// Says nothing of files or machines but in ts_journal_open, so that another store can take its
// place. No secret is ever handed to it.
#ifndef TS_STATE_JOURNAL_H
#define TS_STATE_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/base/error.h"

struct ts_journal;

// "20261122-103011-7f3a": the moment in UTC, and what tells runs of one second apart.
#define TS_RUN_ID_MAX 24

enum ts_operation_state {
    TS_OPERATION_INTENT,      // may have been sent; the answer is not recorded
    TS_OPERATION_DONE,        // applied
    TS_OPERATION_NOT_APPLIED, // surely not applied
    TS_OPERATION_UNKNOWN,     // sent, and what came of it is not known
    TS_OPERATION_REFUSED,     // never sent: permission or cap
    TS_OPERATION_STALE,       // never sent: the live widget is not what was relied on
    TS_OPERATION_STATE_COUNT,
};

// What is known when a run begins. Strings are borrowed; NULL: not known, or not of that kind.
struct ts_journal_run {
    const char *command;   // "run", "apply", "resume", "undo"
    const char *of;        // the run that is resumed or undone
    const char *script;    // its absolute path; "-e", "-"
    const char *sha256;    // of the script's text, in hexadecimal
    const char *arguments; // a JSON array of strings
    const char *directory; // where it was started
    const char *options;   // a JSON array of strings: those of the command line, each in full
    const char *account;
    const char *base_url;
    const char *host;
    const char *user;
    const char *version; // of tshost
    const char *plan_id; // of a plan that may be applied only once
    const char *plan;    // its steps, a JSON array
    int64_t pid;
    int64_t process_start; // tells processes of one pid apart, see ts_process_start
    int64_t started_us;    // wall clock
};

// An operation that is about to leave. Texts of JSON are objects. Borrowed, NULL as above.
struct ts_journal_intent {
    const char *op; // "create" "update" "delete" "rotate" "write" "pipe"
    const char *account;
    const char *sitekey; // of the widget; of a delivery: whose secret it is
    const char *name;    // of the widget, for people
    const char *place;   // "onboard.lua:12"
    const char *body;    // JSON: what is sent, or where a secret goes
    size_t body_len;
    const char *before; // JSON: the widget as it is relied on
    size_t before_len;
    const char *before_mark; // the secret's fingerprint, in hexadecimal
    int64_t step;            // of the run's plan, counted from 1; 0: none
    int64_t started_us;      // wall clock
};

// What came of it.
struct ts_journal_outcome {
    enum ts_operation_state state;
    const char *sitekey; // of a widget that was created; NULL leaves what is there
    const char *after;   // JSON: the widget as the answer has it; NULL leaves what is there
    size_t after_len;
    const char *after_mark; // the secret's fingerprint; NULL leaves what is there
    const char *error;      // one line; NULL: none
    const char *ray;        // CF-Ray, NULL or "": none
    long status;            // HTTP, 0: none
    int attempts;        // exchanges; added to what is there. 0 leaves ray and status: the last's
    int64_t duration_us; // added as well
};

// Opens the journal in the directory (see directory.h), made if it is not there; NULL: one in
// memory. SYSTEM with the reason and the path; USAGE when it is of a newer version of tshost.
enum ts_err ts_journal_open(const char *directory, struct ts_journal **out, struct ts_error *err);

// Drops what was not committed. NULL is fine.
void ts_journal_close(struct ts_journal *journal);

// Where it is, for messages; "" in memory. Borrowed.
const char *ts_journal_path(const struct ts_journal *journal);

// The functions below change it. The first opens a transaction, which others wait for: so the
// caller commits before it waits for anything. All fail with SYSTEM (disk full, failed sync, ...),
// NOMEM, or TIMEOUT when another process does not let go; what was not committed is lost then.

// Adds a run and writes its id. EXISTS when its plan_id was applied by a run that has begun; the
// message names that run.
enum ts_err ts_journal_add_run(struct ts_journal *journal, const struct ts_journal_run *run,
    char id[TS_RUN_ID_MAX], struct ts_error *err);

// Notes how a run has ended. status is a word ("done", "partial", "failed", "refused",
// "unsettled", "interrupted"); summary is a JSON object.
enum ts_err ts_journal_end_run(struct ts_journal *journal, const char *id, int exit,
    const char *status, const char *summary, int64_t ended_us, struct ts_error *err);

// Adds an operation of the run, in the state INTENT, and gives its number, which is above those of
// all before it.
enum ts_err ts_journal_add(struct ts_journal *journal, const char *run,
    const struct ts_journal_intent *intent, int64_t *number, struct ts_error *err);

// Notes what came of an operation, of whatever run. May be called again when more is known.
enum ts_err ts_journal_settle(struct ts_journal *journal, int64_t number,
    const struct ts_journal_outcome *outcome, struct ts_error *err);

// Notes that the script forgave its failure, and why.
enum ts_err ts_journal_forgive(
    struct ts_journal *journal, int64_t number, const char *why, struct ts_error *err);

// Whether anything waits for a commit.
bool ts_journal_is_pending(const struct ts_journal *journal);

// Makes durable what was changed: when it returns TS_OK, the disk has it. Nothing to do is fine.
enum ts_err ts_journal_commit(struct ts_journal *journal, struct ts_error *err);

// Removes runs that ended before then, or began before then and were killed, with their operations;
// but none with an operation in doubt, and none that a resume or an undo ties to one that stays.
// The plans that they applied stay applied. Commits, several times when there is much. Gives the
// number of runs removed, which after a failure are those of the commits before it.
enum ts_err ts_journal_prune(
    struct ts_journal *journal, int64_t before_us, int64_t *count, struct ts_error *err);

#endif
