// SPDX-License-Identifier: MIT
// Permission, then the journal, then the wire, then ledger and journal. A write that is dropped
// half-way is never silent: its release settles it as what can be known of it.
#include "host/ops/door.h"

#include "host/api/client.h"
#include "host/base/clock.h"
#include "host/base/pool.h"

#define WITHDRAWN "withdrawn before it was sent"

struct ts_write {
    struct ts_door *door;
    struct ts_pool *pool;
    struct ts_write_spec spec; // op, permissions, and what the journal is told
    size_t operation;          // the recorder's handle; 0: it is not there
    struct ts_call *call;
    ts_write_fn on_done;
    void *owner;
    bool is_done;
    bool is_settled;
};

// The operation as the journal calls it.
static const char *op_name(enum ts_op op)
{
    return op == TS_OP_ROTATE ? "rotate" : ts_endpoint_of(op)->name;
}

static struct ts_journal_intent intent_of(const struct ts_write_spec *spec)
{
    return (struct ts_journal_intent){
        .op = op_name(spec->op),
        .account = spec->account,
        .sitekey = spec->sitekey,
        .name = spec->op == TS_OP_CREATE ? spec->subject : NULL,
        .place = spec->place,
        .step = spec->step,
        .body = spec->body,
        .body_len = spec->body_len,
        .before = spec->before,
        .before_len = spec->before_len,
        .before_mark = spec->before_mark,
        .started_us = ts_clock_wall(ts_clock_system()),
    };
}

// Notes a write before it is sent. One that is sent again is noted already.
static enum ts_err gate_add(void *self, void *owner, struct ts_error *err)
{
    struct ts_door *door = self;
    struct ts_write *write = owner;
    if (write->operation > 0) {
        return TS_OK;
    }
    struct ts_journal_intent intent = intent_of(&write->spec);
    return ts_recorder_add(&door->recorder, &intent, &write->operation, err);
}

static uint64_t gate_commit(void *self, bool may_wait)
{
    return ts_recorder_commit_begin(&((struct ts_door *)self)->recorder, may_wait);
}

static uint64_t gate_committed(void *self, struct ts_error *err)
{
    return ts_recorder_committed(&((struct ts_door *)self)->recorder, err);
}

void ts_door_init(struct ts_door *door)
{
    *door = (struct ts_door){0};
    ts_permissions_init(&door->permissions);
    door->gate = (struct ts_gate){
        .add = gate_add, .commit = gate_commit, .committed = gate_committed, .self = door};
    ts_ledger_init(&door->ledger);
}

void ts_door_fini(struct ts_door *door)
{
    ts_ledger_fini(&door->ledger);
    ts_recorder_fini(&door->recorder);
}

// What a write takes from the permissions. What is sent again took it the first time.
static unsigned kinds_of(const struct ts_write_spec *spec)
{
    static const unsigned kinds[TS_OP_COUNT] = {
        [TS_OP_CREATE] = TS_PERMISSION_BIT(TS_ALLOW_CREATE),
        [TS_OP_UPDATE] = TS_PERMISSION_BIT(TS_ALLOW_UPDATE),
        [TS_OP_DELETE] = TS_PERMISSION_BIT(TS_ALLOW_DELETE),
        [TS_OP_ROTATE] = TS_PERMISSION_BIT(TS_ALLOW_ROTATE),
    };
    unsigned any_hostname = spec->is_any_hostname ? TS_PERMISSION_BIT(TS_ALLOW_ANY_HOSTNAME) : 0;
    return spec->is_again ? 0 : kinds[spec->op] | any_hostname;
}

enum ts_err ts_door_check(
    const struct ts_door *door, const struct ts_write_spec *spec, struct ts_error *err)
{
    if (door->is_closed) {
        return ts_error_set(err, TS_ERR_CANCELLED, "stopping: nothing new is sent");
    }
    if (door->permissions.is_read_only) {
        return ts_error_set(err, TS_ERR_REFUSED, "refused by --read-only");
    }
    return ts_permissions_check(&door->permissions, kinds_of(spec), err);
}

// The option that would let a refused write pass; NULL when none is missing.
static const char *flag_missing(const struct ts_door *door, const struct ts_write_spec *spec)
{
    unsigned kinds = door->permissions.is_read_only ? 0 : kinds_of(spec);
    for (int i = 0; i < TS_ALLOW_COUNT; i++) {
        enum ts_permission kind = (enum ts_permission)i;
        if ((kinds & TS_PERMISSION_BIT(i)) && ts_permissions_left(&door->permissions, kind) <= 0) {
            return ts_permission_flag(kind);
        }
    }
    return NULL;
}

