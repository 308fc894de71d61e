// SPDX-License-Identifier: MIT
// What the summary calls things, for people and for programs.
#ifndef TS_RUNTIME_REPORT_WORDS_H
#define TS_RUNTIME_REPORT_WORDS_H

#include "host/base/line.h"
#include "host/ops/ledger.h"

struct ts_kind_words {
    const char *text; // in front of the failure
    const char *json; // as kind and among the counts
    enum ts_style style;
};

// The words for a kind of failure. Lives for ever.
const struct ts_kind_words *ts_report_kind(enum ts_entry_kind kind);

// The kinds in the order in which they are listed, the gravest first: TS_ENTRY_KIND_COUNT of them.
const enum ts_entry_kind *ts_report_order(void);

enum ts_figure_kind {
    TS_FIGURE_DONE,
    TS_FIGURE_NEUTRAL,
    TS_FIGURE_HELD, // not sent; from here on they are told even with --quiet
    TS_FIGURE_FAILED,
    TS_FIGURE_READ, // failed, too, and told when it did: no summary for it alone
    TS_FIGURE_KIND_COUNT,
};

// A figure of the summary.
struct ts_figure {
    const char *text; // behind the number, "created"; NULL: not told to people
    const char *many; // the same for more than one; NULL: no difference
    const char *json;
    enum ts_figure_kind kind;
    uint64_t count;
    uint64_t part;         // of the count, told behind it: "2 rotated (1 at once)"
    const char *part_text; // what part is
};

#define TS_FIGURES_MAX 32

// Fills in the figures of the ledger, in the order in which they are told. Returns how many there
// are.
size_t ts_report_figures(const struct ts_ledger *ledger, struct ts_figure *out);

#endif
