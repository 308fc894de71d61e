// SPDX-License-Identifier: MIT
// The list of ordered faults. Every fault counts the requests it could have met, also those that
// another fault took, so that "the third create" means the third create.
#include "host/sandbox/fault.h"

#include "host/base/str.h"

static const struct {
    const char *name;
    bool is_applied;
} kinds[TS_SANDBOX_FAULT_KINDS] = {
    [TS_SANDBOX_FAULT_NONE] = {"", true},
    [TS_SANDBOX_FAULT_429] = {"429", false},
    [TS_SANDBOX_FAULT_502] = {"502", false},
    [TS_SANDBOX_FAULT_DROP] = {"drop", true},
    [TS_SANDBOX_FAULT_TRUNCATE] = {"truncate", true},
    [TS_SANDBOX_FAULT_DELAY] = {"delay", true},
};

const char *ts_sandbox_fault_kind_name(enum ts_sandbox_fault_kind kind)
{
    return kinds[kind].name;
}

enum ts_sandbox_fault_kind ts_sandbox_fault_kind_find(const char *name)
{
    for (int i = TS_SANDBOX_FAULT_NONE + 1; i < TS_SANDBOX_FAULT_KINDS; i++) {
        if (ts_str_is(kinds[i].name, name)) {
            return (enum ts_sandbox_fault_kind)i;
        }
    }
    return TS_SANDBOX_FAULT_NONE;
}

bool ts_sandbox_fault_kind_is_applied(enum ts_sandbox_fault_kind kind)
{
    return kinds[kind].is_applied;
}

bool ts_sandbox_faults_add(struct ts_sandbox_faults *faults, const struct ts_sandbox_fault *fault)
{
    size_t kept = 0;
    for (size_t i = 0; i < faults->count; i++) {
        if (faults->count < TS_SANDBOX_FAULTS_MAX || faults->faults[i].times > 0) {
            faults->faults[kept++] = faults->faults[i];
        }
    }
    faults->count = kept;
    if (faults->count == TS_SANDBOX_FAULTS_MAX) {
        return false;
    }
    faults->faults[faults->count++] = *fault;
    return true;
}

void ts_sandbox_faults_remove(struct ts_sandbox_faults *faults)
{
    faults->count = 0;
}

struct ts_sandbox_fault ts_sandbox_faults_next(struct ts_sandbox_faults *faults, const char *op)
{
    struct ts_sandbox_fault found = {.kind = TS_SANDBOX_FAULT_NONE};
    for (size_t i = 0; i < faults->count; i++) {
        struct ts_sandbox_fault *fault = &faults->faults[i];
        if (!ts_str_is(fault->op, "any") && !ts_str_is(fault->op, op)) {
            continue;
        }
        if (fault->nth > 1) {
            fault->nth--;
        } else if (fault->times > 0 && found.kind == TS_SANDBOX_FAULT_NONE) {
            fault->times--;
            fault->hits++;
            found = *fault;
        }
    }
    return found;
}
