// SPDX-License-Identifier: MIT
// The summary for programs: one object, always with the same members, in one line.
// Where there is no memory for it, a short one still tells how the run ended.
#include <stdio.h>
#include <string.h>

#include "host/base/json_write.h"
#include "host/base/str.h"
#include "host/runtime/exit_status.h"
#include "host/runtime/report_private.h"
#include "host/runtime/report_words.h"

#define JSON_MAX (16 * 1024 * 1024)
#define LISTED_MAX 1000 // failures in the list; the others are counted

static void add_counts(struct ts_json_writer *json, const struct ts_ledger *ledger)
{
    struct ts_figure figures[TS_FIGURES_MAX];
    size_t count = ts_report_figures(ledger, figures);
    ts_json_open(json, "counts", '{');
    for (size_t i = 0; i < count; i++) {
        ts_json_int(json, figures[i].json, (int64_t)figures[i].count);
    }
    ts_json_close(json, '}');
}

// "dir/onboard.lua:12" becomes file and line, null where they are not known.
static void add_place(struct ts_json_writer *json, const char *place)
{
    char file[512] = "";
    int64_t line = 0;
    const char *colon = strrchr(place, ':');
    if (colon && ts_str_to_int(colon + 1, &line) && (size_t)(colon - place) < sizeof file) {
        memcpy(file, place, (size_t)(colon - place));
        file[colon - place] = '\0';
    }
    ts_json_word(json, "file", file);
    if (file[0]) {
        ts_json_int(json, "line", line);
    } else {
        ts_json_null(json, "line");
    }
}

static void add_known_int(struct ts_json_writer *json, const char *name, int64_t value)
{
    if (value) {
        ts_json_int(json, name, value);
    } else {
        ts_json_null(json, name);
    }
}

static void add_failure(struct ts_json_writer *json, const struct ts_entry *entry)
{
    const struct ts_facts *facts = &entry->facts;
    ts_json_open(json, NULL, '{');
    ts_json_text(json, "kind", ts_report_kind(facts->kind)->json);
    ts_json_word(json, "op", facts->op);
    ts_json_word(json, "sitekey", facts->sitekey);
    ts_json_word(json, "name", facts->name);
    add_place(json, facts->place);
    ts_json_text(json, "message", facts->message);
    ts_json_word(json, "option", facts->flag);
    add_known_int(json, "status", facts->status);
    add_known_int(json, "code", facts->code);
    ts_json_word(json, "ray", facts->ray);
    ts_json_text(json, "forgiven", entry->is_forgiven ? entry->reason ? entry->reason : "" : NULL);
    ts_json_close(json, '}');
}

static void add_failures(struct ts_json_writer *json, const struct ts_ledger *ledger)
{
    int64_t listed = 0, left_out = 0;
    ts_json_open(json, "failures", '[');
    for (size_t i = 0; i < ledger->len; i++) {
        const struct ts_entry *entry = &ledger->entries[i];
        if (entry->is_resolved) {
            continue;
        }
        if (listed < LISTED_MAX) {
            add_failure(json, entry);
            listed++;
        } else {
            left_out++;
        }
    }
    ts_json_close(json, ']');
    ts_json_int(json, "failures_left_out", left_out);
}

static void add_next(struct ts_json_writer *json, const struct ts_report *report)
{
    struct ts_next_steps next;
    ts_report_next(report, &next);
    ts_json_open(json, "next", '[');
    for (size_t i = 0; i < next.count; i++) {
        if (next.steps[i].command[0]) {
            ts_json_text(json, NULL, next.steps[i].command);
        }
    }
    ts_json_close(json, ']');
}

static void add_effort(struct ts_json_writer *json, const struct ts_report *report)
{
    add_counts(json, &report->door->ledger);
    ts_json_int(json, "requests", (int64_t)report->requests);
    ts_json_int(json, "elapsed_ms", report->elapsed_us / 1000);
    ts_json_int(json, "waited_ms", report->waited_us / 1000);
}

enum ts_err ts_report_effort(const struct ts_report *report, struct ts_buf *out)
{
    struct ts_json_writer json;
    ts_json_writer_init(&json, out);
    ts_json_open(&json, NULL, '{');
    add_effort(&json, report);
    ts_json_close(&json, '}');
    return json.code;
}

static void add_report(struct ts_json_writer *json, const struct ts_report *report)
{
    ts_json_open(json, NULL, '{');
    ts_json_text(json, "event", "summary");
    ts_json_word(json, "run", report->run);
    ts_json_int(json, "exit", report->status);
    ts_json_text(json, "status", ts_exit_word(report->status));
    ts_json_word(json, "error", report->said);
    ts_json_text(json, "resumes", report->config->of);
    bool has_verdicts = report->verdicts && report->verdicts[0];
    ts_json_value(json, "verdicts", has_verdicts ? report->verdicts : "[]");
    add_effort(json, report);
    add_failures(json, &report->door->ledger);
    add_next(json, report);
    ts_json_close(json, '}');
}

void ts_report_json(const struct ts_report *report)
{
    struct ts_buf buf;
    struct ts_json_writer json;
    ts_buf_init(&buf, JSON_MAX);
    ts_json_writer_init(&json, &buf);
    add_report(&json, report);
    if (!json.code) {
        json.code = ts_buf_add_char(&buf, '\n');
    }
    if (json.code) {
        char line[160];
        int len = snprintf(line, sizeof line,
            "{\"event\":\"summary\",\"exit\":%d,\"status\":\"%s\",\"error\":\"out of memory\"}\n",
            report->status, ts_exit_word(report->status));
        ts_log_write(report->log, line, (size_t)len);
    } else {
        ts_log_write(report->log, buf.data, buf.len);
    }
    ts_buf_fini(&buf);
}