// Notes in the ledger what became of a write.
static size_t ledger_note(struct ts_ledger *ledger, const struct ts_write_spec *spec,
    const struct ts_facts *failure, size_t operation)
{
    struct ts_facts facts = *failure;
    facts.op = ts_endpoint_of(spec->op)->name;
    facts.place = spec->place;
    facts.is_immediate = spec->is_immediate;
    facts.operation = operation;
    if (spec->op == TS_OP_CREATE) {
        facts.name = spec->subject; // of a widget that is to be
    } else {
        facts.sitekey = spec->subject;
    }
    return ts_ledger_add(ledger, &facts);
}

size_t ts_door_note(
    struct ts_door *door, const struct ts_write_spec *spec, const struct ts_facts *facts)
{
    struct ts_journal_outcome outcome = {
        .state = facts->kind == TS_ENTRY_REFUSED ? TS_OPERATION_REFUSED
                 : facts->kind == TS_ENTRY_STALE ? TS_OPERATION_STALE
                                                 : TS_OPERATION_NOT_APPLIED,
        .error = facts->message,
    };
    struct ts_journal_intent intent = intent_of(spec);
    size_t operation = ts_recorder_note(&door->recorder, &intent, &outcome);
    return ledger_note(&door->ledger, spec, facts, operation);
}

static void on_call_done(void *owner, struct ts_call *call)
{
    struct ts_write *write = owner;
    (void)call;
    write->is_done = true;
    write->on_done(write->owner, write);
}

enum ts_err ts_write_start(struct ts_door *door, struct ts_client *client,
    const struct ts_write_spec *spec, ts_write_fn on_done, void *owner, struct ts_write **out,
    size_t *entry, struct ts_error *err)
{
    *out = NULL;
    *entry = 0;
    enum ts_err code = ts_door_check(door, spec, err);
    if (code == TS_ERR_REFUSED) {
        struct ts_facts facts = {
            .kind = TS_ENTRY_REFUSED,
            .message = err->message,
            .flag = flag_missing(door, spec),
            .wanted = kinds_of(spec),
        };
        *entry = ts_door_note(door, spec, &facts);
    }
    if (code) {
        return code;
    }
    struct ts_pool *pool = ts_client_pool(client);
    struct ts_write *write = ts_pool_take(pool, sizeof *write);
    if (!write) {
        return ts_error_set(err, TS_ERR_NOMEM, "out of memory");
    }
    *write = (struct ts_write){
        .door = door,
        .pool = pool,
        .spec = *spec,
        .operation = spec->operation,
        .on_done = on_done,
        .owner = owner,
    };
    write->spec.account = ts_client_account(client);
    *out = write; // before the call starts: on_done may come at once
    ts_permissions_use(&door->permissions, kinds_of(spec), 1);
    struct ts_call_spec call = {.op = spec->op,
        .sitekey = spec->sitekey,
        .body = spec->body,
        .body_len = spec->body_len,
        .start_before_us = spec->start_before_us};
    code = ts_call_write(client, &call, on_call_done, write, &write->call, err);
    if (code) {
        *out = NULL;
        ts_permissions_use(&door->permissions, kinds_of(spec), -1);
        ts_pool_release(pool, write, sizeof *write);
    }
    return code;
}

struct ts_answer *ts_write_answer(struct ts_write *write)
{
    return ts_call_answer(write->call);
}

static void journal_settle(struct ts_recorder *recorder, size_t operation,
    const struct ts_write_end *end, const struct ts_answer *answer)
{
    static const enum ts_operation_state states[] = {
        [TS_OUTCOME_DONE] = TS_OPERATION_DONE,
        [TS_OUTCOME_NOT_APPLIED] = TS_OPERATION_NOT_APPLIED,
        [TS_OUTCOME_UNKNOWN] = TS_OPERATION_UNKNOWN,
    };
    struct ts_journal_outcome outcome = {
        .state = states[end->outcome],
        .sitekey = end->sitekey,
        .after = end->after,
        .after_len = end->after_len,
        .after_mark = end->after_mark,
        .error = end->failure ? end->failure->message : NULL,
    };
    if (answer) {
        outcome.ray = answer->ray;
        outcome.status = answer->status;
        outcome.attempts = answer->attempts;
        outcome.duration_us = answer->duration_us;
    }
    ts_recorder_settle(recorder, operation, &outcome);
}

size_t ts_write_settle(struct ts_write *write, const struct ts_write_end *end)
{
    struct ts_door *door = write->door;
    const struct ts_answer *answer = write->is_done ? ts_call_answer(write->call) : NULL;
    write->is_settled = true;
    journal_settle(&door->recorder, write->operation, end, answer);
    if (end->outcome == TS_OUTCOME_DONE) {
        door->ledger.done[write->spec.op]++;
        door->ledger.done_at_once += write->spec.is_immediate;
        return 0;
    }
    struct ts_facts facts = *end->failure;
    facts.kind = end->outcome == TS_OUTCOME_UNKNOWN ? TS_ENTRY_WRITE_UNKNOWN : facts.kind;
    return ledger_note(&door->ledger, &write->spec, &facts, write->operation);
}

