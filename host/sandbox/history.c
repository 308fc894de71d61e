// SPDX-License-Identifier: MIT
// A ring that doubles until it has its full size.
#include "host/sandbox/history.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "host/base/str.h"
#include "host/sandbox/utf8.h"

// While it grows the ring is in order from its start, because nothing is overwritten yet.
static bool history_grow(struct ts_sandbox_history *history)
{
    size_t cap = history->cap ? history->cap * 2 : 256;
    if (cap > TS_SANDBOX_HISTORY_MAX) {
        cap = TS_SANDBOX_HISTORY_MAX;
    }
    void *entries = reallocarray(history->entries, cap, sizeof *history->entries);
    if (!entries) {
        return false;
    }
    history->entries = entries;
    history->cap = cap;
    return true;
}

void ts_sandbox_history_add(struct ts_sandbox_history *history, int64_t wall_us, int status,
    const char *op, const char *method, const char *path)
{
    bool has_room = history->count < history->cap || history->cap == TS_SANDBOX_HISTORY_MAX ||
                    history_grow(history);
    char clean[TS_SANDBOX_HISTORY_PATH_MAX];
    ts_sandbox_utf8_clean(clean, sizeof clean, path);
    char *copy = strdup(clean);
    if (!has_room || !copy) {
        free(copy);
        ts_sandbox_history_clear(history);
        return;
    }
    struct ts_sandbox_history_entry *entry = &history->entries[history->total % history->cap];
    if (history->count == history->cap) {
        free(entry->path);
    } else {
        history->count++;
    }
    *entry = (struct ts_sandbox_history_entry){
        .wall_us = wall_us, .status = status, .op = op, .path = copy};
    ts_str_copy(entry->method, sizeof entry->method, method);
    history->total++;
}

const struct ts_sandbox_history_entry *ts_sandbox_history_at(
    const struct ts_sandbox_history *history, size_t i, int64_t *seq)
{
    int64_t index = history->total - (int64_t)history->count + (int64_t)i;
    *seq = index + 1;
    return &history->entries[(size_t)index % history->cap];
}

void ts_sandbox_history_clear(struct ts_sandbox_history *history)
{
    for (size_t i = 0; i < history->count; i++) {
        int64_t seq;
        free(ts_sandbox_history_at(history, i, &seq)->path);
    }
    free(history->entries);
    *history = (struct ts_sandbox_history){0};
}
