// SPDX-License-Identifier: MIT
// What it takes to go on with a run: what it was, and how it and its resumes have ended.
#ifndef TS_STATE_JOURNAL_ORIGIN_H
#define TS_STATE_JOURNAL_ORIGIN_H

#include "host/state/journal.h"

// Words of a command line.
struct ts_journal_words {
    char **words; // count of them, and a NULL
    int count;
    bool is_known; // else the journal does not have them
};

// Texts are "" where the journal has none.
struct ts_journal_origin {
    char run[TS_RUN_ID_MAX]; // the first of the chain, which was no resume
    char *command;
    char *script;
    char *sha256;
    char *directory;
    char *account;
    char *base_url;
    struct ts_journal_words arguments;
    struct ts_journal_words options; // of the last run of the chain
    char running[TS_RUN_ID_MAX];     // a run of the chain that goes on, "" when there is none
    char *running_pid;
    bool is_finished; // the last one ended well, and nothing is in doubt
};

// Reads what the chain of that run has (see ts_journal_read_chain). Fini when done with it, also
// after a failure. Fails as the readers of journal_read.h do; NOMEM.
enum ts_err ts_journal_origin_read(struct ts_journal *journal, const char *id,
    struct ts_journal_origin *out, struct ts_error *err);

// Releases. Accepts a zeroed struct, may run twice.
void ts_journal_origin_fini(struct ts_journal_origin *origin);

// Whether a widget with that sitekey cannot be what the create of that number made: the journal
// knows it from another create, or from before.
enum ts_err ts_journal_is_foreign(struct ts_journal *journal, int64_t number, const char *sitekey,
    bool *out, struct ts_error *err);

#endif
