// SPDX-License-Identifier: MIT
// siteverify: a secret and a token go in, a verdict comes out; always 200 once the body was read.
// Problems with the secret are found before problems with the token.
#include <stdio.h>
#include <string.h>

#include "host/base/str.h"
#include "host/sandbox/op.h"
#include "host/sandbox/siteverify_input.h"
#include "host/sandbox/testing_key.h"

#define TOKEN_LIFE_US (INT64_C(300) * 1000000)

// A widget or token as one call sees it.
struct subject {
    char sitekey[33];
    bool has_ephemeral_id;
};

static void verdict_fail(struct ts_sandbox_reply *reply, int status, const char *error)
{
    char text[128];
    snprintf(
        text, sizeof text, "{\"success\":false,\"error-codes\":[\"%s\"],\"messages\":[]}", error);
    ts_sandbox_reply_plain(reply, status, text);
}

// The API's time format, cut to the milliseconds that siteverify shows.
static void time_format(int64_t wall_us, char *text)
{
    char whole[TS_CLOCK_TEXT_MAX];
    ts_clock_format(wall_us - wall_us % 1000000, whole);
    size_t len = strlen(whole);
    snprintf(text, TS_CLOCK_TEXT_MAX, "%.*s.%03dZ", (int)(len - 1), whole,
        (int)(wall_us % 1000000 / 1000));
}

static bool text_is_uuid(const char *text)
{
    static const char shape[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    size_t i = 0;
    for (; shape[i]; i++) {
        bool is_fine =
            shape[i] == '-' ? text[i] == '-' : text[i] && strchr("0123456789abcdefABCDEF", text[i]);
        if (!is_fine) {
            return false;
        }
    }
    return text[i] == '\0';
}

static void verdict_of_testing(struct ts_sandbox_service *service, const char *error,
    const struct ts_sandbox_siteverify_input *input, struct ts_sandbox_reply *reply)
{
    if (!*input->response) {
        verdict_fail(reply, 200, "missing-input-response");
        return;
    }
    if (!service->is_lenient && !ts_str_is(input->response, TS_SANDBOX_DUMMY_TOKEN)) {
        verdict_fail(reply, 200, "invalid-input-secret");
        return;
    }
    char text[256];
    if (*error) {
        snprintf(text, sizeof text,
            "{\"success\":false,\"error-codes\":[\"%s\"],\"messages\":[],"
            "\"metadata\":{\"result_with_testing_key\":true}}",
            error);
    } else {
        char when[TS_CLOCK_TEXT_MAX];
        time_format(ts_sandbox_service_now(service), when);
        snprintf(text, sizeof text,
            "{\"success\":true,\"error-codes\":[],\"challenge_ts\":\"%s\","
            "\"hostname\":\"example.com\",\"metadata\":{\"interactive\":false,"
            "\"result_with_testing_key\":true}}",
            when);
    }
    ts_sandbox_reply_plain(reply, 200, text);
}

// Finds the widget of a secret, current or previous. Negative when SQLite fails.
static int subject_find(
    struct ts_sandbox_service *service, const char *secret, struct subject *subject)
{
    sqlite3_stmt *stmt =
        ts_sandbox_store_borrow(&service->store, TS_SANDBOX_STATEMENT_WIDGET_BY_SECRET);
    if (!stmt || sqlite3_bind_text(stmt, 1, secret, -1, SQLITE_STATIC) ||
        sqlite3_bind_int64(stmt, 2, ts_sandbox_service_now(service))) {
        return -1;
    }
    int code = sqlite3_step(stmt);
    if (code == SQLITE_ROW) {
        ts_str_copy(subject->sitekey, sizeof subject->sitekey, ts_sandbox_store_text(stmt, 0));
        subject->has_ephemeral_id = sqlite3_column_int(stmt, 1);
    }
    sqlite3_reset(stmt);
    return code == SQLITE_ROW ? 1 : code == SQLITE_DONE ? 0 : -1;
}

// The verdict for a token row: NULL, or an error code.
static const char *token_judge(sqlite3_stmt *token, const struct subject *subject, int64_t now)
{
    if (!ts_str_is(ts_sandbox_store_text(token, 0), subject->sitekey)) {
        return "invalid-input-response";
    }
    if (now - sqlite3_column_int64(token, 4) > TOKEN_LIFE_US) {
        return "timeout-or-duplicate";
    }
    bool is_redeemed = sqlite3_column_int(token, 5);
    bool is_same_call = sqlite3_column_int(token, 6);
    return is_redeemed && !is_same_call ? "timeout-or-duplicate" : NULL;
}

// Stands for the visitor; the sandbox has only one for each hostname.
static void ephemeral_id_format(const char *hostname, char *text, size_t size)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (const char *p = hostname; *p; p++) {
        hash = (hash ^ (unsigned char)*p) * UINT64_C(0x100000001b3);
    }
    snprintf(text, size, "x:%016llx", (unsigned long long)hash);
}

