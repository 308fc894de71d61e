// SPDX-License-Identifier: MIT
// The tree of tasks, and what a cancellation does to those in it. Iterative: chains of tasks may be
// longer than the C stack is deep.
#include "bindings/cancel.h"

#include "bindings/await.h"
#include "bindings/host.h"
#include "bindings/interrupt.h"
#include "bindings/sched.h"

void ts_task_attach(struct ts_task *task, struct ts_task *parent)
{
    task->parent = parent;
    if (parent) {
        task->next_sibling = parent->first_child;
        if (task->next_sibling) {
            task->next_sibling->prev_sibling = task;
        }
        parent->first_child = task;
    }
}

void ts_task_give_children(struct ts_task *task)
{
    while (task->first_child) {
        struct ts_task *child = task->first_child;
        task->first_child = child->next_sibling;
        child->prev_sibling = child->next_sibling = NULL;
        if (task->first_child) {
            task->first_child->prev_sibling = NULL;
        }
        ts_task_attach(child, task->parent);
    }
}

void ts_task_detach(struct ts_task *task)
{
    ts_task_give_children(task);
    if (task->next_sibling) {
        task->next_sibling->prev_sibling = task->prev_sibling;
    }
    if (task->prev_sibling) {
        task->prev_sibling->next_sibling = task->next_sibling;
    } else if (task->parent) {
        task->parent->first_child = task->next_sibling;
    }
    task->parent = task->next_sibling = task->prev_sibling = NULL;
}

bool ts_cancel_is_due(const struct ts_task *task)
{
    return task->is_cancelled && task->shields == 0;
}

bool ts_cancel_is_held(struct ts_task *task, struct ts_waiter *waiter)
{
    uint64_t *withdrawn = &task->sched->host->door->ledger.withdrawn;
    uint64_t before = *withdrawn;
    bool is_held = waiter->holds && waiter->holds(waiter);
    for (struct ts_task *scope = task; scope && *withdrawn > before; scope = scope->parent) {
        scope->withdrawn += *withdrawn - before;
    }
    return is_held;
}

// What the task waited for by itself is not waited for any more.
static void wait_forget(struct ts_task *task)
{
    ts_timer_disarm(&task->timer);
    ts_await_remove(task);
    task->is_parked = false;
}

static void cancel_one(struct ts_task *task)
{
    if (task->is_cancelled || ts_task_is_over(task)) {
        return;
    }
    task->is_cancelled = true;
    if (task->shields > 0 || !task->waiter || ts_cancel_is_held(task, task->waiter)) {
        return; // it is shielded, runs or is ready; or is woken by what it waits for
    }
    wait_forget(task);
    ts_waiter_wake(task->waiter);
}

// The task after this one among the descendants of root, parents first; NULL behind the last.
static struct ts_task *tree_next(const struct ts_task *root, struct ts_task *task)
{
    if (task->first_child) {
        return task->first_child;
    }
    while (task != root && !task->next_sibling) {
        task = task->parent;
    }
    return task == root ? NULL : task->next_sibling;
}

void ts_task_cancel_children(struct ts_task *task)
{
    for (struct ts_task *at = tree_next(task, task); at; at = tree_next(task, at)) {
        cancel_one(at);
    }
}

void ts_task_cancel(struct ts_task *task)
{
    if (!task->is_cancelled && !ts_task_is_over(task)) {
        cancel_one(task);
        ts_task_cancel_children(task);
    }
}

int lx_cancel(lua_State *L)
{
    struct ts_task *task = ts_host_of(L)->sched->current;
    task->is_interrupted = true;
    wait_forget(task);
    char place[LX_PLACE_MAX];
    lx_place(L, place);
    struct lx_failure failure = {.kind = "cancelled",
        .message = task->is_timed_out ? "the task was cancelled: its time limit has passed"
                                      : "the task was cancelled",
        .place = place};
    push_failure(L, &failure);
    lua_error(L);
    __builtin_unreachable();
}

void check_can_start(lua_State *L)
{
    struct ts_sched *sched = ts_host_of(L)->sched;
    if (ts_interrupt_is_due(sched)) {
        lx_interrupt(L);
    }
    if (sched->current && ts_cancel_is_due(sched->current)) {
        lx_cancel(L);
    }
}
