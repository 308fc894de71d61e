// SPDX-License-Identifier: MIT
// The control routes besides minting: what was asked so far, faults to come, settings.
// None of them shows a secret.
#include <stdio.h>
#include <string.h>

#include "host/base/str.h"
#include "host/sandbox/op.h"
#include "host/sandbox/param.h"

#define MS_MOST 600000
#define RETRY_AFTER_DEFAULT_S 300
#define ADVANCE_MOST_S INT64_C(315360000)

// Adds one row that a JSON statement was bound for. False when SQLite fails.
static bool reply_add_row(struct ts_sandbox_reply *reply, sqlite3_stmt *stmt, bool is_first)
{
    if (sqlite3_step(stmt) != SQLITE_ROW) {
        return false;
    }
    ts_sandbox_reply_add(reply, is_first ? "" : ",");
    ts_sandbox_reply_add(reply, ts_sandbox_store_text(stmt, 0));
    sqlite3_reset(stmt);
    return true;
}

static bool reply_add_request(struct ts_sandbox_service *service, struct ts_sandbox_reply *reply,
    const struct ts_sandbox_history_entry *entry, int64_t seq, bool is_first)
{
    char when[TS_CLOCK_TEXT_MAX];
    ts_clock_format(entry->wall_us, when);
    sqlite3_stmt *stmt =
        ts_sandbox_store_borrow(&service->store, TS_SANDBOX_STATEMENT_JSON_REQUEST);
    return stmt && !sqlite3_bind_int64(stmt, 1, seq) &&
           !sqlite3_bind_text(stmt, 2, when, -1, SQLITE_STATIC) &&
           !sqlite3_bind_text(stmt, 3, entry->method, -1, SQLITE_STATIC) &&
           !sqlite3_bind_text(stmt, 4, entry->path, -1, SQLITE_STATIC) &&
           !sqlite3_bind_text(stmt, 5, entry->op, -1, SQLITE_STATIC) &&
           !sqlite3_bind_int(stmt, 6, entry->status) && reply_add_row(reply, stmt, is_first);
}

// GET /sandbox/requests?op=NAME&after=SEQ
void ts_sandbox_op_requests(struct ts_sandbox_service *service,
    const struct ts_sandbox_request *request, struct ts_sandbox_reply *reply)
{
    char op[TS_SANDBOX_VALUE_MAX];
    char text[TS_SANDBOX_VALUE_MAX];
    int64_t after = 0;
    if (!ts_sandbox_request_query(request, "op", op) ||
        !ts_sandbox_request_query(request, "after", text) ||
        (*text && !ts_str_to_int(text, &after))) {
        ts_sandbox_reply_refuse_with(reply, TS_SANDBOX_INVALID, "invalid `op` or `after`");
        return;
    }
    ts_sandbox_reply_open(reply);
    ts_sandbox_reply_add(reply, "[");
    bool is_first = true;
    for (size_t i = 0; i < service->history.count; i++) {
        int64_t seq;
        const struct ts_sandbox_history_entry *entry =
            ts_sandbox_history_at(&service->history, i, &seq);
        if (seq <= after || (*op && !ts_str_is(op, entry->op))) {
            continue;
        }
        if (!reply_add_request(service, reply, entry, seq, is_first)) {
            ts_sandbox_reply_refuse(reply, TS_SANDBOX_BROKEN);
            return;
        }
        is_first = false;
    }
    ts_sandbox_reply_add(reply, "]}");
}

void ts_sandbox_op_forget(struct ts_sandbox_service *service,
    const struct ts_sandbox_request *request, struct ts_sandbox_reply *reply)
{
    (void)request;
    ts_sandbox_history_clear(&service->history);
    ts_sandbox_reply_result(reply, "null");
}

static bool reply_add_fault(struct ts_sandbox_service *service, struct ts_sandbox_reply *reply,
    const struct ts_sandbox_fault *fault, bool is_first)
{
    sqlite3_stmt *stmt = ts_sandbox_store_borrow(&service->store, TS_SANDBOX_STATEMENT_JSON_FAULT);
    return stmt && !sqlite3_bind_text(stmt, 1, fault->op, -1, SQLITE_STATIC) &&
           !sqlite3_bind_text(
               stmt, 2, ts_sandbox_fault_kind_name(fault->kind), -1, SQLITE_STATIC) &&
           !sqlite3_bind_int64(stmt, 3, fault->nth) && !sqlite3_bind_int64(stmt, 4, fault->times) &&
           !sqlite3_bind_int64(stmt, 5, fault->ms) &&
           !sqlite3_bind_int(stmt, 6, fault->is_applied) &&
           !sqlite3_bind_int64(stmt, 7, fault->retry_after_s) &&
           !sqlite3_bind_int64(stmt, 8, fault->hits) && reply_add_row(reply, stmt, is_first);
}

void ts_sandbox_op_faults(struct ts_sandbox_service *service,
    const struct ts_sandbox_request *request, struct ts_sandbox_reply *reply)
{
    (void)request;
    ts_sandbox_reply_open(reply);
    ts_sandbox_reply_add(reply, "[");
    for (size_t i = 0; i < service->faults.count; i++) {
        if (!reply_add_fault(service, reply, &service->faults.faults[i], i == 0)) {
            ts_sandbox_reply_refuse(reply, TS_SANDBOX_BROKEN);
            return;
        }
    }
    ts_sandbox_reply_add(reply, "]}");
}

