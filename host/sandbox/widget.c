// SPDX-License-Identifier: MIT
// Get, create, update and delete of one widget. A write is one transaction: the reply is composed
// inside it and leaves only after the commit.
#include "host/sandbox/widget.h"

#include "host/base/str.h"
#include "host/sandbox/fields.h"
#include "host/sandbox/op.h"

#define DOMAINS_JSON_MAX (4 * 1024 * 1024)
#define KEY_ATTEMPTS 8
#define PUBLISHED_DOMAINS 10

bool ts_sandbox_widget_read_state(struct ts_sandbox_service *service,
    const struct ts_sandbox_request *request, struct ts_sandbox_widget_state *state,
    struct ts_sandbox_reply *reply)
{
    sqlite3_stmt *stmt =
        ts_sandbox_store_borrow(&service->store, TS_SANDBOX_STATEMENT_WIDGET_STATE);
    if (!stmt || sqlite3_bind_text(stmt, 1, request->account, -1, SQLITE_STATIC) ||
        sqlite3_bind_text(stmt, 2, request->sitekey, -1, SQLITE_STATIC) ||
        sqlite3_bind_int64(stmt, 3, ts_sandbox_service_now(service))) {
        return ts_sandbox_reply_refuse(reply, TS_SANDBOX_BROKEN);
    }
    int code = sqlite3_step(stmt);
    if (code == SQLITE_ROW) {
        ts_str_copy(state->region, sizeof state->region, ts_sandbox_store_text(stmt, 0));
        state->is_in_grace = sqlite3_column_int(stmt, 1);
    }
    sqlite3_reset(stmt);
    if (code == SQLITE_ROW) {
        return true;
    }
    return ts_sandbox_reply_refuse(
        reply, code == SQLITE_DONE ? TS_SANDBOX_NO_WIDGET : TS_SANDBOX_BROKEN);
}

bool ts_sandbox_widget_show(struct ts_sandbox_service *service, const char *account,
    const char *sitekey, struct ts_sandbox_reply *reply)
{
    sqlite3_stmt *stmt = ts_sandbox_store_borrow(&service->store, TS_SANDBOX_STATEMENT_WIDGET_GET);
    if (!stmt || sqlite3_bind_text(stmt, 1, account, -1, SQLITE_STATIC) ||
        sqlite3_bind_text(stmt, 2, sitekey, -1, SQLITE_STATIC)) {
        return ts_sandbox_reply_refuse(reply, TS_SANDBOX_BROKEN);
    }
    int code = sqlite3_step(stmt);
    if (code == SQLITE_ROW) {
        ts_sandbox_reply_result(reply, ts_sandbox_store_text(stmt, 0));
    } else {
        ts_sandbox_reply_refuse(
            reply, code == SQLITE_DONE ? TS_SANDBOX_NO_WIDGET : TS_SANDBOX_BROKEN);
    }
    sqlite3_reset(stmt);
    return code == SQLITE_ROW;
}

void ts_sandbox_widget_finish(
    struct ts_sandbox_service *service, bool is_fine, struct ts_sandbox_reply *reply)
{
    bool commit = is_fine && !reply->has_failed;
    bool is_done = ts_sandbox_store_end(&service->store, commit);
    if (commit && !is_done) {
        ts_sandbox_reply_refuse(reply, TS_SANDBOX_BROKEN);
    }
}

// What costs an entitlement, in the service's words. Only the wording for a flag is on record.
static bool fields_check_entitlements(
    const struct ts_sandbox_fields *fields, unsigned entitlements, struct ts_sandbox_reply *reply)
{
    static const struct {
        enum ts_sandbox_field field;
        enum ts_sandbox_entitlement needs;
    } flags[] = {
        {TS_SANDBOX_BOT_FIGHT_MODE, TS_SANDBOX_ENTITLED_BOT_FIGHT_MODE},
        {TS_SANDBOX_EPHEMERAL_ID, TS_SANDBOX_ENTITLED_EPHEMERAL_ID},
        {TS_SANDBOX_OFFLABEL, TS_SANDBOX_ENTITLED_OFFLABEL},
    };
    if (fields->domains.count == 0 && !(entitlements & TS_SANDBOX_ENTITLED_ANY_HOSTNAME)) {
        return ts_sandbox_reply_refuse_with(
            reply, TS_SANDBOX_NOT_ENTITLED, "not entitled to widgets with empty `domains`");
    }
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
        if (fields->values[flags[i].field].flag && !(entitlements & flags[i].needs)) {
            return ts_sandbox_reply_refuse_with(reply, TS_SANDBOX_NOT_ENTITLED,
                "not entitled to widgets with `%s` set to true",
                ts_sandbox_field_name(flags[i].field));
        }
    }
    return true;
}

