// SPDX-License-Identifier: MIT
// A small ring, searched from end to end: that costs less than reading one row.
#include "host/sandbox/bookmark.h"

#include "host/base/str.h"

// What another process wrote into the same file shows in data_version alone.
static int64_t store_version(struct ts_sandbox_store *store)
{
    sqlite3_stmt *stmt = ts_sandbox_store_borrow(store, TS_SANDBOX_STATEMENT_DATA_VERSION);
    int64_t version = stmt && sqlite3_step(stmt) == SQLITE_ROW ? sqlite3_column_int64(stmt, 0) : -1;
    sqlite3_reset(stmt);
    return version;
}

const struct ts_sandbox_bookmark *ts_sandbox_bookmarks_find(struct ts_sandbox_bookmarks *bookmarks,
    struct ts_sandbox_store *store, const char *account, int list, int64_t offset)
{
    int64_t changes = sqlite3_total_changes64(store->db);
    int64_t version = store_version(store);
    if (changes != bookmarks->changes || version != bookmarks->version) {
        *bookmarks = (struct ts_sandbox_bookmarks){.changes = changes, .version = version};
        return NULL;
    }
    const struct ts_sandbox_bookmark *best = NULL;
    for (size_t i = 0; i < TS_SANDBOX_BOOKMARKS_MAX; i++) {
        const struct ts_sandbox_bookmark *bookmark = &bookmarks->bookmarks[i];
        if (bookmark->list == list && bookmark->offset <= offset &&
            ts_str_is(bookmark->account, account) && (!best || bookmark->offset > best->offset)) {
            best = bookmark;
        }
    }
    return best;
}

void ts_sandbox_bookmarks_add(struct ts_sandbox_bookmarks *bookmarks, const char *account, int list,
    int64_t offset, int64_t rowid)
{
    struct ts_sandbox_bookmark *bookmark =
        &bookmarks->bookmarks[bookmarks->added++ % TS_SANDBOX_BOOKMARKS_MAX];
    *bookmark = (struct ts_sandbox_bookmark){.list = list, .offset = offset, .rowid = rowid};
    ts_str_copy(bookmark->account, sizeof bookmark->account, account);
}
