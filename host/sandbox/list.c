// SPDX-License-Identifier: MIT
// The list operation: query parameters, one page of items, result_info.
// Each combination of order, direction and filter is a prepared statement walking an index.
#include <stdio.h>
#include <string.h>

#include "host/base/str.h"
#include "host/sandbox/op.h"

#define PER_PAGE_DEFAULT 25
#define PER_PAGE_LEAST 5
#define PER_PAGE_MOST 1000
#define PAGE_MOST INT64_C(1000000000000)

enum filter {
    FILTER_NONE,
    FILTER_NAME,
    FILTER_SITEKEY,
    FILTER_COUNT,
};

enum { ORDER_COUNT = 5, DIRECTION_COUNT = 2, DIRECTION_DESC = 1 };

// Where the statements lie: pages from the beginning of a list, counts, pages behind a bookmark.
enum {
    LIST_COUNT = (ORDER_COUNT - 1) * DIRECTION_COUNT, // id shares the lists of sitekey
    SLOT_COUNT = LIST_COUNT * FILTER_COUNT,
    SLOT_REST = SLOT_COUNT + FILTER_COUNT,
};

_Static_assert((int)SLOT_REST + LIST_COUNT <= TS_SANDBOX_LIST_STATEMENTS, "a slot for each");

struct list_query {
    int64_t page;
    int64_t per_page;
    int order;
    int direction;
    enum filter filter;
    char value[TS_SANDBOX_VALUE_MAX]; // of the filter
};

// The first row is what an absent parameter means. id is another word for sitekey.
static const struct {
    const char *name;
    const char *column;
} orders[ORDER_COUNT] = {
    {"created_on", "created"},
    {"modified_on", "modified"},
    {"name", "name"},
    {"sitekey", "sitekey"},
    {"id", "sitekey"},
};

static const char *const directions[DIRECTION_COUNT] = {"asc", "desc"};

static const struct {
    const char *field;
    const char *condition;
} filters[FILTER_COUNT] = {
    [FILTER_NONE] = {"", ""},
    [FILTER_NAME] = {"name", " AND instr(lower(name), lower(?2)) > 0"},
    [FILTER_SITEKEY] = {"sitekey", " AND sitekey = ?2"},
};

static bool query_read_number(const struct ts_sandbox_request *request, const char *name,
    int64_t least, int64_t most, int64_t *out, struct ts_sandbox_reply *reply)
{
    char text[TS_SANDBOX_VALUE_MAX];
    int64_t value = 0;
    bool is_fine = ts_sandbox_request_query(request, name, text);
    if (is_fine && !*text) {
        return true; // the default is in *out already
    }
    if (!is_fine || !ts_str_to_int(text, &value) || value < least || value > most) {
        return ts_sandbox_reply_refuse_with(reply, TS_SANDBOX_INVALID,
            "`%s` must be a number from %lld to %lld", name, (long long)least, (long long)most);
    }
    *out = value;
    return true;
}

static bool query_read_order(const struct ts_sandbox_request *request, struct list_query *query,
    struct ts_sandbox_reply *reply)
{
    char text[TS_SANDBOX_VALUE_MAX];
    bool is_fine = ts_sandbox_request_query(request, "order", text);
    query->order = *text || !is_fine ? -1 : 0;
    for (int i = 0; i < ORDER_COUNT; i++) {
        if (ts_str_is(text, orders[i].name)) {
            query->order = i;
        }
    }
    if (query->order < 0) {
        return ts_sandbox_reply_refuse_with(reply, TS_SANDBOX_INVALID, "invalid value for `order`");
    }
    is_fine = ts_sandbox_request_query(request, "direction", text);
    query->direction = *text || !is_fine ? -1 : 0;
    for (int i = 0; i < DIRECTION_COUNT; i++) {
        if (ts_str_is(text, directions[i])) {
            query->direction = i;
        }
    }
    return query->direction >= 0 ||
           ts_sandbox_reply_refuse_with(reply, TS_SANDBOX_INVALID, "invalid value for `direction`");
}