// The published schema speaks of 10 where the product takes 15: a difference worth a line.
static void fields_warn_domains(
    struct ts_sandbox_service *service, const struct ts_sandbox_fields *fields)
{
    if (fields->domains.count > PUBLISHED_DOMAINS) {
        ts_log_line(&service->log, TS_LOG_VERBOSE,
            "warning: %zu domains; the published schema allows %d", fields->domains.count,
            PUBLISHED_DOMAINS);
    }
}

static bool fleet_check_quota(
    struct ts_sandbox_service *service, const char *account, struct ts_sandbox_reply *reply)
{
    int64_t most = service->settings.max_widgets;
    if (most == 0) {
        return true;
    }
    sqlite3_stmt *stmt =
        ts_sandbox_store_borrow(&service->store, TS_SANDBOX_STATEMENT_WIDGET_COUNT);
    if (!stmt || sqlite3_bind_text(stmt, 1, account, -1, SQLITE_STATIC)) {
        return ts_sandbox_reply_refuse(reply, TS_SANDBOX_BROKEN);
    }
    int64_t have = sqlite3_step(stmt) == SQLITE_ROW ? sqlite3_column_int64(stmt, 0) : 0;
    sqlite3_reset(stmt);
    return have < most || ts_sandbox_reply_refuse_with(reply, TS_SANDBOX_OVER_QUOTA,
                              "widget limit reached: this account may have %lld", (long long)most);
}

static int bind_text_or(
    sqlite3_stmt *stmt, int at, const struct ts_sandbox_value *value, const char *otherwise)
{
    return sqlite3_bind_text(stmt, at, value->is_set ? value->text : otherwise, -1, SQLITE_STATIC);
}

static int bind_flag(
    sqlite3_stmt *stmt, int at, const struct ts_sandbox_value *value, bool keep_absent)
{
    return keep_absent && !value->is_set ? sqlite3_bind_null(stmt, at)
                                         : sqlite3_bind_int(stmt, at, value->flag);
}

// One attempt with fresh keys; SQLITE_CONSTRAINT when they are taken already.
static int widget_insert(struct ts_sandbox_service *service, const char *account,
    const struct ts_sandbox_fields *fields, const char *domains, char *sitekey)
{
    char secret[TS_SANDBOX_SECRET_LEN + 1];
    char text[TS_CLOCK_TEXT_MAX];
    int64_t now = ts_sandbox_service_now(service);
    ts_clock_format(now, text);
    sqlite3_stmt *stmt =
        ts_sandbox_store_borrow(&service->store, TS_SANDBOX_STATEMENT_WIDGET_INSERT);
    const struct ts_sandbox_value *values = fields->values;
    if (!stmt || ts_sandbox_keys_sitekey(&service->keys, sitekey, NULL) ||
        ts_sandbox_keys_secret(&service->keys, sitekey, secret, NULL) ||
        sqlite3_bind_text(stmt, 1, account, -1, SQLITE_STATIC) ||
        sqlite3_bind_text(stmt, 2, sitekey, -1, SQLITE_STATIC) ||
        sqlite3_bind_text(stmt, 3, secret, -1, SQLITE_STATIC) ||
        bind_text_or(stmt, 4, &values[TS_SANDBOX_NAME], NULL) ||
        bind_text_or(stmt, 5, &values[TS_SANDBOX_MODE], NULL) ||
        sqlite3_bind_text(stmt, 6, domains, -1, SQLITE_STATIC) ||
        bind_text_or(stmt, 7, &values[TS_SANDBOX_REGION], "world") ||
        bind_text_or(stmt, 8, &values[TS_SANDBOX_CLEARANCE_LEVEL], "no_clearance") ||
        bind_flag(stmt, 9, &values[TS_SANDBOX_BOT_FIGHT_MODE], false) ||
        bind_flag(stmt, 10, &values[TS_SANDBOX_EPHEMERAL_ID], false) ||
        bind_flag(stmt, 11, &values[TS_SANDBOX_OFFLABEL], false) ||
        sqlite3_bind_int64(stmt, 12, now) || sqlite3_bind_text(stmt, 13, text, -1, SQLITE_STATIC)) {
        return SQLITE_ERROR;
    }
    int code = sqlite3_step(stmt);
    sqlite3_reset(stmt);
    sqlite3_clear_bindings(stmt); // they point into this frame
    return code;
}

