// SPDX-License-Identifier: MIT
// `tshost plan`: runs the script against a copy of the account and tells what it would change.
#ifndef TS_RUNTIME_PLAN_H
#define TS_RUNTIME_PLAN_H

#include <stdbool.h>

#include "host/runtime/config.h"

struct ts_plan_options {
    const char *file; // where the plan is saved; NULL: nowhere
    bool is_json;     // the plan file itself is printed in place of the text for people
};

// Returns the exit status: 3 when there are changes, 0 when there are none, else what ended the
// script; then there is no plan. What the script may do (config->permissions) is only compared with
// what the plan takes.
int ts_plan(const struct ts_config *config, const struct ts_plan_options *options);

#endif