static bool verdict_pass(struct ts_sandbox_service *service, sqlite3_stmt *token,
    const struct subject *subject, struct ts_sandbox_reply *reply)
{
    char when[TS_CLOCK_TEXT_MAX];
    char ephemeral_id[32];
    const char *hostname = ts_sandbox_store_text(token, 1);
    time_format(sqlite3_column_int64(token, 4), when);
    ephemeral_id_format(hostname, ephemeral_id, sizeof ephemeral_id);
    sqlite3_stmt *stmt =
        ts_sandbox_store_borrow(&service->store, TS_SANDBOX_STATEMENT_JSON_VERDICT);
    if (!stmt || sqlite3_bind_text(stmt, 1, when, -1, SQLITE_STATIC) ||
        sqlite3_bind_text(stmt, 2, hostname, -1, SQLITE_STATIC) ||
        sqlite3_bind_text(stmt, 3, ts_sandbox_store_text(token, 2), -1, SQLITE_STATIC) ||
        sqlite3_bind_text(stmt, 4, ts_sandbox_store_text(token, 3), -1, SQLITE_STATIC) ||
        (subject->has_ephemeral_id &&
            sqlite3_bind_text(stmt, 5, ephemeral_id, -1, SQLITE_STATIC)) ||
        sqlite3_step(stmt) != SQLITE_ROW) {
        return false;
    }
    ts_sandbox_reply_plain(reply, 200, ts_sandbox_store_text(stmt, 0));
    sqlite3_reset(stmt);
    return true;
}

// Inside a transaction, so that two processes on one file cannot both redeem a token. True when
// there is something to commit.
static bool token_redeem(struct ts_sandbox_service *service, const struct subject *subject,
    const struct ts_sandbox_siteverify_input *input, struct ts_sandbox_reply *reply)
{
    const char *key = *input->idempotency_key ? input->idempotency_key : NULL;
    sqlite3_stmt *token = ts_sandbox_store_borrow(&service->store, TS_SANDBOX_STATEMENT_TOKEN_GET);
    if (!token || sqlite3_bind_text(token, 1, input->response, -1, SQLITE_STATIC) ||
        sqlite3_bind_text(token, 2, key, -1, SQLITE_STATIC)) {
        verdict_fail(reply, 200, "internal-error");
        return false;
    }
    int code = sqlite3_step(token);
    const char *error = code == SQLITE_ROW
                            ? token_judge(token, subject, ts_sandbox_service_now(service))
                        : code == SQLITE_DONE ? "invalid-input-response"
                                              : "internal-error";
    if (!error && !verdict_pass(service, token, subject, reply)) {
        error = "internal-error";
    }
    sqlite3_reset(token);
    if (error) {
        verdict_fail(reply, 200, error);
        return false;
    }
    sqlite3_stmt *stmt =
        ts_sandbox_store_borrow(&service->store, TS_SANDBOX_STATEMENT_TOKEN_REDEEM);
    if (!stmt || sqlite3_bind_text(stmt, 1, input->response, -1, SQLITE_STATIC) ||
        sqlite3_bind_text(stmt, 2, key, -1, SQLITE_STATIC) || !ts_sandbox_store_run(stmt)) {
        verdict_fail(reply, 200, "internal-error");
        return false;
    }
    return true;
}

// What is wrong with the rest of the call once the secret is known to be good.
static const char *input_check(const struct ts_sandbox_siteverify_input *input)
{
    if (!*input->response) {
        return "missing-input-response";
    }
    if (strlen(input->response) > TS_SANDBOX_RESPONSE_MAX) {
        return "invalid-input-response";
    }
    return *input->idempotency_key && !text_is_uuid(input->idempotency_key) ? "bad-request" : NULL;
}

static void verdict_of_widget(struct ts_sandbox_service *service,
    const struct ts_sandbox_siteverify_input *input, struct ts_sandbox_reply *reply)
{
    struct subject subject;
    if (!ts_sandbox_store_begin(&service->store)) {
        verdict_fail(reply, 200, "internal-error");
        return;
    }
    int found = subject_find(service, input->secret, &subject);
    const char *error = found < 0    ? "internal-error"
                        : found == 0 ? "invalid-input-secret"
                                     : input_check(input);
    bool is_redeemed = false;
    if (error) {
        verdict_fail(reply, 200, error);
    } else {
        is_redeemed = token_redeem(service, &subject, input, reply);
    }
    if (!ts_sandbox_store_end(&service->store, is_redeemed) && is_redeemed) {
        verdict_fail(reply, 200, "internal-error");
    }
}

void ts_sandbox_op_siteverify(struct ts_sandbox_service *service,
    const struct ts_sandbox_request *request, struct ts_sandbox_reply *reply)
{
    struct ts_sandbox_siteverify_input input;
    if (!ts_sandbox_siteverify_input_read(&input, request, &service->store)) {
        verdict_fail(reply, 400, "bad-request");
        return;
    }
    const char *testing = ts_sandbox_testing_key_verdict(input.secret);
    if (!*input.secret) {
        verdict_fail(reply, 200, "missing-input-secret");
    } else if (testing) {
        verdict_of_testing(service, testing, &input, reply);
    } else {
        verdict_of_widget(service, &input, reply);
    }
    explicit_bzero(&input, sizeof input);
}
