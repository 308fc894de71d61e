// SPDX-License-Identifier: MIT
// The summary for people: figures, failures one by one, what to type next.
// Quiet when nothing happened; where much failed, some of each kind stand for the rest.
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "host/base/human.h"
#include "host/base/line.h"
#include "host/base/text.h"
#include "host/runtime/report_private.h"
#include "host/runtime/report_words.h"

#define SHOWN_MAX 20          // failures of a kind that are listed one by one
#define WAIT_SHOWN_US 1000000 // shorter waits need no words
#define NEXT "next"
#define COMMENT "  # " // a shell takes it for one: the whole line can be copied
#define ALIGNED_MAX 40 // columns of a command that others are aligned with

#define GROUP_COUNT (TS_ENTRY_KIND_COUNT + 1)

// Failures in the order of the list: by kind, forgiven ones last.
struct group {
    enum ts_entry_kind kind;
    bool is_forgiven;
    const struct ts_kind_words *words;
};

static bool is_given_up(const struct ts_report *report)
{
    return report->reason[0] && !strstr(report->said, report->reason);
}

static bool is_broken_off(const struct ts_report *report)
{
    return report->signal || report->is_expired || is_given_up(report);
}

// What stopped the script told of this failure already: its operation, its widget and its cause.
static bool is_said(const struct ts_report *report, size_t i)
{
    const struct ts_facts *facts = &report->door->ledger.entries[i].facts;
    return i + 1 == report->said_entry ||
           (strstr(report->said, facts->message) && strstr(report->said, facts->op) &&
               strstr(report->said, facts->sitekey) && strstr(report->said, facts->name));
}

static bool is_in(const struct ts_report *report, size_t i, const struct group *group)
{
    const struct ts_entry *entry = &report->door->ledger.entries[i];
    return entry->is_forgiven == group->is_forgiven && !entry->is_resolved &&
           (group->is_forgiven || entry->facts.kind == group->kind) && !is_said(report, i);
}

static size_t group_count(const struct ts_report *report, const struct group *group)
{
    size_t count = 0;
    for (size_t i = 0; i < report->door->ledger.len; i++) {
        count += is_in(report, i, group);
    }
    return count;
}

static void notice_write(const struct ts_report *report)
{
    char text[128];
    if (report->signal) {
        snprintf(text, sizeof text, "interrupted by %s; nothing is in flight",
            report->signal == SIGINT   ? "SIGINT"
            : report->signal == SIGHUP ? "SIGHUP"
                                       : "SIGTERM");
        ts_report_error(report->log, text);
    }
    if (report->is_expired) {
        snprintf(text, sizeof text,
            "the deadline of %.14g s has passed; stopped, and nothing is in flight",
            (double)report->config->deadline_us / 1e6);
        ts_report_error(report->log, text);
    }
    if (is_given_up(report)) {
        ts_report_error(report->log, report->reason);
    }
}

static void add_cost(struct ts_line *line, const struct ts_report *report)
{
    char requests[TS_HUMAN_MAX], elapsed[TS_HUMAN_MAX], waited[TS_HUMAN_MAX];
    ts_human_count((int64_t)report->requests, requests);
    ts_human_duration(report->elapsed_us, elapsed);
    ts_human_duration(report->waited_us, waited);
    ts_line_add(line, TS_STYLE_PLAIN, "%s request%s in %s", requests,
        report->requests == 1 ? "" : "s", elapsed);
    if (report->waited_us >= WAIT_SHOWN_US) {
        ts_line_add(line, TS_STYLE_PLAIN, ", %s of it waiting for the rate budget", waited);
    }
    if (report->run[0]) {
        ts_line_add(line, TS_STYLE_PLAIN, "; ");
        ts_line_add(line, TS_STYLE_STRONG, "run %s", report->run);
    }
}

static enum ts_style figure_style(const struct ts_figure *figure)
{
    static const enum ts_style styles[TS_FIGURE_KIND_COUNT] = {
        [TS_FIGURE_DONE] = TS_STYLE_GOOD,
        [TS_FIGURE_NEUTRAL] = TS_STYLE_PLAIN,
        [TS_FIGURE_HELD] = TS_STYLE_WARN,
        [TS_FIGURE_FAILED] = TS_STYLE_BAD,
        [TS_FIGURE_READ] = TS_STYLE_BAD,
    };
    return styles[figure->kind];
}

static bool is_news(const struct ts_figure *figure)
{
    return figure->text && figure->count > 0 && figure->kind != TS_FIGURE_READ;
}

