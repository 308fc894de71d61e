// SPDX-License-Identifier: MIT
// Bodies against the field table. SQLite takes the JSON apart; strings it hands over are checked
// again, because an escape can spell what raw bytes may not.
#include "host/sandbox/fields.h"

#include <stdlib.h>
#include <string.h>

#include "host/base/str.h"
#include "host/sandbox/json.h"
#include "host/sandbox/utf8.h"

#define NAME_MAX_CHARS 254

enum kind {
    KIND_TEXT,
    KIND_CHOICE,
    KIND_LIST,
    KIND_FLAG,
};

struct field_row {
    const char *name;
    enum kind kind;
    unsigned bodies; // enum ts_sandbox_body
    bool is_required;
    const char *choices[5]; // NULL-terminated
};

static const struct field_row field_rows[TS_SANDBOX_FIELD_COUNT] = {
    [TS_SANDBOX_NAME] = {"name", KIND_TEXT, TS_SANDBOX_BODY_WIDGET, true},
    [TS_SANDBOX_MODE] = {"mode", KIND_CHOICE, TS_SANDBOX_BODY_WIDGET, true,
        {"managed", "non-interactive", "invisible"}},
    [TS_SANDBOX_DOMAINS] = {"domains", KIND_LIST, TS_SANDBOX_BODY_WIDGET, true},
    [TS_SANDBOX_REGION] = {"region", KIND_CHOICE, TS_SANDBOX_BODY_WIDGET, false,
        {"world", "china"}},
    [TS_SANDBOX_CLEARANCE_LEVEL] = {"clearance_level", KIND_CHOICE, TS_SANDBOX_BODY_WIDGET, false,
        {"no_clearance", "jschallenge", "managed", "interactive"}},
    [TS_SANDBOX_BOT_FIGHT_MODE] = {"bot_fight_mode", KIND_FLAG, TS_SANDBOX_BODY_WIDGET, false},
    [TS_SANDBOX_EPHEMERAL_ID] = {"ephemeral_id", KIND_FLAG, TS_SANDBOX_BODY_WIDGET, false},
    [TS_SANDBOX_OFFLABEL] = {"offlabel", KIND_FLAG, TS_SANDBOX_BODY_WIDGET, false},
    [TS_SANDBOX_INVALIDATE_IMMEDIATELY] = {"invalidate_immediately", KIND_FLAG,
        TS_SANDBOX_BODY_ROTATE, false},
};

const char *ts_sandbox_field_name(enum ts_sandbox_field field)
{
    return field_rows[field].name;
}

bool ts_sandbox_fields_check_object(
    const struct ts_sandbox_request *request, struct ts_sandbox_reply *reply)
{
    const char *why =
        ts_sandbox_json_check(reply->store, ts_buf_text(&request->body), request->body.len);
    return !why || ts_sandbox_reply_refuse_with(reply, TS_SANDBOX_INVALID, "%s", why);
}

static const struct field_row *field_find(const char *name, size_t len, enum ts_sandbox_body body)
{
    for (size_t i = 0; i < TS_SANDBOX_FIELD_COUNT; i++) {
        const struct field_row *row = &field_rows[i];
        if ((row->bodies & body) && strlen(row->name) == len && memcmp(row->name, name, len) == 0) {
            return row;
        }
    }
    return NULL;
}

// Takes one member over; the last of several with one name counts.
static bool value_take(struct ts_sandbox_value *value, sqlite3_stmt *stmt)
{
    free(value->text);
    *value = (struct ts_sandbox_value){0};
    ts_str_copy(value->type, sizeof value->type, ts_sandbox_store_text(stmt, 1));
    value->is_set = !ts_str_is(value->type, "null");
    value->flag = ts_str_is(value->type, "true");
    const char *text = ts_sandbox_store_text(stmt, 2);
    value->len = (size_t)sqlite3_column_bytes(stmt, 2);
    value->text = malloc(value->len + 1);
    if (!value->text) {
        return false;
    }
    memcpy(value->text, text, value->len);
    value->text[value->len] = '\0';
    return true;
}

static bool fields_take(struct ts_sandbox_fields *fields, const struct ts_sandbox_request *request,
    enum ts_sandbox_body body, struct ts_sandbox_reply *reply)
{
    sqlite3_stmt *stmt = ts_sandbox_json_borrow_members(reply->store, &request->body);
    if (!stmt) {
        return ts_sandbox_reply_refuse(reply, TS_SANDBOX_BROKEN);
    }
    int code;
    while ((code = sqlite3_step(stmt)) == SQLITE_ROW) {
        const char *name = ts_sandbox_store_text(stmt, 0);
        const struct field_row *row = field_find(name, (size_t)sqlite3_column_bytes(stmt, 0), body);
        if (!row) {
            ts_sandbox_reply_refuse_with(
                reply, TS_SANDBOX_INVALID, "json: unknown field \"%s\"", name);
            break;
        }
        if (!value_take(&fields->values[row - field_rows], stmt)) {
            ts_sandbox_reply_refuse(reply, TS_SANDBOX_BROKEN);
            break;
        }
    }
    sqlite3_reset(stmt);
    if (code == SQLITE_ROW) {
        return false;
    }
    return code == SQLITE_DONE || ts_sandbox_reply_refuse(reply, TS_SANDBOX_BROKEN);
}

static bool value_check_choice(const struct field_row *row, const struct ts_sandbox_value *value,
    struct ts_sandbox_reply *reply)
{
    for (const char *const *choice = row->choices; *choice; choice++) {
        if (ts_str_is(*choice, value->text)) {
            return true;
        }
    }
    return ts_sandbox_reply_refuse_with(
        reply, TS_SANDBOX_INVALID, "invalid value for `%s`", row->name);
}

