// SPDX-License-Identifier: MIT
// One block of memory each: the struct, and its texts behind it.
#include "host/ops/pending.h"

#include <stdlib.h>
#include <string.h>

// A text to be copied: where its pointer stands, and how long it is.
struct text {
    const char **place;
    size_t len;
};

static struct text text_of(const char **place)
{
    return (struct text){place, *place ? strlen(*place) : 0};
}

// Copies the struct and the texts that its pointers show.
static struct ts_pending *pending_copy(
    const struct ts_pending *pending, const struct text *texts, size_t count)
{
    size_t size = sizeof *pending;
    for (size_t i = 0; i < count; i++) {
        size += *texts[i].place ? texts[i].len + 1 : 0;
    }
    struct ts_pending *copy = malloc(size);
    if (!copy) {
        return NULL;
    }
    *copy = *pending;
    char *room = (char *)(copy + 1);
    for (size_t i = 0; i < count; i++) {
        size_t offset = (size_t)((const char *)texts[i].place - (const char *)pending);
        const char **place = (const char **)(void *)((char *)copy + offset);
        if (*place) {
            memcpy(room, *place, texts[i].len);
            room[texts[i].len] = '\0';
            *place = room;
            room += texts[i].len + 1;
        }
    }
    return copy;
}

struct ts_pending *ts_pending_add(size_t handle, const struct ts_journal_intent *intent)
{
    struct ts_pending pending = {.kind = TS_PENDING_ADD, .handle = handle, .intent = *intent};
    struct ts_journal_intent *its = &pending.intent;
    const struct text texts[] = {
        text_of(&its->op),
        text_of(&its->account),
        text_of(&its->sitekey),
        text_of(&its->name),
        text_of(&its->place),
        {&its->body, its->body_len},
        {&its->before, its->before_len},
        text_of(&its->before_mark),
    };
    return pending_copy(&pending, texts, sizeof texts / sizeof texts[0]);
}

struct ts_pending *ts_pending_settle(size_t handle, const struct ts_journal_outcome *outcome)
{
    struct ts_pending pending = {.kind = TS_PENDING_SETTLE, .handle = handle, .outcome = *outcome};
    struct ts_journal_outcome *its = &pending.outcome;
    const struct text texts[] = {
        text_of(&its->sitekey),
        {&its->after, its->after_len},
        text_of(&its->after_mark),
        text_of(&its->error),
        text_of(&its->ray),
    };
    return pending_copy(&pending, texts, sizeof texts / sizeof texts[0]);
}

struct ts_pending *ts_pending_forgive(size_t handle, const char *why)
{
    struct ts_pending pending = {.kind = TS_PENDING_FORGIVE, .handle = handle, .why = why};
    const struct text texts[] = {text_of(&pending.why)};
    return pending_copy(&pending, texts, 1);
}

void ts_pending_free(struct ts_pending *first)
{
    while (first) {
        struct ts_pending *next = first->next;
        free(first);
        first = next;
    }
}
