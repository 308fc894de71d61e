// SPDX-License-Identifier: MIT
// The run's record of failures in memory.
// Counting never fails; keeping the words may, and then the count still tells.
#include "host/ops/ledger.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void ts_ledger_init(struct ts_ledger *ledger)
{
    *ledger = (struct ts_ledger){0};
}

void ts_ledger_fini(struct ts_ledger *ledger)
{
    for (size_t i = 0; i < ledger->len; i++) {
        free(ledger->entries[i].texts);
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

static const char *text_or_empty(const char *text)
{
    return text ? text : "";
}

// Copies the texts of the entry's facts, all in one block but for the message, which may grow.
static bool entry_own(struct ts_entry *entry)
{
    struct ts_facts *facts = &entry->facts;
    const char **texts[] = {&facts->place, &facts->sitekey, &facts->name, &facts->ray};
    enum { COUNT = sizeof texts / sizeof texts[0] };
    size_t lens[COUNT], size = 0;
    for (size_t i = 0; i < COUNT; i++) {
        *texts[i] = text_or_empty(*texts[i]);
        lens[i] = strlen(*texts[i]) + 1;
        size += lens[i];
    }
    facts->op = text_or_empty(facts->op);
    facts->flag = text_or_empty(facts->flag);
    entry->texts = malloc(size);
    entry->message = strdup(text_or_empty(facts->message));
    if (!entry->texts || !entry->message) {
        free(entry->texts);
        free(entry->message);
        return false;
    }
    facts->message = entry->message;
    char *end = entry->texts;
    for (size_t i = 0; i < COUNT; i++) {
        memcpy(end, *texts[i], lens[i]);
        *texts[i] = end;
        end += lens[i];
    }
    return true;
}

size_t ts_ledger_add(struct ts_ledger *ledger, const struct ts_facts *facts)
{
    struct ts_entry entry = {.facts = *facts};
    ledger->counts[facts->kind]++;
    bool is_told =
        ledger->once && *ledger->once && facts->message && strstr(facts->message, ledger->once);
    if (is_told || !ledger_grow(ledger) || !entry_own(&entry)) {
        return 0;
    }
    ledger->entries[ledger->len++] = entry;
    return ledger->len;
}

static struct ts_entry *entry_of(struct ts_ledger *ledger, size_t number)
{
    return number >= 1 && number <= ledger->len ? &ledger->entries[number - 1] : NULL;
}

size_t ts_ledger_operation(const struct ts_ledger *ledger, size_t number)
{
    return number >= 1 && number <= ledger->len ? ledger->entries[number - 1].facts.operation : 0;
}

void ts_ledger_forgive(struct ts_ledger *ledger, size_t number, const char *reason)
{
    struct ts_entry *entry = entry_of(ledger, number);
    if (entry && !entry->is_forgiven && !entry->is_resolved) {
        entry->is_forgiven = true;
        entry->reason = strdup(reason); // NULL is shown as no reason
        ledger->counts[entry->facts.kind]--;
        ledger->forgiven++;
    }
}

// Takes a doubt out of the count: the entry's, or that of one that was not kept. False when there
// is none.
static bool end_doubt(struct ts_ledger *ledger, struct ts_entry *entry)
{
    bool is_open = !entry || (entry->facts.kind == TS_ENTRY_WRITE_UNKNOWN && !entry->is_resolved &&
                                 !entry->is_forgiven);
    if (!is_open || ledger->counts[TS_ENTRY_WRITE_UNKNOWN] == 0) {
        return false;
    }
    ledger->counts[TS_ENTRY_WRITE_UNKNOWN]--;
    ledger->settled++;
    return true;
}

void ts_ledger_resolve(struct ts_ledger *ledger, size_t number, enum ts_op op, bool is_done)
{
    struct ts_entry *entry = entry_of(ledger, number);
    if (!end_doubt(ledger, entry)) {
        return;
    }
    ledger->done[op] += is_done;
    if (entry) {
        ledger->done_at_once += is_done && entry->facts.is_immediate;
        entry->is_resolved = true;
    }
}

void ts_ledger_refute(struct ts_ledger *ledger, size_t number)
{
    struct ts_entry *entry = entry_of(ledger, number);
    if (!end_doubt(ledger, entry)) {
        return;
    }
    ledger->counts[TS_ENTRY_WRITE_FAILED]++;
    if (entry) {
        entry->facts.kind = TS_ENTRY_WRITE_FAILED;
    }
}

void ts_ledger_explain(struct ts_ledger *ledger, size_t number, const char *more)
{
    struct ts_entry *entry = entry_of(ledger, number);
    size_t len = entry ? strlen(entry->message) : 0, more_len = strlen(more);
    char *message = entry ? realloc(entry->message, len + more_len + sizeof "; ") : NULL;
    if (message) {
        snprintf(message + len, more_len + sizeof "; ", "; %s", more);
        entry->message = message;
        entry->facts.message = message;
    }
}
