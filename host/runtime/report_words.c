// SPDX-License-Identifier: MIT
// Tables of words: a kind of failure is added here, and both forms of the summary have it.
#include "host/runtime/report_words.h"

#include <stddef.h>

static const struct ts_kind_words kinds[TS_ENTRY_KIND_COUNT] = {
    [TS_ENTRY_WRITE_FAILED] = {"failed", "failed", TS_STYLE_BAD},
    [TS_ENTRY_WRITE_UNSENT] = {"not sent", "unsent", TS_STYLE_BAD},
    [TS_ENTRY_WRITE_UNKNOWN] = {"in doubt", "in_doubt", TS_STYLE_BAD},
    [TS_ENTRY_STALE] = {"stale", "stale", TS_STYLE_WARN},
    [TS_ENTRY_REFUSED] = {"refused", "refused", TS_STYLE_WARN},
    [TS_ENTRY_READ_FAILED] = {"failed", "reads_failed", TS_STYLE_BAD},
    [TS_ENTRY_CREDENTIALS] = {"credentials", "credentials", TS_STYLE_BAD},
    [TS_ENTRY_USAGE] = {"failed", "usage", TS_STYLE_BAD},
    [TS_ENTRY_SCRIPT] = {"failed", "script", TS_STYLE_BAD},
    [TS_ENTRY_DELIVERY] = {"failed", "undelivered", TS_STYLE_BAD},
    [TS_ENTRY_LOCKED] = {"locked", "locked", TS_STYLE_WARN},
    [TS_ENTRY_JOURNAL] = {"not recorded", "unrecorded", TS_STYLE_BAD},
};

const struct ts_kind_words *ts_report_kind(enum ts_entry_kind kind)
{
    return &kinds[kind];
}

const enum ts_entry_kind *ts_report_order(void)
{
    static const enum ts_entry_kind order[] = {
        TS_ENTRY_WRITE_UNKNOWN,
        TS_ENTRY_CREDENTIALS,
        TS_ENTRY_LOCKED,
        TS_ENTRY_REFUSED,
        TS_ENTRY_STALE,
        TS_ENTRY_JOURNAL,
        TS_ENTRY_WRITE_UNSENT,
        TS_ENTRY_WRITE_FAILED,
        TS_ENTRY_DELIVERY,
        TS_ENTRY_READ_FAILED,
        TS_ENTRY_USAGE,
        TS_ENTRY_SCRIPT,
    };
    _Static_assert(sizeof order / sizeof order[0] == TS_ENTRY_KIND_COUNT, "each kind has a place");
    return order;
}

size_t ts_report_figures(const struct ts_ledger *ledger, struct ts_figure *out)
{
    const uint64_t *done = ledger->done, *counts = ledger->counts, *delivered = ledger->delivered;
    const struct ts_figure figures[] = {
        {"created", NULL, "created", TS_FIGURE_DONE, done[TS_OP_CREATE]},
        {"updated", NULL, "updated", TS_FIGURE_DONE, done[TS_OP_UPDATE]},
        {"deleted", NULL, "deleted", TS_FIGURE_DONE, done[TS_OP_DELETE]},
        {"rotated", NULL, "rotated", TS_FIGURE_DONE, done[TS_OP_ROTATE], ledger->done_at_once,
            "at once"},
        {"secret written", "secrets written", "written", TS_FIGURE_DONE,
            delivered[TS_DELIVERY_WRITE]},
        {"secret piped", "secrets piped", "piped", TS_FIGURE_DONE, delivered[TS_DELIVERY_PIPE]},
        {"unchanged", NULL, "unchanged", TS_FIGURE_NEUTRAL, ledger->unchanged},
        {"done before", NULL, "replayed", TS_FIGURE_NEUTRAL, ledger->replayed},
        {"failed", NULL, "failed", TS_FIGURE_FAILED, counts[TS_ENTRY_WRITE_FAILED]},
        {"not sent", NULL, "unsent", TS_FIGURE_FAILED, counts[TS_ENTRY_WRITE_UNSENT]},
        {"not recorded", NULL, "unrecorded", TS_FIGURE_FAILED, counts[TS_ENTRY_JOURNAL]},
        {"secret not delivered", "secrets not delivered", "undelivered", TS_FIGURE_FAILED,
            counts[TS_ENTRY_DELIVERY]},
        {"refused", NULL, "refused", TS_FIGURE_HELD, counts[TS_ENTRY_REFUSED]},
        {"stale", NULL, "stale", TS_FIGURE_HELD, counts[TS_ENTRY_STALE]},
        {"in doubt", NULL, "in_doubt", TS_FIGURE_FAILED, counts[TS_ENTRY_WRITE_UNKNOWN]},
        {"settled by reading", NULL, "settled", TS_FIGURE_NEUTRAL, ledger->settled},
        {"forgiven", NULL, "forgiven", TS_FIGURE_NEUTRAL, ledger->forgiven},
        {"withdrawn", NULL, "withdrawn", TS_FIGURE_NEUTRAL, ledger->withdrawn},
        {"read failed", "reads failed", "reads_failed", TS_FIGURE_READ,
            counts[TS_ENTRY_READ_FAILED]},
        {NULL, NULL, "rotated_at_once", TS_FIGURE_NEUTRAL, ledger->done_at_once},
        {NULL, NULL, "reads", TS_FIGURE_NEUTRAL, ledger->reads},
        {NULL, NULL, "credentials", TS_FIGURE_FAILED, counts[TS_ENTRY_CREDENTIALS]},
        {NULL, NULL, "locked", TS_FIGURE_HELD, counts[TS_ENTRY_LOCKED]},
        {NULL, NULL, "usage", TS_FIGURE_FAILED, counts[TS_ENTRY_USAGE]},
        {NULL, NULL, "script", TS_FIGURE_FAILED, counts[TS_ENTRY_SCRIPT]},
    };
    enum { COUNT = sizeof figures / sizeof figures[0] };
    _Static_assert(COUNT <= TS_FIGURES_MAX, "there is room for them");
    for (size_t i = 0; i < COUNT; i++) {
        out[i] = figures[i];
    }
    return COUNT;
}