// "field:value"; without a value it filters nothing.
static bool query_read_filter(const struct ts_sandbox_request *request, struct list_query *query,
    struct ts_sandbox_reply *reply)
{
    char text[TS_SANDBOX_VALUE_MAX];
    bool is_fine = ts_sandbox_request_query(request, "filter", text);
    query->filter = FILTER_NONE;
    if (is_fine && !*text) {
        return true;
    }
    char *colon = strchr(text, ':');
    if (!is_fine || !colon) {
        return ts_sandbox_reply_refuse_with(
            reply, TS_SANDBOX_INVALID, "invalid filter: expected `field:value`");
    }
    *colon = '\0';
    for (int i = FILTER_NAME; i < FILTER_COUNT; i++) {
        if (ts_str_is(text, filters[i].field)) {
            query->filter = (enum filter)i;
        }
    }
    if (query->filter == FILTER_NONE) {
        return ts_sandbox_reply_refuse_with(
            reply, TS_SANDBOX_INVALID, "invalid filter: unsupported field \"%.100s\"", text);
    }
    ts_str_copy(query->value, sizeof query->value, colon + 1);
    if (!*query->value) {
        query->filter = FILTER_NONE;
    }
    return true;
}

static bool query_read(const struct ts_sandbox_request *request, struct list_query *query,
    struct ts_sandbox_reply *reply)
{
    query->page = 1;
    query->per_page = PER_PAGE_DEFAULT;
    return query_read_number(request, "page", 1, PAGE_MOST, &query->page, reply) &&
           query_read_number(
               request, "per_page", PER_PAGE_LEAST, PER_PAGE_MOST, &query->per_page, reply) &&
           query_read_order(request, query, reply) && query_read_filter(request, query, reply);
}

// Which of the lists a query walks; id is sitekey's.
static int list_number(const struct list_query *query)
{
    int order = query->order == ORDER_COUNT - 1 ? ORDER_COUNT - 2 : query->order;
    return order * DIRECTION_COUNT + query->direction;
}

#define ORDER_MAX 96

// " ORDER BY ..."; rows that are equal in the column come by sitekey.
static void list_write_order(const struct list_query *query, char text[ORDER_MAX])
{
    const char *direction = directions[query->direction];
    const char *column = orders[query->order].column;
    bool is_sitekey = ts_str_is(column, "sitekey");
    snprintf(text, ORDER_MAX, " ORDER BY %s %s%s%s LIMIT ?3 OFFSET ?4", column, direction,
        is_sitekey ? "" : ", sitekey ", is_sitekey ? "" : direction);
}

// The rows from the beginning of the list. No column that the index lacks but the item: rows that
// are passed over are then not looked up in the table.
static sqlite3_stmt *list_borrow_page(
    struct ts_sandbox_service *service, const struct list_query *query)
{
    char order[ORDER_MAX];
    char text[512];
    list_write_order(query, order);
    snprintf(text, sizeof text, "SELECT item, rowid FROM widget WHERE account = ?1%s%s",
        filters[query->filter].condition, order);
    int slot = list_number(query) * FILTER_COUNT + (int)query->filter;
    return ts_sandbox_store_borrow_list(&service->store, slot, text);
}

// The rows behind a bookmarked one: those that are equal to it in the column, which all may be,
// then the others. Each half is a range of the index.
static sqlite3_stmt *list_borrow_rest(
    struct ts_sandbox_service *service, const struct list_query *query)
{
    const char *column = orders[query->order].column;
    const char *behind = query->direction == DIRECTION_DESC ? "<" : ">";
    char order[ORDER_MAX];
    char rows[128];
    char text[1024];
    list_write_order(query, order);
    snprintf(rows, sizeof rows, "SELECT item, rowid, %s, sitekey FROM widget WHERE account = ?1",
        column); // what a union is ordered by it must show
    snprintf(text, sizeof text,
        "%s AND %s = (SELECT %s FROM widget WHERE rowid = ?5)"
        " AND sitekey %s (SELECT sitekey FROM widget WHERE rowid = ?5)"
        " UNION ALL %s AND %s %s (SELECT %s FROM widget WHERE rowid = ?5)%s",
        rows, column, column, behind, rows, column, behind, column, order);
    return ts_sandbox_store_borrow_list(&service->store, SLOT_REST + list_number(query), text);
}

static sqlite3_stmt *list_borrow_count(
    struct ts_sandbox_service *service, const struct list_query *query)
{
    if (query->filter == FILTER_NONE) {
        return ts_sandbox_store_borrow(&service->store, TS_SANDBOX_STATEMENT_WIDGET_COUNT);
    }
    char text[256];
    snprintf(text, sizeof text, "SELECT count(*) FROM widget WHERE account = ?1%s",
        filters[query->filter].condition);
    int slot = SLOT_COUNT + (int)query->filter;
    return ts_sandbox_store_borrow_list(&service->store, slot, text);
}

