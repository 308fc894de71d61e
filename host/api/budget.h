// SPDX-License-Identifier: MIT
// The rate budget of one credential at one origin: asked before each request, told of each answer.
// Clients with the same credential share one, and through a store so do all processes.
#ifndef TS_API_BUDGET_H
#define TS_API_BUDGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/api/wait.h"
#include "host/base/error.h"

struct ts_budget;
struct ts_log;
struct ts_loop;
struct ts_queue;

// Changes the record of `size` bytes; is_found tells whether it holds what an earlier update left
// (else it is zeroed). Returns whether it is to be kept.
typedef bool (*ts_budget_update_fn)(void *owner, void *record, size_t size, bool is_found);

// Where records live that several processes share. api knows no store: runtime glues one here.
struct ts_budget_store {
    // Calls fn once with the record named key, while no other process can see or change it.
    enum ts_err (*update)(void *self, const char *key, void *record, size_t size,
        ts_budget_update_fn fn, void *owner, struct ts_error *err);
    void *self;
    const char *place; // for people: the file; must outlive the budgets; NULL: none
};

// So many requests in so long.
struct ts_budget_rate {
    int64_t requests;
    int64_t window_us;
    bool is_given; // by the user: the server may lower it but not raise it
};

#define TS_BUDGET_REQUESTS 1200 // per user, as the service documents it
#define TS_BUDGET_WINDOW_US (300 * 1000000LL)

struct ts_budget_config {
    struct ts_loop *loop;   // must outlive the budget
    struct ts_queue *queue; // must outlive the budget
    struct ts_log *log;     // for warnings and long waits; NULL: none
    struct ts_budget_rate rate;
    int64_t reserve_percent;             // of the quota, left to others
    const struct ts_budget_store *store; // copied; NULL: counted by this process alone
    const char *key;                     // copied; names the record; not a secret
};

// NOMEM.
enum ts_err ts_budget_create(
    const struct ts_budget_config *config, struct ts_budget **out, struct ts_error *err);

// Returns what was not used and settles what has ended. Its clients must be gone. NULL is fine.
void ts_budget_destroy(struct ts_budget *budget);

// Takes permission to start one request now. False: not yet; the queue is advanced when that may
// have changed. Each permission taken is given back once.
bool ts_budget_take(struct ts_budget *budget);

// Ends the request that a permission was taken for. is_sent: bytes of it may have reached the
// server, so that it counts; else the permission comes back unused. ratelimit and policy are the
// answer's headers `Ratelimit` and `Ratelimit-Policy`, NULL when there is none.
void ts_budget_give(
    struct ts_budget *budget, bool is_sent, const char *ratelimit, const char *policy);

// The server refused a request as one too many (429): no process starts anything until so many
// seconds have passed; -1: it did not say, which is taken as the whole window.
void ts_budget_pause(struct ts_budget *budget, int64_t seconds);

// The budget as this machine sees it.
struct ts_budget_view {
    int64_t limit; // requests in a window
    int64_t window_us;
    int64_t left;        // requests that could start now, as far as is known
    int64_t reserve;     // requests that are left to others
    int64_t others;      // what somebody else uses in a window, as far as is known
    int64_t paused_us;   // until the end of a pause, 0 without one
    int64_t wait_us;     // until the next request may start, 0: now
    struct ts_wait wait; // why requests are held back; until_us is a span from now
    int64_t held_us;     // how long those of this process have been for that reason
    int64_t waited_us;   // how long they have been in all, for reasons that are worth a word
    int64_t in_flight;   // of all processes
    int64_t requests;    // taken by this process so far
    bool is_heard;       // the server has said how many are left
    bool is_shared;      // with other processes of this machine
};

// Looks, and changes nothing.
void ts_budget_look(struct ts_budget *budget, struct ts_budget_view *view);

// How long so many requests take from now when nobody else sends any, in microseconds.
int64_t ts_budget_estimate_us(struct ts_budget *budget, int64_t requests);

#endif
