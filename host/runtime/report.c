// SPDX-License-Identifier: MIT
// Errors and the summary, on standard error.
// It tells what was done, not what was meant: every figure comes from the ledger.
#include "host/runtime/report.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "host/api/endpoint.h"
#include "host/base/clock.h"
#include "host/base/human.h"

#define SHOWN_MAX 50 // failures listed one by one; the rest are counted

void ts_report_error(struct ts_log *log, const char *message)
{
    ts_log_line(log, TS_LOG_QUIET, "tshost: %s", message);
}

static const char *kind_word(enum ts_entry_kind kind)
{
    switch (kind) {
    case TS_ENTRY_WRITE_UNKNOWN:
        return "outcome unknown";
    case TS_ENTRY_REFUSED:
        return "refused";
    case TS_ENTRY_STALE:
        return "stale";
    case TS_ENTRY_CREDENTIALS:
        return "credentials";
    case TS_ENTRY_LOCKED:
        return "locked";
    default:
        return "failed";
    }
}

static void report_entry(struct ts_log *log, const struct ts_entry *entry)
{
    const struct ts_facts *facts = &entry->facts;
    const char *subject = facts->sitekey[0] ? facts->sitekey : facts->name;
    char what[512];
    snprintf(what, sizeof what, "%s%s%s%s%s%s%s", facts->place, facts->place[0] ? ": " : "",
        facts->op, subject[0] ? " " : "", subject,
        facts->is_immediate ? " (invalidate_immediately)" : "", facts->op[0] ? ": " : "");
    if (entry->is_forgiven) {
        ts_log_line(log, TS_LOG_NORMAL, "  forgiven: %s%s (%s)", what, facts->message,
            entry->reason ? entry->reason : "no reason kept");
    } else {
        ts_log_line(log, TS_LOG_QUIET, "  %s: %s%s", kind_word(facts->kind), what, facts->message);
    }
}

// What stopped the script told of this failure already: its operation, its widget and its cause.
static bool is_said(const struct ts_entry *entry, const char *said)
{
    const struct ts_facts *facts = &entry->facts;
    return entry->is_resolved || (said && strstr(said, facts->op) && strstr(said, facts->sitekey) &&
                                     strstr(said, facts->name) && strstr(said, facts->message));
}

static void report_entries(
    struct ts_log *log, const struct ts_ledger *ledger, const char *said, size_t said_entry)
{
    size_t shown = 0;
    for (size_t i = 0; i < ledger->len; i++) {
        const struct ts_entry *entry = &ledger->entries[i];
        if (i + 1 == said_entry || is_said(entry, said)) {
            continue;
        }
        if (shown++ < SHOWN_MAX) {
            report_entry(log, entry);
        }
    }
    if (shown > SHOWN_MAX) {
        char rest[TS_HUMAN_MAX];
        ts_human_count((int64_t)(shown - SHOWN_MAX), rest);
        ts_log_line(log, TS_LOG_QUIET, "  and %s more", rest);
    }
}

static bool has_unsaid(const struct ts_ledger *ledger, const char *said, size_t said_entry)
{
    for (size_t i = 0; i < ledger->len; i++) {
        if (i + 1 != said_entry && !is_said(&ledger->entries[i], said)) {
            return true;
        }
    }
    return false;
}

static void add_count(char *line, size_t size, uint64_t count, const char *what)
{
    if (count > 0) {
        char figure[TS_HUMAN_MAX];
        size_t len = strlen(line);
        ts_human_count((int64_t)count, figure);
        snprintf(line + len, size - len, "%s%s %s", len ? ", " : "", figure, what);
    }
}

// Of the rotations, those without grace period: whoever still uses the old secret fails already.
static void add_at_once(char *line, size_t size, uint64_t count)
{
    if (count > 0) {
        char figure[TS_HUMAN_MAX];
        size_t len = strlen(line);
        ts_human_count((int64_t)count, figure);
        snprintf(line + len, size - len, " (%s at once)", figure);
    }
}

