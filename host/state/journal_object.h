// SPDX-License-Identifier: MIT
// How a row becomes a JSON object inside SQLite: member by member, so that those without a value
// are left out and the null of a widget's own field stays (json_object keeps all nulls, json_patch
// drops all).
#ifndef TS_STATE_JOURNAL_OBJECT_H
#define TS_STATE_JOURNAL_OBJECT_H

#include "host/base/buf.h"

enum ts_journal_member_kind {
    TS_JOURNAL_TEXT,
    TS_JOURNAL_NUMBER,
    TS_JOURNAL_JSON,
    TS_JOURNAL_TIME,    // microseconds since the epoch
    TS_JOURNAL_MEMBERS, // an object whose members take the place of this one; it is not empty
};

struct ts_journal_member {
    enum ts_journal_member_kind kind;
    const char *name;
    const char *value; // an SQL expression; NULL: the column of that name
};

// Appends the SQL expression of an object. The first member always has a value.
enum ts_err ts_journal_object_add(
    struct ts_buf *sql, const struct ts_journal_member *members, size_t count);

#endif
