// SPDX-License-Identifier: MIT
// First the file as SQLite sees it, then what belongs together, then what rows hold.
#include "host/base/buf.h"
#include "host/state/journal_private.h"

#define QUERY_MAX 4096

_Static_assert(TS_OPERATION_STATE_COUNT == 6, "SQL below has the number");

// Each answers findings.
static const char *const queries[] = {
    // SQLite answers several lines in one text, with a headline, and may stop in the middle.
    "SELECT value FROM pragma_integrity_check,"
    " json_each('[' || replace(json_quote(integrity_check), '\\n', '\",\"') || ']')"
    " WHERE value <> 'ok' AND value NOT GLOB '[*][*][*]*'",
    "SELECT \"table\" || ' ' || rowid || ' belongs to no ' || parent FROM pragma_foreign_key_check",
    "SELECT 'run ' || id || ' ended without a status' FROM run"
    " WHERE ended IS NOT NULL AND (status IS NULL OR exit IS NULL)",
    "SELECT 'run ' || id || ' has the unknown command ' || command FROM run"
    " WHERE command NOT IN ('run', 'apply', 'resume', 'undo')",
    "SELECT 'operation ' || number || ' is the unknown ' || op FROM operation"
    " WHERE op NOT IN ('create', 'update', 'delete', 'rotate', 'write', 'pipe')",
    "SELECT 'operation ' || number || ' is in the unknown state ' || state FROM outcome"
    " WHERE state NOT BETWEEN 0 AND 5",
};

// Columns that hold JSON.
static const struct column {
    const char *noun;
    const char *table;
    const char *id;
    const char *name;
    const char *type;
} columns[] = {
    {"run", "run", "id", "arguments", "array"},
    {"run", "run", "id", "options", "array"},
    {"run", "run", "id", "summary", "object"},
    {"run", "run", "id", "plan", "array"},
    {"operation", "operation", "number", "body", "object"},
    {"operation", "operation", "number", "before", "object"},
    {"operation", "outcome", "number", "after", "object"},
};

struct reading {
    struct ts_journal *journal;
    ts_journal_row_fn on_row;
    void *owner;
    bool wants_more;
};

static bool reading_pass(void *owner, const char *json, size_t len)
{
    struct reading *reading = owner;
    reading->wants_more = reading->on_row(reading->owner, json, len);
    return reading->wants_more;
}

// query answers texts, which are handed over as JSON strings.
static enum ts_err reading_add(struct reading *reading, const char *query, struct ts_error *err)
{
    struct ts_buf sql;
    if (!reading->wants_more) {
        return TS_OK;
    }
    ts_buf_init(&sql, QUERY_MAX);
    enum ts_err code = ts_buf_add_format(
        &sql, "WITH finding (text) AS (%s) SELECT json_quote(text) FROM finding", query);
    code = code ? ts_error_set(err, code, "out of memory")
                : ts_journal_read(
                      reading->journal, ts_buf_text(&sql), NULL, reading_pass, reading, err);
    ts_buf_fini(&sql);
    return code;
}

static enum ts_err column_check(
    struct reading *reading, const struct column *column, struct ts_error *err)
{
    struct ts_buf sql;
    ts_buf_init(&sql, QUERY_MAX);
    enum ts_err code = ts_buf_add_format(&sql,
        "SELECT '%s ' || %s || ': its %s is no JSON %s' FROM %s"
        " WHERE NOT iif(json_valid(%s), json_type(%s) = '%s', %s IS NULL)",
        column->noun, column->id, column->name, column->type, column->table, column->name,
        column->name, column->type, column->name);
    code = code ? ts_error_set(err, code, "out of memory")
                : reading_add(reading, ts_buf_text(&sql), err);
    ts_buf_fini(&sql);
    return code;
}

enum ts_err ts_journal_verify(
    struct ts_journal *journal, ts_journal_row_fn on_row, void *owner, struct ts_error *err)
{
    struct reading reading = {journal, on_row, owner, true};
    enum ts_err code = TS_OK;
    for (size_t i = 0; i < sizeof queries / sizeof *queries && !code; i++) {
        code = reading_add(&reading, queries[i], err);
    }
    for (size_t i = 0; i < sizeof columns / sizeof *columns && !code; i++) {
        code = column_check(&reading, &columns[i], err);
    }
    return code;
}
