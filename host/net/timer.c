// SPDX-License-Identifier: MIT
// A binary heap of the armed timers, each of which knows its place in it, so that disarming is
// as cheap as arming and 100,000 of them cost microseconds.
#include "host/net/timer.h"

#include <stdlib.h>

#include "host/net/loop_private.h"

static bool timer_is_before(const struct ts_timer *a, const struct ts_timer *b)
{
    return a->at_us != b->at_us ? a->at_us < b->at_us : a->turn < b->turn;
}

static void heap_put(struct ts_timer_heap *heap, size_t slot, struct ts_timer *timer)
{
    heap->items[slot] = timer;
    timer->slot = slot;
}

// Finds the place of a timer whose neighbours are in order, starting from slot.
static void heap_settle(struct ts_timer_heap *heap, size_t slot, struct ts_timer *timer)
{
    while (slot > 0 && timer_is_before(timer, heap->items[(slot - 1) / 2])) {
        heap_put(heap, slot, heap->items[(slot - 1) / 2]);
        slot = (slot - 1) / 2;
    }
    for (;;) {
        size_t child = 2 * slot + 1;
        if (child + 1 < heap->len && timer_is_before(heap->items[child + 1], heap->items[child])) {
            child++;
        }
        if (child >= heap->len || !timer_is_before(heap->items[child], timer)) {
            break;
        }
        heap_put(heap, slot, heap->items[child]);
        slot = child;
    }
    heap_put(heap, slot, timer);
}

static enum ts_err heap_grow(struct ts_timer_heap *heap, struct ts_error *err)
{
    size_t cap = heap->cap ? heap->cap * 2 : 16;
    struct ts_timer **items = reallocarray(heap->items, cap, sizeof *items);
    if (!items) {
        return ts_error_set(err, TS_ERR_NOMEM, "out of memory for timers");
    }
    heap->items = items;
    heap->cap = cap;
    return TS_OK;
}

enum ts_err ts_timer_arm(struct ts_loop *loop, struct ts_timer *timer, int64_t at_us,
    ts_timer_fn on_fire, struct ts_error *err)
{
    struct ts_timer_heap *heap = &loop->timers;
    ts_timer_disarm(timer);
    if (heap->len == heap->cap) {
        enum ts_err code = heap_grow(heap, err);
        if (code) {
            return code;
        }
    }
    // Not before the moment that is being fired: behind everything that is due already.
    timer->at_us = at_us > heap->floor_us ? at_us : heap->floor_us;
    timer->turn = heap->armed++;
    timer->loop = loop;
    timer->on_fire = on_fire;
    heap->len++;
    heap_settle(heap, heap->len - 1, timer);
    return TS_OK;
}

void ts_timer_disarm(struct ts_timer *timer)
{
    if (!timer->loop) {
        return;
    }
    struct ts_timer_heap *heap = &timer->loop->timers;
    struct ts_timer *last = heap->items[--heap->len];
    if (last != timer) {
        heap_settle(heap, timer->slot, last);
    }
    timer->loop = NULL;
}

void ts_timer_fire_due(struct ts_loop *loop)
{
    struct ts_timer_heap *heap = &loop->timers;
    if (heap->len == 0) {
        return;
    }
    int64_t now = ts_loop_now(loop);
    uint64_t armed = heap->armed;
    heap->floor_us = now;
    while (heap->len > 0) {
        struct ts_timer *timer = heap->items[0];
        if (timer->at_us > now || timer->turn >= armed) {
            break;
        }
        ts_timer_disarm(timer);
        timer->on_fire(timer);
    }
}
