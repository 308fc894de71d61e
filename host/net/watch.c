// SPDX-License-Identifier: MIT
// The list of watches, and the arrays that the two polls want.
// libcurl's poll waits for all of them but reports no hang-up, so poll(2) is asked once more.
#include "host/net/watch.h"

#include <stdlib.h>

#include "host/net/loop_private.h"

static enum ts_err arrays_grow(struct ts_watch_list *list, struct ts_error *err)
{
    size_t cap = list->cap ? list->cap * 2 : 4;
    while (cap < list->len + 1) {
        cap *= 2;
    }
    struct curl_waitfd *waits = reallocarray(list->waits, cap, sizeof *waits);
    if (waits) {
        list->waits = waits;
    }
    struct pollfd *polls = reallocarray(list->polls, cap, sizeof *polls);
    if (polls) {
        list->polls = polls;
    }
    if (!waits || !polls) {
        return ts_error_set(err, TS_ERR_NOMEM, "out of memory for watches");
    }
    list->cap = cap;
    return TS_OK;
}

void ts_watch_add(
    struct ts_loop *loop, struct ts_watch *watch, int fd, short events, ts_watch_fn on_ready)
{
    ts_watch_remove(watch);
    struct ts_watch_list *list = &loop->watches;
    *watch = (struct ts_watch){.loop = loop, .fd = fd, .events = events, .on_ready = on_ready};
    watch->next = list->first;
    if (list->first) {
        list->first->prev = watch;
    }
    list->first = watch;
    list->len++;
}

void ts_watch_remove(struct ts_watch *watch)
{
    if (!watch->loop) {
        return;
    }
    struct ts_watch_list *list = &watch->loop->watches;
    if (list->cursor == watch) {
        list->cursor = watch->next;
    }
    if (watch->next) {
        watch->next->prev = watch->prev;
    }
    if (watch->prev) {
        watch->prev->next = watch->next;
    } else {
        list->first = watch->next;
    }
    list->len--;
    watch->loop = NULL;
}

enum ts_err ts_watch_prepare(struct ts_loop *loop, struct ts_error *err)
{
    struct ts_watch_list *list = &loop->watches;
    if (list->len + 1 > list->cap) {
        enum ts_err code = arrays_grow(list, err);
        if (code) {
            return code;
        }
    }
    size_t n = 0;
    list->waits[n++] = (struct curl_waitfd){.fd = loop->wake_fd, .events = CURL_WAIT_POLLIN};
    for (struct ts_watch *watch = list->first; watch; watch = watch->next) {
        short events = 0;
        events |= watch->events & POLLIN ? CURL_WAIT_POLLIN : 0;
        events |= watch->events & POLLPRI ? CURL_WAIT_POLLPRI : 0;
        events |= watch->events & POLLOUT ? CURL_WAIT_POLLOUT : 0;
        list->waits[n++] = (struct curl_waitfd){.fd = watch->fd, .events = events};
        watch->revents = 0;
    }
    return TS_OK;
}

void ts_watch_look(struct ts_loop *loop)
{
    struct ts_watch_list *list = &loop->watches;
    size_t n = 0;
    for (struct ts_watch *watch = list->first; watch; watch = watch->next) {
        list->polls[n++] = (struct pollfd){.fd = watch->fd, .events = watch->events};
    }
    if (poll(list->polls, n, 0) <= 0) {
        return;
    }
    n = 0;
    for (struct ts_watch *watch = list->first; watch; watch = watch->next) {
        watch->revents = list->polls[n++].revents;
    }
}

void ts_watch_call_ready(struct ts_loop *loop)
{
    struct ts_watch_list *list = &loop->watches;
    list->cursor = list->first;
    while (list->cursor) {
        struct ts_watch *watch = list->cursor;
        list->cursor = watch->next;
        short revents = watch->revents;
        if (revents) {
            watch->revents = 0;
            watch->on_ready(watch, revents);
        }
    }
}
