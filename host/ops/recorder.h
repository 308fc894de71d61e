// SPDX-License-Identifier: MIT
// The run's side of the journal. The run gets its row with the first write, so that runs which only
// read leave nothing; what is noted within a turn of the loop shares one commit, for which a thread
// waits while the loop goes on; and after the journal has failed once, no write passes any more.
// Operations go by handles, counted from 1, as their numbers in the journal are known only later.
#ifndef TS_OPS_RECORDER_H
#define TS_OPS_RECORDER_H

#include <stdbool.h>
#include <stdint.h>

#include "host/base/error.h"
#include "host/state/journal.h"

// Where the journal is and what the run is: host/runtime knows. Each is called once at most.
struct ts_recorder_source {
    // Opens the journal, which the recorder owns from then on.
    enum ts_err (*open)(void *self, struct ts_journal **out, struct ts_error *err);
    // Fills in the run's row; its texts live as long as the source.
    enum ts_err (*describe)(void *self, struct ts_journal_run *run, struct ts_error *err);
    // Hears under which id the run is in the journal from now on. May be NULL.
    void (*on_named)(void *self, const char *run);
    // Hears that a commit is over: on another thread, so it may do no more than make the loop turn.
    // NULL: commits are waited for.
    void (*wake)(void *self);
    void *self;
};

struct ts_pending;
struct ts_scribe;

// Zeroed: nothing is recorded, and everything may pass.
struct ts_recorder {
    struct ts_recorder_source source;
    bool is_on;
    struct ts_journal *journal;       // NULL until it is needed
    char run[TS_RUN_ID_MAX];          // "" until the first write
    bool is_there;                    // others find the run in the journal: it has been committed
    size_t operations;                // handles given
    struct ts_pending *first, **last; // what the next commit is to note
    struct ts_error failure;          // why nothing may pass any more; its code is TS_OK until then

    struct ts_scribe *scribe; // has the journal while it commits; NULL until the run began
    bool has_begun;           // the run's row waits for the next commit
    uint64_t ticket;          // of the commit that was begun last
};

// From now on writes are recorded. The source is copied.
void ts_recorder_start(struct ts_recorder *recorder, const struct ts_recorder_source *source);

// Nothing may pass from now on, as if the journal had failed for that cause.
void ts_recorder_refuse(struct ts_recorder *recorder, const struct ts_error *cause);

// Closes the journal. What was not committed is lost. Accepts a zeroed struct, may run twice.
void ts_recorder_fini(struct ts_recorder *recorder);

// The journal, opened now if it was not, without adding the run; borrowed. JOURNAL when it cannot
// be opened, USAGE when nothing is recorded.
enum ts_err ts_recorder_journal(
    struct ts_recorder *recorder, struct ts_journal **out, struct ts_error *err);

// Adds the run now, though it has written nothing yet, and makes that durable. JOURNAL, now and
// ever after, when that cannot be, or EXISTS, naming the run, when its plan was applied before;
// USAGE when nothing is recorded.
enum ts_err ts_recorder_begin(struct ts_recorder *recorder, struct ts_error *err);

// The id of the run, "" until it is in the journal for all to see. Borrowed.
const char *ts_recorder_run(const struct ts_recorder *recorder);

// Makes durable what was noted, and waits for it. JOURNAL, now and ever after, when that fails.
enum ts_err ts_recorder_commit(struct ts_recorder *recorder, struct ts_error *err);

// Begins to make durable what was noted since the last time. may_wait: nothing else could go on
// meanwhile. Returns a ticket, not less than those before.
uint64_t ts_recorder_commit_begin(struct ts_recorder *recorder, bool may_wait);

// The last ticket that is seen to: err->code is TS_OK when all up to it is durable, else as above.
uint64_t ts_recorder_committed(struct ts_recorder *recorder, struct ts_error *err);

// Waits for the commits that are under way, and from now on for all: nobody is woken any more.
void ts_recorder_rest(struct ts_recorder *recorder);

// The functions below copy what they are to note, for the next commit.

// Notes an operation that is about to happen, once the next commit has made that durable. *handle
// is 0 when nothing is recorded. JOURNAL, now and ever after, when it cannot be noted.
enum ts_err ts_recorder_add(struct ts_recorder *recorder, const struct ts_journal_intent *intent,
    size_t *handle, struct ts_error *err);

// When those below fail, that shows at the next add or commit: an operation whose end could not be
// noted is in doubt for whoever reads the journal.

// Notes an operation that is over already, or was never begun. Returns its handle, 0: none.
size_t ts_recorder_note(struct ts_recorder *recorder, const struct ts_journal_intent *intent,
    const struct ts_journal_outcome *outcome);

// Notes what came of an operation. handle may be 0.
void ts_recorder_settle(
    struct ts_recorder *recorder, size_t handle, const struct ts_journal_outcome *outcome);

// Notes that a failure was forgiven. handle may be 0.
void ts_recorder_forgive(struct ts_recorder *recorder, size_t handle, const char *why);

// Notes how the run has ended, if it is in the journal, and commits. JOURNAL.
enum ts_err ts_recorder_end(struct ts_recorder *recorder, int exit, const char *status,
    const char *summary, struct ts_error *err);

#endif
