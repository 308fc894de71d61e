// SPDX-License-Identifier: MIT
// The one door for writes: permission and caps, then the journal, then the wire, then settling what
// happened. No other code may start a write.
#ifndef TS_OPS_DOOR_H
#define TS_OPS_DOOR_H

#include <stdbool.h>
#include <stddef.h>

#include "host/api/call.h"
#include "host/api/gate.h"
#include "host/ops/deliver.h"
#include "host/ops/ledger.h"
#include "host/ops/permission.h"
#include "host/ops/recorder.h"

struct ts_client;
struct ts_write;

struct ts_door {
    struct ts_permissions permissions;
    struct ts_ledger ledger;
    struct ts_recorder recorder;
    struct ts_gate gate; // for the queue: each write is in the journal before it is sent
    bool is_rehearsal;   // of a plan: writes go to a copy of the account, deliveries nowhere
    bool is_closed;      // stopping: nothing new leaves
    bool is_stopped;     // from outside: what has not left is withdrawn, which is no failure
};

struct ts_write_spec {
    enum ts_op op;
    const char *sitekey; // NULL for create
    const char *body;    // JSON; NULL for delete
    size_t body_len;
    bool is_any_hostname;    // the body leaves the widget open to every hostname
    bool is_immediate;       // a rotation that ends the old secret at once, without grace period
    bool is_again;           // the same write as one that was not applied: it has been counted
    size_t operation;        // of a write that is sent again: the recorder's handle; else 0
    int64_t start_before_us; // as in ts_call_spec
    // Borrowed until the cancel, as are sitekey and body.
    const char *account; // the client's; filled in by ts_write_start
    const char *place;   // "onboard.lua:12", for summary and journal
    int64_t step;        // of the run's plan, see ts_journal_intent
    const char *subject; // what is written, for messages: a sitekey or a name
    const char *before;  // JSON: the widget as it is relied on; NULL: not known
    size_t before_len;
    const char *before_mark; // its secret's fingerprint in hexadecimal; NULL: not known
};

// How a write has ended, as the caller reads the answer. Borrowed; NULL: not known.
struct ts_write_end {
    enum ts_outcome outcome;
    // What a write that was not applied is noted as, and why: its kind, message, status, code and
    // ray; the rest the door knows. NULL for DONE.
    const struct ts_facts *failure;
    const char *sitekey; // of a widget that was created
    const char *after;   // JSON: the widget as it is now
    size_t after_len;
    const char *after_mark; // its secret's fingerprint in hexadecimal
};

typedef void (*ts_write_fn)(void *owner, struct ts_write *write);

// Makes a door with nothing allowed beyond what can be undone (ts_permissions_init), and with a
// recorder that records nothing. It must not be moved once its gate is in use.
void ts_door_init(struct ts_door *door);

// Releases ledger and recorder. Accepts a zeroed struct, may run twice.
void ts_door_fini(struct ts_door *door);

// Checks that the write may leave, without sending it. REFUSED, naming the flag with the number
// that would let it pass, or CANCELLED.
enum ts_err ts_door_check(
    const struct ts_door *door, const struct ts_write_spec *spec, struct ts_error *err);

// Passes a write through the door. A refusal is noted in the ledger and returned as REFUSED, with
// its number in *entry; otherwise as ts_call_read fails. on_done is called once, from the loop.
enum ts_err ts_write_start(struct ts_door *door, struct ts_client *client,
    const struct ts_write_spec *spec, ts_write_fn on_done, void *owner, struct ts_write **out,
    size_t *entry, struct ts_error *err);

// Notes a write that is not sent at all, in ledger and journal, as what the facts say, of which the
// door fills in what it knows. Returns the ledger's number.
size_t ts_door_note(
    struct ts_door *door, const struct ts_write_spec *spec, const struct ts_facts *facts);

// The answer, once on_done has been called; borrowed until the cancel.
struct ts_answer *ts_write_answer(struct ts_write *write);

// Says how the write ended, once; what the answer's bytes mean is the caller's knowledge. Returns
// the ledger's number for a failure, 0 for success.
size_t ts_write_settle(struct ts_write *write, const struct ts_write_end *end);

// Reading has shown what became of a write of unknown outcome, which the ledger knows by that
// number: it was applied, as `end` says (its outcome is DONE); or it was not, and what is done
// about that is noted on its own.
void ts_door_resolve(
    struct ts_door *door, size_t entry, enum ts_op op, const struct ts_write_end *end);

// Reading has shown that such a write was not applied, and nothing more is done about it.
void ts_door_refute(struct ts_door *door, size_t entry);

// The recorder's handle of the write that failed as `entry` says, to be sent again; 0: none.
size_t ts_door_operation(const struct ts_door *door, size_t entry);

// The script forgives a failure.
void ts_door_forgive(struct ts_door *door, size_t entry, const char *why);

// Whether the write has ended because it could not begin in time. Then it is settled: it counts as
// if it had never been started.
bool ts_write_take_late(struct ts_write *write);

// Takes back a write whose request has not left, and frees its place in the queue: counted as
// withdrawn, not as a failure. False when it has left: then it must be seen through. May run twice.
bool ts_write_withdraw(struct ts_write *write);

// Releases the write. One that is cancelled before it was settled is noted as what its answer says,
// if there is one, but a create as unknown, since nobody has taken its sitekey; without an answer
// as unknown when its request may have left, as failed otherwise. NULL is fine.
void ts_write_cancel(struct ts_write *write);

// What the writes that were refused and not forgiven would have taken, and the secrets not
// revealed.
void ts_door_needs(const struct ts_door *door, struct ts_needs *out);

// Takes the permission to reveal one secret. REFUSED.
enum ts_err ts_door_take_reveal(struct ts_door *door, struct ts_error *err);

// A secret that is to go somewhere. Borrowed.
struct ts_delivery_spec {
    struct ts_secret *secret;
    const char *sitekey; // of the widget whose secret it is, "" when that is not known
    const char *place;   // "onboard.lua:12"
    int64_t step;        // of the run's plan, see ts_journal_intent
};

// Deliveries pass the same door: as ts_deliver_file and ts_deliver_command (see deliver.h), and
// REFUSED by --read-only. They are noted in the journal; *operation is the recorder's handle, 0
// when nothing is recorded. A journal that fails is no reason to withhold a secret: it may be the
// only copy of it. What a delivery came to is the caller's to note in the ledger.
enum ts_err ts_door_deliver_file(struct ts_door *door, const struct ts_delivery_spec *spec,
    const char *path, bool is_replace, size_t *operation, struct ts_error *err);

// timeout_us is counted from now. What the command came to is to be told by ts_door_delivered.
enum ts_err ts_door_deliver_command(struct ts_door *door, struct ts_loop *loop,
    const struct ts_delivery_spec *spec, const char *const *argv, int64_t timeout_us,
    ts_deliver_fn on_done, void *owner, struct ts_delivery **out, size_t *operation,
    struct ts_error *err);

// A delivery that the recorder knows by that handle has ended so; err says why not, else NULL.
void ts_door_delivered(
    struct ts_door *door, size_t operation, enum ts_outcome outcome, const struct ts_error *err);

#endif