static bool fault_read(struct ts_sandbox_fault *fault, const struct ts_sandbox_request *request,
    struct ts_sandbox_reply *reply)
{
    char kind[16] = "";
    *fault = (struct ts_sandbox_fault){
        .op = "any", .nth = 1, .times = 1, .retry_after_s = RETRY_AFTER_DEFAULT_S};
    struct ts_sandbox_param params[] = {
        {"op", .text = fault->op, .size = sizeof fault->op},
        {"kind", .text = kind, .size = sizeof kind},
        {"nth", .number = &fault->nth},
        {"times", .number = &fault->times},
        {"ms", .number = &fault->ms},
        {"retry_after", .number = &fault->retry_after_s},
        {"applied", .flag = &fault->is_applied},
    };
    const size_t applied = sizeof params / sizeof params[0] - 1;
    if (!ts_sandbox_params_read(request, params, applied + 1, reply)) {
        return false;
    }
    fault->kind = ts_sandbox_fault_kind_find(kind);
    if (!params[applied].is_set) {
        fault->is_applied = ts_sandbox_fault_kind_is_applied(fault->kind);
    }
    if (fault->kind == TS_SANDBOX_FAULT_NONE) {
        return ts_sandbox_reply_refuse_with(
            reply, TS_SANDBOX_INVALID, "`kind` must be one of 429, 502, drop, truncate, delay");
    }
    if (!ts_str_is(fault->op, "any") && !ts_sandbox_op_is_name(fault->op)) {
        return ts_sandbox_reply_refuse_with(reply, TS_SANDBOX_INVALID,
            "`op` must be any, list, get, create, update, delete, rotate, verify or siteverify");
    }
    bool must_apply =
        fault->kind == TS_SANDBOX_FAULT_TRUNCATE || fault->kind == TS_SANDBOX_FAULT_DELAY;
    if (fault->nth < 1 || fault->times < 1 || fault->ms > MS_MOST ||
        (must_apply && !fault->is_applied)) {
        return ts_sandbox_reply_refuse_with(reply, TS_SANDBOX_INVALID,
            "`nth` and `times` begin at 1, `ms` ends at %d, truncate and delay need the reply",
            MS_MOST);
    }
    return true;
}

void ts_sandbox_op_add_fault(struct ts_sandbox_service *service,
    const struct ts_sandbox_request *request, struct ts_sandbox_reply *reply)
{
    struct ts_sandbox_fault fault;
    if (!fault_read(&fault, request, reply)) {
        return;
    }
    if (!ts_sandbox_faults_add(&service->faults, &fault)) {
        ts_sandbox_reply_refuse_with(reply, TS_SANDBOX_INVALID, "too many faults are waiting");
        return;
    }
    ts_sandbox_op_faults(service, request, reply);
}

void ts_sandbox_op_remove_faults(struct ts_sandbox_service *service,
    const struct ts_sandbox_request *request, struct ts_sandbox_reply *reply)
{
    (void)request;
    ts_sandbox_faults_remove(&service->faults);
    ts_sandbox_reply_result(reply, "null");
}

void ts_sandbox_op_settings(struct ts_sandbox_service *service,
    const struct ts_sandbox_request *request, struct ts_sandbox_reply *reply)
{
    struct ts_sandbox_param params[] = {
        {"lenient_testing_keys", .flag = &service->is_lenient},
    };
    if (ts_sandbox_params_read(request, params, sizeof params / sizeof params[0], reply)) {
        ts_sandbox_reply_result(reply, service->is_lenient ? "{\"lenient_testing_keys\":true}"
                                                           : "{\"lenient_testing_keys\":false}");
    }
}

void ts_sandbox_op_advance(struct ts_sandbox_service *service,
    const struct ts_sandbox_request *request, struct ts_sandbox_reply *reply)
{
    int64_t seconds = 0;
    struct ts_sandbox_param params[] = {{"advance", .number = &seconds}};
    if (!ts_sandbox_params_read(request, params, 1, reply)) {
        return;
    }
    if (seconds > ADVANCE_MOST_S - service->skew_us / 1000000) {
        ts_sandbox_reply_refuse_with(
            reply, TS_SANDBOX_INVALID, "the clock moves at most ten years in all");
        return;
    }
    service->skew_us += seconds * 1000000;
    char when[TS_CLOCK_TEXT_MAX];
    char text[TS_CLOCK_TEXT_MAX + 16];
    ts_clock_format(ts_sandbox_service_now(service), when);
    snprintf(text, sizeof text, "{\"now\":\"%s\"}", when);
    ts_sandbox_reply_result(reply, text);
}

void ts_sandbox_op_credential(struct ts_sandbox_service *service,
    const struct ts_sandbox_request *request, struct ts_sandbox_reply *reply)
{
    char token[256] = "";
    char name[16] = "";
    struct ts_sandbox_param params[] = {
        {"token", .text = token, .size = sizeof token},
        {"permission", .text = name, .size = sizeof name},
    };
    if (!ts_sandbox_params_read(request, params, sizeof params / sizeof params[0], reply)) {
        return;
    }
    enum ts_sandbox_permission permission = ts_sandbox_permission_find(name);
    struct ts_sandbox_identity identity;
    ts_sandbox_auth_identify(token, &identity);
    explicit_bzero(token, sizeof token);
    if (!params[0].is_set || permission == TS_SANDBOX_PERMISSION_COUNT) {
        ts_sandbox_reply_refuse_with(reply, TS_SANDBOX_INVALID,
            "give a `token` and its `permission`: revoked, none, read or write");
        return;
    }
    if (!ts_sandbox_credentials_add(&service->credentials, identity.digest, permission)) {
        ts_sandbox_reply_refuse_with(reply, TS_SANDBOX_INVALID, "too many credentials");
        return;
    }
    ts_sandbox_reply_result(reply, "null");
}
