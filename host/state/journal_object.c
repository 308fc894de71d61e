// SPDX-License-Identifier: MIT
// The expression joins the texts of its members, where nothing (NULL) joins to nothing.
#include "host/state/journal_object.h"

// What stands around a value. A column's text is never the JSON null, so that is SQL's.
static const struct around {
    const char *before;
    const char *behind;
} arounds[] = {
    [TS_JOURNAL_TEXT] = {"nullif(json_quote(", "), 'null')"},
    [TS_JOURNAL_NUMBER] = {"(", ")"},
    [TS_JOURNAL_JSON] = {"json(", ")"},
    [TS_JOURNAL_TIME] = {"nullif(json_quote(strftime('%Y-%m-%dT%H:%M:%fZ', ",
        " / 1000 / 1000.0, 'unixepoch')), 'null')"},
};

static enum ts_err member_add(
    struct ts_buf *sql, const struct ts_journal_member *member, const char *comma)
{
    if (member->kind == TS_JOURNAL_MEMBERS) {
        return ts_buf_add_format(sql, " || '%s' || trim(%s, '{}')", comma, member->value);
    }
    const struct around *around = &arounds[member->kind];
    return ts_buf_add_format(sql, " || ifnull('%s\"%s\":' || %s%s%s, '')", comma, member->name,
        around->before, member->value ? member->value : member->name, around->behind);
}

enum ts_err ts_journal_object_add(
    struct ts_buf *sql, const struct ts_journal_member *members, size_t count)
{
    enum ts_err code = ts_buf_add_str(sql, "'{'");
    for (size_t i = 0; i < count && !code; i++) {
        code = member_add(sql, &members[i], i ? "," : "");
    }
    return code ? code : ts_buf_add_str(sql, " || '}'");
}
