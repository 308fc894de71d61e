// SPDX-License-Identifier: MIT
// Other descriptors that the loop waits for beside its transfers: child processes, pipes.
// Embedded in its owner, like a timer; it stays until it is removed.
#ifndef TS_NET_WATCH_H
#define TS_NET_WATCH_H

#include "host/base/error.h"

struct ts_loop;
struct ts_watch;

// revents as poll(2) gives them: POLLHUP, POLLERR and POLLNVAL come unasked. Other callbacks ran
// since, so read and write without blocking.
typedef void (*ts_watch_fn)(struct ts_watch *watch, short revents);

struct ts_watch {
    struct ts_loop *loop; // NULL while not watched
    int fd;               // the owner's
    short events;         // POLLIN, POLLOUT
    short revents;        // the loop's: what the last wait found and on_ready has yet to hear
    ts_watch_fn on_ready; // called from ts_loop_turn, every turn for as long as fd is ready
    struct ts_watch *next;
    struct ts_watch *prev;
};

// Watches fd until removed; a watch that is there already is changed. Cannot fail; the watch is
// zeroed before its first use; fd stays the owner's, who removes the watch before closing it.
void ts_watch_add(
    struct ts_loop *loop, struct ts_watch *watch, int fd, short events, ts_watch_fn on_ready);

// Does nothing for a zeroed or idle watch. Safe inside any watch's callback.
void ts_watch_remove(struct ts_watch *watch);

#endif