static bool list_bind(
    sqlite3_stmt *stmt, const struct ts_sandbox_request *request, const struct list_query *query)
{
    return stmt && !sqlite3_bind_text(stmt, 1, request->account, -1, SQLITE_STATIC) &&
           (query->filter == FILTER_NONE ||
               !sqlite3_bind_text(stmt, 2, query->value, -1, SQLITE_STATIC));
}

// Adds the rows of a statement, returns how many; negative when SQLite fails.
static int64_t list_add_rows(sqlite3_stmt *stmt, const struct ts_sandbox_request *request,
    const struct list_query *query, int64_t offset, struct ts_sandbox_reply *reply, int64_t *last)
{
    if (!list_bind(stmt, request, query) || sqlite3_bind_int64(stmt, 3, query->per_page) ||
        sqlite3_bind_int64(stmt, 4, offset)) {
        return -1;
    }
    int64_t count = 0;
    int code;
    while ((code = sqlite3_step(stmt)) == SQLITE_ROW) {
        ts_sandbox_reply_add(reply, count > 0 ? "," : "");
        ts_sandbox_reply_add(reply, ts_sandbox_store_text(stmt, 0));
        *last = sqlite3_column_int64(stmt, 1);
        count++;
    }
    sqlite3_reset(stmt);
    return code == SQLITE_DONE ? count : -1;
}

// Adds the items, returns how many; negative when SQLite fails.
static int64_t list_add_items(struct ts_sandbox_service *service,
    const struct ts_sandbox_request *request, const struct list_query *query,
    struct ts_sandbox_reply *reply)
{
    int64_t offset = (query->page - 1) * query->per_page;
    int64_t last = 0;
    int64_t count = 0;
    int list = list_number(query);
    const struct ts_sandbox_bookmark *bookmark =
        query->filter != FILTER_NONE ? NULL
                                     : ts_sandbox_bookmarks_find(&service->bookmarks,
                                           &service->store, request->account, list, offset);
    // To pass over a row costs several times more there than from the beginning.
    if (bookmark && offset - bookmark->offset <= offset / 8) {
        sqlite3_stmt *stmt = list_borrow_rest(service, query);
        if (!stmt || sqlite3_bind_int64(stmt, 5, bookmark->rowid)) {
            return -1;
        }
        count = list_add_rows(stmt, request, query, offset - bookmark->offset, reply, &last);
    }
    // Nothing behind a bookmark: the end, or another process has just deleted its row.
    if (count == 0) {
        count =
            list_add_rows(list_borrow_page(service, query), request, query, offset, reply, &last);
    }
    if (count > 0 && query->filter == FILTER_NONE) {
        ts_sandbox_bookmarks_add(&service->bookmarks, request->account, list, offset + count, last);
    }
    return count;
}

static int64_t list_count_all(struct ts_sandbox_service *service,
    const struct ts_sandbox_request *request, const struct list_query *query)
{
    sqlite3_stmt *stmt = list_borrow_count(service, query);
    if (!list_bind(stmt, request, query)) {
        return -1;
    }
    int code = sqlite3_step(stmt);
    int64_t total = code == SQLITE_ROW ? sqlite3_column_int64(stmt, 0) : 0;
    sqlite3_reset(stmt);
    return code == SQLITE_ROW || code == SQLITE_DONE ? total : -1;
}

void ts_sandbox_op_list(struct ts_sandbox_service *service,
    const struct ts_sandbox_request *request, struct ts_sandbox_reply *reply)
{
    struct list_query query;
    if (!query_read(request, &query, reply)) {
        return;
    }
    ts_sandbox_reply_open(reply);
    ts_sandbox_reply_add(reply, "[");
    int64_t count = list_add_items(service, request, &query, reply);
    int64_t total = list_count_all(service, request, &query);
    if (count < 0 || total < 0) {
        ts_sandbox_reply_refuse(reply, TS_SANDBOX_BROKEN);
        return;
    }
    char info[256];
    snprintf(info, sizeof info,
        "],\"result_info\":{\"page\":%lld,\"per_page\":%lld,\"count\":%lld,"
        "\"total_count\":%lld,\"total_pages\":%lld}}",
        (long long)query.page, (long long)query.per_page, (long long)count, (long long)total,
        (long long)((total + query.per_page - 1) / query.per_page));
    ts_sandbox_reply_add(reply, info);
    char uuid[TS_SANDBOX_UUID_LEN + 1];
    if (!ts_sandbox_keys_uuid(&service->keys, uuid, NULL)) {
        ts_sandbox_reply_header(reply, "Cf-Auditlog-Id", uuid);
    }
}
