// SPDX-License-Identifier: MIT
// The order of precedence of exit statuses as a table.
// What the ledger counted cannot be talked away by os.exit(0).
#include "host/runtime/exit_status.h"

#include <signal.h>
#include <stddef.h>

static const struct {
    enum ts_entry_kind kind;
    enum ts_exit status;
} precedence[] = {
    {TS_ENTRY_CREDENTIALS, TS_EXIT_CREDENTIALS},
    {TS_ENTRY_LOCKED, TS_EXIT_LOCKED},
    {TS_ENTRY_REFUSED, TS_EXIT_REFUSED},
    {TS_ENTRY_STALE, TS_EXIT_STALE},
    {TS_ENTRY_JOURNAL, TS_EXIT_UNREACHABLE},
    {TS_ENTRY_READ_FAILED, TS_EXIT_UNREACHABLE},
    {TS_ENTRY_WRITE_UNSENT, TS_EXIT_UNREACHABLE},
    {TS_ENTRY_WRITE_FAILED, TS_EXIT_PARTIAL},
    {TS_ENTRY_DELIVERY, TS_EXIT_PARTIAL},
    {TS_ENTRY_USAGE, TS_EXIT_USAGE},
    {TS_ENTRY_SCRIPT, TS_EXIT_SCRIPT},
};

int ts_exit_choose(const struct ts_ledger *ledger, const struct ts_exit_causes *causes)
{
    if (ledger->counts[TS_ENTRY_WRITE_UNKNOWN]) {
        return TS_EXIT_UNKNOWN;
    }
    if (causes->signal) {
        // The table of statuses knows two; a lost terminal is a request to end.
        return TS_EXIT_SIGNAL + (causes->signal == SIGINT ? SIGINT : SIGTERM);
    }
    for (size_t i = 0; i < sizeof precedence / sizeof precedence[0]; i++) {
        enum ts_exit status = precedence[i].status;
        bool is_cut = (causes->is_expired && status == TS_EXIT_PARTIAL) ||
                      (causes->is_given_up && status == TS_EXIT_UNREACHABLE);
        if (is_cut || ledger->counts[precedence[i].kind]) {
            return status;
        }
    }
    if (causes->has_failed) {
        return TS_EXIT_SCRIPT;
    }
    return causes->requested >= 0 ? causes->requested : TS_EXIT_DONE;
}

const char *ts_exit_word(int status)
{
    static const char *const words[] = {
        [TS_EXIT_DONE] = "done",
        [TS_EXIT_SCRIPT] = "failed",
        [TS_EXIT_USAGE] = "usage",
        [TS_EXIT_FINDINGS] = "findings",
        [TS_EXIT_PARTIAL] = "partial",
        [TS_EXIT_REFUSED] = "refused",
        [TS_EXIT_STALE] = "stale",
        [TS_EXIT_LOCKED] = "locked",
        [TS_EXIT_CREDENTIALS] = "credentials",
        [TS_EXIT_UNREACHABLE] = "unreachable",
        [TS_EXIT_UNKNOWN] = "unsettled",
    };
    if (status >= 0 && (size_t)status < sizeof words / sizeof words[0]) {
        return words[status];
    }
    return status == TS_EXIT_SIGNAL + SIGINT || status == TS_EXIT_SIGNAL + SIGTERM ? "interrupted"
                                                                                   : "failed";
}