static bool is_bad(const struct ts_figure *figure)
{
    return figure->count > 0 && figure->kind >= TS_FIGURE_HELD;
}

// "tshost: 1 created, 2 failed; 4 requests in 0.2 s"
static void figures_write(const struct ts_report *report, const struct ts_figure *figures,
    size_t count, enum ts_log_level level)
{
    struct ts_line line;
    ts_line_init(&line);
    ts_line_add(&line, TS_STYLE_PLAIN, "tshost: ");
    ts_line_indent(&line);
    bool is_behind = false;
    for (size_t i = 0; i < count; i++) {
        const struct ts_figure *figure = &figures[i];
        if (!figure->text || figure->count == 0) {
            continue;
        }
        char number[TS_HUMAN_MAX];
        ts_human_count((int64_t)figure->count, number);
        ts_line_add(&line, TS_STYLE_PLAIN, "%s", is_behind ? ", " : "");
        ts_line_add(&line, figure_style(figure), "%s %s", number,
            figure->many && figure->count > 1 ? figure->many : figure->text);
        if (figure->part > 0) {
            ts_human_count((int64_t)figure->part, number);
            ts_line_add(&line, figure_style(figure), " (%s %s)", number, figure->part_text);
        }
        is_behind = true;
    }
    ts_line_add(&line, TS_STYLE_PLAIN, "%s", is_behind ? "; " : "");
    add_cost(&line, report);
    ts_line_write(&line, report->log, level);
}

// "  refused: ", as wide as the widest word of the list.
static void heading_add(struct ts_line *line, const char *word, enum ts_style style, int width)
{
    ts_line_add(line, TS_STYLE_PLAIN, "  ");
    ts_line_add(line, style, "%s:", word);
    ts_line_add(line, TS_STYLE_PLAIN, "%*s", width - (int)strlen(word) + 1, "");
    ts_line_indent(line);
}

// " (HTTP 404, code 10404, CF-Ray 8f1...)", as far as there is something to tell.
static void answer_add(struct ts_line *line, const struct ts_facts *facts)
{
    const char *before = " (";
    if (facts->status) {
        ts_line_add(line, TS_STYLE_FAINT, "%sHTTP %ld", before, facts->status);
        before = ", ";
    }
    if (facts->code) {
        ts_line_add(line, TS_STYLE_FAINT, "%scode %lld", before, facts->code);
        before = ", ";
    }
    if (facts->ray[0]) {
        ts_line_add(line, TS_STYLE_FAINT, "%sCF-Ray %s", before, facts->ray);
        before = ", ";
    }
    ts_line_add(line, TS_STYLE_FAINT, "%s", before[0] == ',' ? ")" : "");
}

// "clean-up.lua:4: update 0x4AAA...: widget not found (HTTP 404, ...)"
static void entry_write(const struct ts_report *report, const struct ts_entry *entry,
    const struct group *group, int width)
{
    const struct ts_facts *facts = &entry->facts;
    const char *subject = facts->sitekey[0] ? facts->sitekey : facts->name;
    struct ts_line line;
    ts_line_init(&line);
    heading_add(&line, group->words->text, group->words->style, width);
    ts_line_add(&line, TS_STYLE_STRONG, "%s%s", facts->place, facts->place[0] ? ": " : "");
    ts_line_add(&line, TS_STYLE_PLAIN, "%s%s%s%s%s%s", facts->op, subject[0] ? " " : "", subject,
        facts->is_immediate ? " (invalidate_immediately)" : "", facts->op[0] ? ": " : "",
        facts->message);
    answer_add(&line, facts);
    if (entry->is_forgiven) {
        ts_line_add(
            &line, TS_STYLE_PLAIN, ": %s", entry->reason ? entry->reason : "no reason kept");
    }
    ts_line_write(&line, report->log, entry->is_forgiven ? TS_LOG_NORMAL : TS_LOG_QUIET);
}

static void rest_write(
    const struct ts_report *report, size_t count, const struct group *group, int width)
{
    struct ts_line line;
    char rest[TS_HUMAN_MAX];
    ts_human_count((int64_t)count, rest);
    ts_line_init(&line);
    heading_add(&line, group->words->text, group->words->style, width);
    ts_line_add(&line, TS_STYLE_PLAIN, "and %s more", rest);
    ts_line_write(&line, report->log, group->is_forgiven ? TS_LOG_NORMAL : TS_LOG_QUIET);
}