static bool widget_create(struct ts_sandbox_service *service,
    const struct ts_sandbox_request *request, const struct ts_sandbox_fields *fields,
    const char *domains, struct ts_sandbox_reply *reply)
{
    if (!fleet_check_quota(service, request->account, reply)) {
        return false;
    }
    char sitekey[TS_SANDBOX_SITEKEY_LEN + 1];
    int code = SQLITE_CONSTRAINT;
    for (int i = 0; i < KEY_ATTEMPTS && (code & 0xff) == SQLITE_CONSTRAINT; i++) {
        code = widget_insert(service, request->account, fields, domains, sitekey);
    }
    if (code != SQLITE_DONE) {
        return ts_sandbox_reply_refuse(reply, TS_SANDBOX_BROKEN);
    }
    return ts_sandbox_widget_show(service, request->account, sitekey, reply);
}

static bool widget_update(struct ts_sandbox_service *service,
    const struct ts_sandbox_request *request, const struct ts_sandbox_fields *fields,
    const char *domains, struct ts_sandbox_reply *reply)
{
    char text[TS_CLOCK_TEXT_MAX];
    int64_t now = ts_sandbox_service_now(service);
    ts_clock_format(now, text);
    sqlite3_stmt *stmt =
        ts_sandbox_store_borrow(&service->store, TS_SANDBOX_STATEMENT_WIDGET_UPDATE);
    const struct ts_sandbox_value *values = fields->values;
    bool is_done = stmt && !sqlite3_bind_text(stmt, 1, request->account, -1, SQLITE_STATIC) &&
                   !sqlite3_bind_text(stmt, 2, request->sitekey, -1, SQLITE_STATIC) &&
                   !bind_text_or(stmt, 3, &values[TS_SANDBOX_NAME], NULL) &&
                   !bind_text_or(stmt, 4, &values[TS_SANDBOX_MODE], NULL) &&
                   !sqlite3_bind_text(stmt, 5, domains, -1, SQLITE_STATIC) &&
                   !bind_text_or(stmt, 6, &values[TS_SANDBOX_CLEARANCE_LEVEL], NULL) &&
                   !bind_flag(stmt, 7, &values[TS_SANDBOX_BOT_FIGHT_MODE], true) &&
                   !bind_flag(stmt, 8, &values[TS_SANDBOX_EPHEMERAL_ID], true) &&
                   !bind_flag(stmt, 9, &values[TS_SANDBOX_OFFLABEL], true) &&
                   !sqlite3_bind_int64(stmt, 10, now) &&
                   !sqlite3_bind_text(stmt, 11, text, -1, SQLITE_STATIC) &&
                   ts_sandbox_store_run(stmt);
    if (!is_done) {
        return ts_sandbox_reply_refuse(reply, TS_SANDBOX_BROKEN);
    }
    return ts_sandbox_widget_show(service, request->account, request->sitekey, reply);
}

void ts_sandbox_op_get(struct ts_sandbox_service *service, const struct ts_sandbox_request *request,
    struct ts_sandbox_reply *reply)
{
    ts_sandbox_widget_show(service, request->account, request->sitekey, reply);
}