void ts_door_resolve(
    struct ts_door *door, size_t entry, enum ts_op op, const struct ts_write_end *end)
{
    bool is_done = end->outcome == TS_OUTCOME_DONE;
    if (is_done) { // else it has been sent again, which is noted as that ends
        journal_settle(&door->recorder, ts_ledger_operation(&door->ledger, entry), end, NULL);
    }
    ts_ledger_resolve(&door->ledger, entry, op, is_done);
}

void ts_door_refute(struct ts_door *door, size_t entry)
{
    struct ts_facts facts = {.message = "reading has shown that it was not applied"};
    struct ts_write_end end = {.outcome = TS_OUTCOME_NOT_APPLIED, .failure = &facts};
    journal_settle(&door->recorder, ts_ledger_operation(&door->ledger, entry), &end, NULL);
    ts_ledger_refute(&door->ledger, entry);
}

size_t ts_door_operation(const struct ts_door *door, size_t entry)
{
    return ts_ledger_operation(&door->ledger, entry);
}

void ts_door_forgive(struct ts_door *door, size_t entry, const char *why)
{
    ts_recorder_forgive(&door->recorder, ts_ledger_operation(&door->ledger, entry), why);
    ts_ledger_forgive(&door->ledger, entry, why);
}

// It counts as if it had never been started. In the journal it is when it drew a 429 before.
static void write_uncount(struct ts_write *write, const char *why)
{
    struct ts_facts facts = {.message = why};
    struct ts_write_end end = {.outcome = TS_OUTCOME_NOT_APPLIED, .failure = &facts};
    ts_permissions_use(&write->door->permissions, kinds_of(&write->spec), -1);
    write->is_settled = true;
    if (!write->spec.is_again) {
        journal_settle(&write->door->recorder, write->operation, &end, NULL);
    }
}

bool ts_write_take_late(struct ts_write *write)
{
    if (!write->is_done || write->is_settled || ts_call_answer(write->call)->code != TS_ERR_LATE) {
        return false;
    }
    write_uncount(write, "held up for too long after its widget was read, so read again first");
    return true;
}

bool ts_write_withdraw(struct ts_write *write)
{
    if (!write->call) {
        return true;
    }
    if (write->is_done || ts_call_is_started(write->call)) {
        return false;
    }
    write_uncount(write, WITHDRAWN);
    write->door->ledger.withdrawn++;
    ts_call_cancel(write->call);
    write->call = NULL;
    return true;
}

void ts_door_needs(const struct ts_door *door, struct ts_needs *out)
{
    *out = (struct ts_needs){0};
    for (size_t i = 0; i < door->ledger.len; i++) {
        const struct ts_entry *entry = &door->ledger.entries[i];
        bool is_refused = entry->facts.kind == TS_ENTRY_REFUSED && !entry->is_forgiven;
        for (int kind = 0; is_refused && kind < TS_ALLOW_COUNT; kind++) {
            out->count[kind] += (entry->facts.wanted >> kind) & 1;
        }
    }
}

// What a write came to whose answer nobody has looked at. A widget that was made is not done with
// as long as its sitekey is not known: nothing could be gone on with, or taken back.
static enum ts_outcome outcome_unseen(struct ts_write *write)
{
    enum ts_outcome outcome = ts_answer_outcome(ts_call_answer(write->call));
    bool is_nameless = outcome == TS_OUTCOME_DONE && write->spec.op == TS_OP_CREATE;
    return is_nameless ? TS_OUTCOME_UNKNOWN : outcome;
}

void ts_write_cancel(struct ts_write *write)
{
    if (!write) {
        return;
    }
    if (!write->is_settled && write->is_done && write->door->is_stopped &&
        ts_call_answer(write->call)->code == TS_ERR_CANCELLED) {
        write_uncount(write, WITHDRAWN);
        write->door->ledger.withdrawn++;
    }
    if (!write->is_settled) {
        enum ts_outcome outcome = TS_OUTCOME_NOT_APPLIED;
        struct ts_facts facts = {
            .kind = TS_ENTRY_WRITE_FAILED, .message = "dropped before it was sent"};
        if (write->is_done) {
            const struct ts_answer *answer = ts_call_answer(write->call);
            outcome = outcome_unseen(write);
            facts.message = answer->code ? answer->error.message : "its answer was not looked at";
            facts.status = answer->status;
            facts.ray = answer->ray;
        } else if (ts_call_has_left(write->call)) {
            outcome = TS_OUTCOME_UNKNOWN;
            facts.message = "dropped while the request was under way";
        }
        struct ts_write_end end = {.outcome = outcome, .failure = &facts};
        ts_write_settle(write, &end);
    }
    ts_call_cancel(write->call);
    ts_pool_release(write->pool, write, sizeof *write);
}
