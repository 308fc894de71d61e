// SPDX-License-Identifier: MIT
// Faults on order: what shall go wrong with which request from now on.
// A gateway fault happens instead of the operation, unless it is told to happen after it.
#ifndef TS_SANDBOX_FAULT_H
#define TS_SANDBOX_FAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TS_SANDBOX_FAULTS_MAX 64
#define TS_SANDBOX_OP_NAME_MAX 16

enum ts_sandbox_fault_kind {
    TS_SANDBOX_FAULT_NONE,
    TS_SANDBOX_FAULT_429,      // refused by the rate limit
    TS_SANDBOX_FAULT_502,      // a gateway's HTML page
    TS_SANDBOX_FAULT_DROP,     // the connection closes without a reply
    TS_SANDBOX_FAULT_TRUNCATE, // half the body, then the connection closes
    TS_SANDBOX_FAULT_DELAY,    // the reply comes late
    TS_SANDBOX_FAULT_KINDS,
};

struct ts_sandbox_fault {
    enum ts_sandbox_fault_kind kind;
    char op[TS_SANDBOX_OP_NAME_MAX]; // "any", or the name of a route
    int64_t nth;                     // requests of that operation still to come before it, from 1
    int64_t times;                   // how often it happens, from then on; one by one
    int64_t ms;                      // DELAY: how late
    int64_t retry_after_s;           // 429
    bool is_applied;                 // the operation is carried out first
    int64_t hits;                    // how often it happened
};

struct ts_sandbox_faults {
    size_t count;
    struct ts_sandbox_fault faults[TS_SANDBOX_FAULTS_MAX];
};

// The name of a kind, and back; NONE when there is no such kind.
const char *ts_sandbox_fault_kind_name(enum ts_sandbox_fault_kind kind);
enum ts_sandbox_fault_kind ts_sandbox_fault_kind_find(const char *name);

// Whether a fault of this kind lets the operation happen when nothing else is said.
bool ts_sandbox_fault_kind_is_applied(enum ts_sandbox_fault_kind kind);

// Adds one; false when there are too many. Faults that are used up make room.
bool ts_sandbox_faults_add(struct ts_sandbox_faults *faults, const struct ts_sandbox_fault *fault);

// Removes all.
void ts_sandbox_faults_remove(struct ts_sandbox_faults *faults);

// Counts one request of an operation and says what goes wrong with it: the first fault that is
// due. The answer is a copy.
struct ts_sandbox_fault ts_sandbox_faults_next(struct ts_sandbox_faults *faults, const char *op);

#endif
