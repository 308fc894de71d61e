// SPDX-License-Identifier: MIT
// Open addressing over the hash of texts in digest.c. Two of a million sitekeys collide with a
// chance of about 3 in 10^8; the row would then be taken for a repeat and the count not come out.
#include "bindings/seen.h"

#include <stdlib.h>

#include "bindings/digest.h"

uint64_t ts_seen_hash(const char *text, size_t len)
{
    uint64_t hash = lx_digest_text(0, text, len);
    return hash ? hash : 1;
}

// Where the hash is, or would go.
static size_t slot_find(const uint64_t *slots, size_t cap, uint64_t hash)
{
    size_t i = hash & (cap - 1);
    while (slots[i] && slots[i] != hash) {
        i = (i + 1) & (cap - 1);
    }
    return i;
}

static bool slot_take(uint64_t *slots, size_t cap, uint64_t hash)
{
    size_t i = slot_find(slots, cap, hash);
    bool is_new = slots[i] == 0;
    slots[i] = hash;
    return is_new;
}

static enum ts_err seen_grow(struct ts_seen *seen)
{
    size_t cap = seen->cap ? seen->cap * 2 : 2048;
    uint64_t *slots = calloc(cap, sizeof *slots);
    if (!slots) {
        return TS_ERR_NOMEM;
    }
    for (size_t i = 0; i < seen->cap; i++) {
        if (seen->slots[i]) {
            slot_take(slots, cap, seen->slots[i]);
        }
    }
    free(seen->slots);
    seen->slots = slots;
    seen->cap = cap;
    return TS_OK;
}

enum ts_err ts_seen_add(struct ts_seen *seen, const char *text, size_t len, bool *is_new)
{
    if (seen->count >= seen->cap / 4 * 3) {
        enum ts_err code = seen_grow(seen);
        if (code) {
            return code;
        }
    }
    *is_new = slot_take(seen->slots, seen->cap, ts_seen_hash(text, len));
    seen->count += *is_new;
    return TS_OK;
}

bool ts_seen_has(const struct ts_seen *seen, const char *text, size_t len)
{
    return seen->cap > 0 &&
           seen->slots[slot_find(seen->slots, seen->cap, ts_seen_hash(text, len))] != 0;
}

void ts_seen_fini(struct ts_seen *seen)
{
    free(seen->slots);
    *seen = (struct ts_seen){0};
}