void ts_report_summary(struct ts_parts *parts, const char *said, size_t said_entry, int signal)
{
    const struct ts_ledger *ledger = &parts->door.ledger;
    const uint64_t *counts = ledger->counts;
    char line[512] = "";
    add_count(line, sizeof line, ledger->done[TS_OP_CREATE], "created");
    add_count(line, sizeof line, ledger->done[TS_OP_UPDATE], "updated");
    add_count(line, sizeof line, ledger->done[TS_OP_DELETE], "deleted");
    add_count(line, sizeof line, ledger->done[TS_OP_ROTATE], "rotated");
    add_at_once(line, sizeof line, ledger->done_at_once);
    add_count(line, sizeof line, ledger->unchanged, "unchanged");
    uint64_t failed =
        counts[TS_ENTRY_WRITE_FAILED] + counts[TS_ENTRY_WRITE_UNSENT] + counts[TS_ENTRY_DELIVERY];
    add_count(line, sizeof line, failed, "failed");
    add_count(line, sizeof line, counts[TS_ENTRY_REFUSED], "refused");
    add_count(line, sizeof line, counts[TS_ENTRY_STALE], "stale");
    add_count(line, sizeof line, counts[TS_ENTRY_WRITE_UNKNOWN], "with unknown outcome");
    add_count(line, sizeof line, ledger->settled, "settled by reading");
    const char *reason = parts->queue.outage.reason; // "" unless the run has given up
    bool is_given_up = *reason && !(said && strstr(said, reason));
    add_count(line, sizeof line, ledger->withdrawn, "withdrawn");
    bool is_expired = parts->sched.is_expired;
    bool is_broken_off = signal || is_expired || is_given_up;
    if (!line[0] && !is_broken_off && !has_unsaid(ledger, said, said_entry)) {
        return;
    }
    uint64_t reads = counts[TS_ENTRY_READ_FAILED];
    add_count(line, sizeof line, reads, reads == 1 ? "read failed" : "reads failed");
    bool has_failed = is_broken_off || *reason || failed || counts[TS_ENTRY_REFUSED] ||
                      counts[TS_ENTRY_STALE] || counts[TS_ENTRY_LOCKED] ||
                      counts[TS_ENTRY_JOURNAL] || counts[TS_ENTRY_WRITE_UNKNOWN] || reads;
    if (signal) {
        ts_log_line(&parts->log, TS_LOG_QUIET, "tshost: interrupted by %s; nothing is in flight",
            signal == SIGINT   ? "SIGINT"
            : signal == SIGHUP ? "SIGHUP"
                               : "SIGTERM");
    }
    if (is_expired) {
        ts_log_line(&parts->log, TS_LOG_QUIET,
            "tshost: the deadline of %.14g s has passed; stopped, and nothing is in flight",
            (double)parts->config->deadline_us / 1e6);
    }
    if (is_given_up) {
        ts_log_line(&parts->log, TS_LOG_QUIET, "tshost: %s", reason);
    }
    char requests[TS_HUMAN_MAX], elapsed[TS_HUMAN_MAX];
    ts_human_count((int64_t)parts->queue.requests, requests);
    ts_human_duration(ts_clock_mono(ts_clock_system()) - parts->begun_us, elapsed);
    ts_log_line(&parts->log, has_failed ? TS_LOG_QUIET : TS_LOG_NORMAL,
        "tshost: %s%s%s request%s in %s", line, line[0] ? "; " : "", requests,
        parts->queue.requests == 1 ? "" : "s", elapsed);
    report_entries(&parts->log, ledger, said, said_entry);
    if (counts[TS_ENTRY_WRITE_UNKNOWN]) {
        ts_log_line(&parts->log, TS_LOG_QUIET,
            "  before running again, look whether these writes were applied: a create that is "
            "repeated blindly makes a twin");
    }
}