static void group_write(const struct ts_report *report, const struct group *group, int width)
{
    // Once the journal has failed, all that follows fails the same way.
    size_t shown = 0, max = group->kind == TS_ENTRY_JOURNAL ? 1 : SHOWN_MAX;
    for (size_t i = 0; i < report->door->ledger.len; i++) {
        if (is_in(report, i, group) && shown++ < max) {
            entry_write(report, &report->door->ledger.entries[i], group, width);
        }
    }
    if (shown > max) {
        rest_write(report, shown - max, group, width);
    }
}

// Commands whole, to be copied; what each is for behind it, or below where that does not fit.
static void step_write(const struct ts_report *report, const struct ts_next_step *step, int gap,
    enum ts_log_level level, int width)
{
    struct ts_line line;
    ts_line_init(&line);
    heading_add(&line, NEXT, TS_STYLE_STRONG, width);
    if (!step->command[0]) {
        ts_line_add(&line, TS_STYLE_PLAIN, "%s", step->why);
        ts_line_write(&line, report->log, level);
        return;
    }
    int columns = ts_log_columns(report->log);
    int need = ts_text_columns(line.text) + ts_text_columns(step->command) + gap +
               ts_text_columns(step->why) + (int)strlen(COMMENT);
    bool is_below = columns > 0 && need > columns;
    line.is_whole = true;
    ts_line_add(&line, TS_STYLE_STRONG, "%s", step->command);
    if (is_below && step->why[0]) {
        ts_line_write(&line, report->log, level);
        int indent = line.indent;
        ts_line_init(&line);
        ts_line_add(&line, TS_STYLE_FAINT, "%*s# %s", indent, "", step->why);
    } else if (step->why[0]) {
        ts_line_add(&line, TS_STYLE_FAINT, "%*s" COMMENT "%s", gap, "", step->why);
    }
    ts_line_write(&line, report->log, level);
}

static void next_write(const struct ts_report *report, const struct ts_next_steps *next,
    enum ts_log_level level, int width)
{
    int longest = 0;
    for (size_t i = 0; i < next->count; i++) {
        int columns = ts_text_columns(next->steps[i].command);
        bool counts = next->steps[i].why[0] && columns <= ALIGNED_MAX;
        longest = counts && columns > longest ? columns : longest;
    }
    for (size_t i = 0; i < next->count; i++) {
        int gap = longest - ts_text_columns(next->steps[i].command);
        step_write(report, &next->steps[i], gap > 0 ? gap : 0, level, width);
    }
}

// Fills in the groups; returns how wide their headings are, 0 when there is nothing in them.
static int groups_init(const struct ts_report *report, struct group groups[GROUP_COUNT])
{
    static const struct ts_kind_words forgiven = {"forgiven", "forgiven", TS_STYLE_FAINT};
    int width = 0;
    for (size_t i = 0; i < GROUP_COUNT; i++) {
        struct group *group = &groups[i];
        *group = (struct group){.is_forgiven = true, .words = &forgiven};
        if (i < TS_ENTRY_KIND_COUNT) {
            enum ts_entry_kind kind = ts_report_order()[i];
            *group = (struct group){.kind = kind, .words = ts_report_kind(kind)};
        }
        int len = group_count(report, group) > 0 ? (int)strlen(group->words->text) : 0;
        width = len > width ? len : width;
    }
    return width;
}

void ts_report_text(const struct ts_report *report)
{
    struct ts_figure figures[TS_FIGURES_MAX];
    struct group groups[GROUP_COUNT];
    struct ts_next_steps next;
    size_t count = ts_report_figures(&report->door->ledger, figures);
    int width = groups_init(report, groups);
    bool has_failed = is_broken_off(report) || report->reason[0];
    bool has_news = is_broken_off(report) || width > 0;
    for (size_t i = 0; i < count; i++) {
        has_news = has_news || is_news(&figures[i]);
        has_failed = has_failed || is_bad(&figures[i]);
    }
    enum ts_log_level level = has_failed ? TS_LOG_QUIET : TS_LOG_NORMAL;
    notice_write(report);
    if (has_news) {
        figures_write(report, figures, count, level);
    }
    ts_report_next(report, &next);
    width = next.count > 0 && width < (int)strlen(NEXT) ? (int)strlen(NEXT) : width;
    for (size_t i = 0; i < GROUP_COUNT; i++) {
        group_write(report, &groups[i], width);
    }
    next_write(report, &next, level, width);
}
