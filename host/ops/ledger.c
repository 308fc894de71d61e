// SPDX-License-Identifier: MIT
// The run's record of failures in memory.
// Counting never fails; keeping the words may, and then the count still tells.
#include "host/ops/ledger.h"

#include <stdlib.h>
#include <string.h>

void ts_ledger_init(struct ts_ledger *ledger)
{
    *ledger = (struct ts_ledger){0};
}

void ts_ledger_fini(struct ts_ledger *ledger)
{
    for (size_t i = 0; i < ledger->len; i++) {
        free(ledger->entries[i].place);
        free(ledger->entries[i].message);
        free(ledger->entries[i].reason);
    }
    free(ledger->entries);
    *ledger = (struct ts_ledger){0};
}

static bool ledger_grow(struct ts_ledger *ledger)
{
    if (ledger->len < ledger->cap) {
        return true;
    }
    size_t cap = ledger->cap ? ledger->cap * 2 : 16;
    struct ts_entry *entries = reallocarray(ledger->entries, cap, sizeof *entries);
    if (!entries) {
        return false;
    }
    ledger->entries = entries;
    ledger->cap = cap;
    return true;
}

size_t ts_ledger_add(struct ts_ledger *ledger, enum ts_entry_kind kind, enum ts_op op,
    const char *place, const char *message)
{
    ledger->counts[kind]++;
    bool is_told = ledger->once && *ledger->once && strstr(message, ledger->once);
    if (is_told || !ledger_grow(ledger)) {
        return 0;
    }
    struct ts_entry entry = {
        .kind = kind, .op = op, .place = strdup(place), .message = strdup(message)};
    if (!entry.place || !entry.message) {
        free(entry.place);
        free(entry.message);
        return 0;
    }
    ledger->entries[ledger->len++] = entry;
    return ledger->len;
}

void ts_ledger_forgive(struct ts_ledger *ledger, size_t number, const char *reason)
{
    if (number < 1 || number > ledger->len) {
        return;
    }
    struct ts_entry *entry = &ledger->entries[number - 1];
    if (!entry->is_forgiven && !entry->is_resolved) {
        entry->is_forgiven = true;
        entry->reason = strdup(reason); // NULL is shown as no reason
        ledger->counts[entry->kind]--;
    }
}

void ts_ledger_resolve(struct ts_ledger *ledger, size_t number, enum ts_op op, bool is_done)
{
    if (number >= 1 && number <= ledger->len) {
        struct ts_entry *entry = &ledger->entries[number - 1];
        if (entry->kind != TS_ENTRY_WRITE_UNKNOWN || entry->is_resolved || entry->is_forgiven) {
            return;
        }
        entry->is_resolved = true;
    }
    if (ledger->counts[TS_ENTRY_WRITE_UNKNOWN] > 0) {
        ledger->counts[TS_ENTRY_WRITE_UNKNOWN]--;
        ledger->settled++;
        ledger->done[op] += is_done;
    }
}
