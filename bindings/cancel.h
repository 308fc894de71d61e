// SPDX-License-Identifier: MIT
// Cancelling tasks: a task and all it has spawned, each at its next wait. Tasks form a tree: who
// fails or is cancelled takes along what it spawned.
#ifndef TS_BINDINGS_CANCEL_H
#define TS_BINDINGS_CANCEL_H

#include <stdbool.h>

#include <lua.h>

#include "bindings/lx.h"

struct ts_task;
struct ts_waiter;

// Cancels the task and its descendants. Those that wait are woken, unless their wait holds (see
// ts_waiter) or they are shielded. A task that has ended, or was cancelled before, is left alone.
// Needs no Lua: safe from loop callbacks.
void ts_task_cancel(struct ts_task *task);

// Cancels what the task has spawned, but not the task.
void ts_task_cancel_children(struct ts_task *task);

// Hangs a new task under its parent, which may be NULL.
void ts_task_attach(struct ts_task *task, struct ts_task *parent);

// Takes a task that has ended out of the tree; its children become its parent's.
void ts_task_detach(struct ts_task *task);

// Gives the children of a task that goes on to its parent.
void ts_task_give_children(struct ts_task *task);

// Whether the running task has a cancellation to come that nothing shields it from.
bool ts_cancel_is_due(const struct ts_task *task);

// Whether the wait of a cancelled task holds; one that does not has been given up.
bool ts_cancel_is_held(struct ts_task *task, struct ts_waiter *waiter);

// Raises the cancellation in the running task; from then on no protected call in it swallows an
// error.
TS_RAISES int lx_cancel(lua_State *L) __attribute__((noreturn));

// Raises where the running task may start nothing new: the run is stopping, or it was cancelled.
TS_RAISES void check_can_start(lua_State *L);

#endif
