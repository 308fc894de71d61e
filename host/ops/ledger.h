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
    TS_ENTRY_JOURNAL,       // not sent: it could not be recorded
    TS_ENTRY_CREDENTIALS,   // missing, rejected or too weak
    TS_ENTRY_LOCKED,        // another run has the account
    TS_ENTRY_USAGE,         // configuration that a call needs is missing or wrong
    TS_ENTRY_SCRIPT,        // a task failed and nobody asked for its result
    TS_ENTRY_DELIVERY,      // a secret did not reach its file or command
    TS_ENTRY_KIND_COUNT,
};

// What is known of a failure. NULL is as good as "".
struct ts_facts {
    enum ts_entry_kind kind;
    const char *op;      // static: "update", "secret:write"; "" where it was nothing of the kind
    const char *place;   // "onboard.lua:12"
    const char *sitekey; // of the widget
    const char *name;    // of a widget that has no sitekey yet
    const char *message; // why, in one line
    const char *flag;    // static: the option that a refusal asks for, "--allow delete"
    unsigned wanted;     // the permissions that it would have taken, as bits
    const char *ray;     // CF-Ray of the answer
    long status;         // HTTP status of the answer, 0: there was none
    long long code;      // the API's error code, 0: none
    bool is_immediate;   // of a rotation that is to end the old secret at once
    size_t operation;    // of a write: the recorder's handle, 0: none
};

struct ts_entry {
    struct ts_facts facts; // its texts are the entry's own, and none is NULL
    bool is_forgiven;
    bool is_resolved; // what happened was found out later: it counts as that, and this is not shown
    char *reason;     // why it was forgiven; NULL
    char *message;    // of the facts
    char *texts;      // the other ones of the facts, one behind the other
};

enum ts_delivery_kind { TS_DELIVERY_WRITE, TS_DELIVERY_PIPE, TS_DELIVERY_COUNT };

struct ts_ledger {
    uint64_t done[TS_OP_COUNT];            // writes applied
    uint64_t done_at_once;                 // rotations among them that ended the old secret at once
    uint64_t unchanged;                    // updates that had nothing to send
    uint64_t reads;                        // reads that succeeded
    uint64_t settled;                      // doubts about writes that reading has settled
    uint64_t replayed;                     // asked for again in a resume, and done before
    uint64_t withdrawn;                    // writes taken back before they were sent
    uint64_t forgiven;                     // failures that the script said are fine
    uint64_t delivered[TS_DELIVERY_COUNT]; // secrets that reached a file or a command
    uint64_t counts[TS_ENTRY_KIND_COUNT];  // unforgiven, also those that could not be kept
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

// Notes a failure; texts that are not static are copied. Returns its number, counted from 1, or 0
// when it is not kept (no memory, or what it says is told once for all): it is counted all the
// same.
size_t ts_ledger_add(struct ts_ledger *ledger, const struct ts_facts *facts);

// The recorder's handle of the write that failed; 0: none. number may be 0.
size_t ts_ledger_operation(const struct ts_ledger *ledger, size_t number);

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