static bool value_check(const struct field_row *row, const struct ts_sandbox_value *value,
    struct ts_sandbox_reply *reply)
{
    static const char *const expected[] = {
        [KIND_TEXT] = "text", [KIND_CHOICE] = "text", [KIND_LIST] = "array", [KIND_FLAG] = "true"};
    bool is_fine = ts_str_is(value->type, expected[row->kind]) ||
                   (row->kind == KIND_FLAG && ts_str_is(value->type, "false"));
    if (!is_fine) {
        static const char *const names[] = {[KIND_TEXT] = "a string",
            [KIND_CHOICE] = "a string",
            [KIND_LIST] = "an array",
            [KIND_FLAG] = "a boolean"};
        return ts_sandbox_reply_refuse_with(
            reply, TS_SANDBOX_INVALID, "`%s` must be %s", row->name, names[row->kind]);
    }
    if (!ts_sandbox_utf8_is_text(value->text, value->len)) {
        return ts_sandbox_reply_refuse_with(
            reply, TS_SANDBOX_INVALID, "`%s` holds characters that are not allowed", row->name);
    }
    if (row->kind == KIND_CHOICE) {
        return value_check_choice(row, value, reply);
    }
    size_t count = row->kind == KIND_TEXT ? ts_sandbox_utf8_count(value->text) : 1;
    if (count < 1 || count > NAME_MAX_CHARS) {
        return ts_sandbox_reply_refuse_with(reply, TS_SANDBOX_INVALID,
            "`%s` must be 1 to %d characters long", row->name, NAME_MAX_CHARS);
    }
    return true;
}

// Adds one element of the array that the statement stands on.
static bool fields_add_domain(struct ts_sandbox_fields *fields, sqlite3_stmt *stmt,
    size_t max_domains, struct ts_sandbox_reply *reply)
{
    if (!ts_str_is(ts_sandbox_store_text(stmt, 0), "text")) {
        return ts_sandbox_reply_refuse_with(
            reply, TS_SANDBOX_INVALID, "`domains` must hold strings only");
    }
    const char *text = ts_sandbox_store_text(stmt, 1);
    size_t len = (size_t)sqlite3_column_bytes(stmt, 1);
    char name[TS_SANDBOX_DOMAIN_MAX + 1];
    const char *why =
        memchr(text, '\0', len) ? "holds a NUL" : ts_sandbox_domain_normalise(text, len, name);
    if (why) {
        return ts_sandbox_reply_refuse_with(
            reply, TS_SANDBOX_INVALID, "invalid domain \"%.300s\": %s", text, why);
    }
    if (ts_sandbox_domains_add(&fields->domains, name)) {
        return ts_sandbox_reply_refuse(reply, TS_SANDBOX_BROKEN);
    }
    return fields->domains.count <= max_domains ||
           ts_sandbox_reply_refuse_with(
               reply, TS_SANDBOX_INVALID, "too many domains: a widget may have %zu", max_domains);
}

static bool fields_read_domains(
    struct ts_sandbox_fields *fields, size_t max_domains, struct ts_sandbox_reply *reply)
{
    const struct ts_sandbox_value *value = &fields->values[TS_SANDBOX_DOMAINS];
    sqlite3_stmt *stmt = ts_sandbox_store_borrow(reply->store, TS_SANDBOX_STATEMENT_JSON_ITEMS);
    if (!stmt || sqlite3_bind_text(stmt, 1, value->text, (int)value->len, SQLITE_STATIC)) {
        return ts_sandbox_reply_refuse(reply, TS_SANDBOX_BROKEN);
    }
    int code;
    while ((code = sqlite3_step(stmt)) == SQLITE_ROW) {
        if (!fields_add_domain(fields, stmt, max_domains, reply)) {
            break;
        }
    }
    sqlite3_reset(stmt);
    if (code == SQLITE_ROW) {
        return false;
    }
    return code == SQLITE_DONE || ts_sandbox_reply_refuse(reply, TS_SANDBOX_BROKEN);
}

bool ts_sandbox_fields_read(struct ts_sandbox_fields *fields,
    const struct ts_sandbox_request *request, enum ts_sandbox_body body, size_t max_domains,
    struct ts_sandbox_reply *reply)
{
    *fields = (struct ts_sandbox_fields){0};
    if (!ts_sandbox_request_has_type(request, "application/json")) {
        return ts_sandbox_reply_refuse(reply, TS_SANDBOX_BAD_TYPE);
    }
    if (!ts_sandbox_fields_check_object(request, reply) ||
        !fields_take(fields, request, body, reply)) {
        return false;
    }
    for (size_t i = 0; i < TS_SANDBOX_FIELD_COUNT; i++) {
        const struct field_row *row = &field_rows[i];
        if ((row->bodies & body) && row->is_required && !fields->values[i].is_set) {
            return ts_sandbox_reply_refuse_with(
                reply, TS_SANDBOX_INVALID, "missing field `%s`", row->name);
        }
    }
    for (size_t i = 0; i < TS_SANDBOX_FIELD_COUNT; i++) {
        if (*fields->values[i].type && !value_check(&field_rows[i], &fields->values[i], reply)) {
            return false;
        }
    }
    return !fields->values[TS_SANDBOX_DOMAINS].is_set ||
           fields_read_domains(fields, max_domains, reply);
}

void ts_sandbox_fields_fini(struct ts_sandbox_fields *fields)
{
    for (size_t i = 0; i < TS_SANDBOX_FIELD_COUNT; i++) {
        free(fields->values[i].text);
    }
    ts_sandbox_domains_fini(&fields->domains);
    *fields = (struct ts_sandbox_fields){0};
}
