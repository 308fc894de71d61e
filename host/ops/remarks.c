// SPDX-License-Identifier: MIT
// A list short enough to be searched from its end, where the same remark was made last.
#include "host/ops/remarks.h"

#include <stdlib.h>
#include <string.h>

#include "host/base/str.h"

static struct ts_remark *remarks_find(
    struct ts_remarks *remarks, const char *place, const char *text)
{
    for (size_t i = remarks->len; i > 0; i--) {
        struct ts_remark *item = &remarks->items[i - 1];
        if (ts_str_is(item->text, text) && ts_str_is(item->place, place)) {
            return item;
        }
    }
    return NULL;
}

static struct ts_remark *remarks_grow(struct ts_remarks *remarks)
{
    if (remarks->len == TS_REMARKS_MAX) {
        return NULL;
    }
    if (remarks->len == remarks->cap) {
        size_t cap = remarks->cap ? remarks->cap * 2 : 8;
        struct ts_remark *items = reallocarray(remarks->items, cap, sizeof *items);
        if (!items) {
            return NULL;
        }
        remarks->items = items;
        remarks->cap = cap;
    }
    return &remarks->items[remarks->len];
}

void ts_remarks_add(struct ts_remarks *remarks, const char *place, const char *text)
{
    struct ts_remark *item = remarks_find(remarks, place, text);
    if (item) {
        item->count++;
        return;
    }
    item = remarks_grow(remarks);
    if (item) {
        *item = (struct ts_remark){strdup(place), strdup(text), 1};
    }
    if (item && item->place && item->text) {
        remarks->len++;
        return;
    }
    if (item) {
        free(item->place);
        free(item->text);
    }
    remarks->more++;
}

void ts_remarks_fini(struct ts_remarks *remarks)
{
    for (size_t i = 0; i < remarks->len; i++) {
        free(remarks->items[i].place);
        free(remarks->items[i].text);
    }
    free(remarks->items);
    *remarks = (struct ts_remarks){0};
}
