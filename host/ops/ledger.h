// SPDX-License-Identifier: MIT
// What happened in this run, so that the exit status and the summary tell the truth even when the
// script looked away. Failures are kept one by one; successes are counted.
#ifndef TS_OPS_LEDGER_H
#define TS_OPS_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/api/call.h"

enum ts_entry_kind {
    TS_ENTRY_WRITE_FAILED,  // surely not applied
    TS_ENTRY_WRITE_UNSENT,  // nor even sent: the API could not be reached
    TS_ENTRY_WRITE_UNKNOWN, // may have been applied
    TS_ENTRY_STALE,         // not sent: the live widget is not what the script saw
    TS_ENTRY_REFUSED,       // permission, cap or read-only
    TS_ENTRY_READ_FAILED,   // the API could not be reached, or a list stayed incomplete
    TS_ENTRY_CREDENTIALS,   // missing, rejected or too weak
    TS_ENTRY_USAGE,         // configuration that a call needs is missing or wrong
    TS_ENTRY_SCRIPT,        // a task failed and nobody asked for its result
    TS_ENTRY_KIND_COUNT,
};

struct ts_entry {
    enum ts_entry_kind kind;
    enum ts_op op;
    char *place;   // "onboard.lua:12", "" when unknown
    char *message; // one line
    bool is_forgiven;
    bool is_resolved; // what happened was found out later: it counts as that, and this is not shown
    char *reason;     // why it was forgiven; NULL
};

struct ts_ledger {
    uint64_t done[TS_OP_COUNT];           // writes applied
    uint64_t unchanged;                   // updates that had nothing to send
    uint64_t reads;                       // reads that succeeded
    uint64_t settled;                     // doubts about writes that reading has settled
    uint64_t withdrawn;                   // writes taken back before they were sent
    uint64_t counts[TS_ENTRY_KIND_COUNT]; // unforgiven, also those that could not be kept
    const char *once; // borrowed: failures whose message holds this text are counted, but not kept
                      // one by one, for it is told once; NULL or "": none
    struct ts_entry *entries;
    size_t len;
    size_t cap;
};

// Makes an empty ledger.
void ts_ledger_init(struct ts_ledger *ledger);

// Releases. Accepts a zeroed struct, may run twice.
void ts_ledger_fini(struct ts_ledger *ledger);

// Notes a failure; place and message are copied. Returns its number, counted from 1, or 0 when
// it is not kept (no memory, or what it says is told once for all): it is counted all the same.
size_t ts_ledger_add(struct ts_ledger *ledger, enum ts_entry_kind kind, enum ts_op op,
    const char *place, const char *message);

// Takes failure number out of the count; a second time does nothing. reason is copied.
void ts_ledger_forgive(struct ts_ledger *ledger, size_t number, const char *reason);

// Takes a write of unknown outcome out of the count, because reading has shown what became of it:
// applied (it counts as done), or not (what is done about it is noted on its own). number may be 0,
// for one that could not be kept.
void ts_ledger_resolve(struct ts_ledger *ledger, size_t number, enum ts_op op, bool is_done);

// A write of unknown outcome counts as failed, because reading has shown that it was not applied
// and nothing more is done about it. number as above.
void ts_ledger_refute(struct ts_ledger *ledger, size_t number);

// Adds "; more" to what failure number says, as far as there is memory. more is copied.
void ts_ledger_explain(struct ts_ledger *ledger, size_t number, const char *more);

#endif