void ts_sandbox_op_create(struct ts_sandbox_service *service,
    const struct ts_sandbox_request *request, struct ts_sandbox_reply *reply)
{
    struct ts_sandbox_fields fields;
    struct ts_buf domains;
    ts_buf_init(&domains, DOMAINS_JSON_MAX);
    if (!ts_sandbox_fields_read(
            &fields, request, TS_SANDBOX_BODY_WIDGET, service->settings.max_domains, reply) ||
        !fields_check_entitlements(&fields, service->settings.entitlements, reply)) {
        goto done;
    }
    if (ts_sandbox_domains_json(&fields.domains, &domains) ||
        !ts_sandbox_store_begin(&service->store)) {
        ts_sandbox_reply_refuse(reply, TS_SANDBOX_BROKEN);
        goto done;
    }
    bool is_fine = widget_create(service, request, &fields, ts_buf_text(&domains), reply);
    ts_sandbox_widget_finish(service, is_fine, reply);
    fields_warn_domains(service, &fields);
done:
    ts_buf_fini(&domains);
    ts_sandbox_fields_fini(&fields);
}

// The order of checks follows the service as far as it is known; that a missing widget is found
// behind a malformed body and before entitlements is a choice.
static bool update_check(struct ts_sandbox_service *service,
    const struct ts_sandbox_request *request, const struct ts_sandbox_fields *fields,
    struct ts_sandbox_reply *reply)
{
    struct ts_sandbox_widget_state state;
    if (!ts_sandbox_widget_read_state(service, request, &state, reply)) {
        return false;
    }
    const struct ts_sandbox_value *region = &fields->values[TS_SANDBOX_REGION];
    if (region->is_set && !ts_str_is(region->text, state.region)) {
        return ts_sandbox_reply_refuse_with(
            reply, TS_SANDBOX_INVALID, "`region` cannot be changed after creation");
    }
    return fields_check_entitlements(fields, service->settings.entitlements, reply);
}

void ts_sandbox_op_update(struct ts_sandbox_service *service,
    const struct ts_sandbox_request *request, struct ts_sandbox_reply *reply)
{
    struct ts_sandbox_fields fields;
    struct ts_buf domains;
    ts_buf_init(&domains, DOMAINS_JSON_MAX);
    if (!ts_sandbox_fields_read(
            &fields, request, TS_SANDBOX_BODY_WIDGET, service->settings.max_domains, reply)) {
        goto done;
    }
    if (ts_sandbox_domains_json(&fields.domains, &domains) ||
        !ts_sandbox_store_begin(&service->store)) {
        ts_sandbox_reply_refuse(reply, TS_SANDBOX_BROKEN);
        goto done;
    }
    bool is_fine = update_check(service, request, &fields, reply) &&
                   widget_update(service, request, &fields, ts_buf_text(&domains), reply);
    ts_sandbox_widget_finish(service, is_fine, reply);
    fields_warn_domains(service, &fields);
done:
    ts_buf_fini(&domains);
    ts_sandbox_fields_fini(&fields);
}

void ts_sandbox_op_delete(struct ts_sandbox_service *service,
    const struct ts_sandbox_request *request, struct ts_sandbox_reply *reply)
{
    if (!ts_sandbox_store_begin(&service->store)) {
        ts_sandbox_reply_refuse(reply, TS_SANDBOX_BROKEN);
        return;
    }
    bool is_fine = ts_sandbox_widget_show(service, request->account, request->sitekey, reply);
    if (is_fine) {
        sqlite3_stmt *stmt =
            ts_sandbox_store_borrow(&service->store, TS_SANDBOX_STATEMENT_WIDGET_DELETE);
        is_fine = stmt && !sqlite3_bind_text(stmt, 1, request->account, -1, SQLITE_STATIC) &&
                  !sqlite3_bind_text(stmt, 2, request->sitekey, -1, SQLITE_STATIC) &&
                  ts_sandbox_store_run(stmt);
        if (!is_fine) {
            ts_sandbox_reply_refuse(reply, TS_SANDBOX_BROKEN);
        }
    }
    ts_sandbox_widget_finish(service, is_fine, reply);
}
