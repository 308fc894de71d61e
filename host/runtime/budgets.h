// SPDX-License-Identifier: MIT
// The rate budgets of a run: one for each credential at each origin, whatever clients use them, all
// shared with other processes through one store.
#ifndef TS_RUNTIME_BUDGETS_H
#define TS_RUNTIME_BUDGETS_H

#include <stdbool.h>

#include "host/api/budget.h"
#include "host/api/credentials.h"
#include "host/base/progress.h"
#include "host/state/directory.h"

struct ts_store;

struct ts_budgets {
    struct ts_budget_config config; // what they have in common
    bool is_private;                // nothing is shared: the sandbox is this run's alone
    struct ts_directory *directory; // borrowed; where the store is, unless they are private
    bool is_open;                   // the store was opened, or could not be
    struct ts_store *store;
    struct ts_budget_store face;        // what budgets see of it
    char place[TS_STATE_PATH_MAX + 64]; // of the store, for people;
    struct ts_budgets_item *first;
};

// The budget of these credentials at the origin of base_url, the same for the same; lives until
// fini. A store that cannot be opened is told once and done without. NOMEM.
enum ts_err ts_budgets_find(struct ts_budgets *budgets, const struct ts_credentials *credentials,
    const char *base_url, struct ts_budget **out, struct ts_error *err);

// What the progress asks: of the budget that this run has sent most requests on.
struct ts_progress_source ts_budgets_progress(struct ts_budgets *budgets);

// How long requests of that budget were held back by it, in microseconds.
int64_t ts_budgets_waited_us(struct ts_budgets *budgets);

// Ends them all and closes the store; before the loop goes. Accepts a zeroed struct, may run twice.
void ts_budgets_fini(struct ts_budgets *budgets);

#endif
