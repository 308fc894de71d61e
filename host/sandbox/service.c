// SPDX-License-Identifier: MIT
// The checks in front of every operation, in the service's order: route, credentials, permission,
// rate limit. What follows (content type, body, domains, entitlements, quota) is the operation's.
#include "host/sandbox/service.h"

#include <microhttpd.h>
#include <stdio.h>

#include "host/base/str.h"
#include "host/sandbox/route.h"

static const char bad_gateway[] =
    "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n"
    "<center><h1>502 Bad Gateway</h1></center>\r\n<hr><center>cloudflare</center>\r\n"
    "</body>\r\n</html>\r\n";

enum ts_err ts_sandbox_service_init(struct ts_sandbox_service *service,
    const struct ts_sandbox_config *config, struct ts_error *err)
{
    *service = (struct ts_sandbox_service){0};
    ts_log_init(&service->log, stderr, config->log ? TS_LOG_VERBOSE : TS_LOG_QUIET);
    service->keys.is_placeholder = config->is_placeholder;
    enum ts_err code = ts_sandbox_settings_init(&service->settings, config, err);
    if (!code) {
        code = ts_sandbox_limiter_create(config->limiter, service->settings.rate_requests,
            service->settings.rate_window_s, &service->limiter, err);
    }
    if (!code) {
        code = ts_sandbox_store_open(&service->store, config->db, err);
    }
    if (code) {
        ts_sandbox_service_fini(service);
    }
    return code;
}

void ts_sandbox_service_fini(struct ts_sandbox_service *service)
{
    ts_sandbox_store_close(&service->store);
    ts_sandbox_limiter_destroy(service->limiter);
    service->limiter = NULL;
    ts_sandbox_history_clear(&service->history);
    ts_sandbox_settings_fini(&service->settings);
}

int64_t ts_sandbox_service_now(const struct ts_sandbox_service *service)
{
    return ts_clock_wall(service->settings.clock) + service->skew_us;
}

int64_t ts_sandbox_service_mono(const struct ts_sandbox_service *service)
{
    return ts_clock_mono(service->settings.clock) + service->skew_us;
}

static void reply_set_number(struct ts_sandbox_reply *reply, const char *name, int64_t number)
{
    char text[32];
    snprintf(text, sizeof text, "%lld", (long long)number);
    ts_sandbox_reply_header(reply, name, text);
}

static void reply_set_rate(struct ts_sandbox_reply *reply, const struct ts_sandbox_verdict *verdict)
{
    char text[96];
    snprintf(text, sizeof text, "\"default\";r=%lld;t=%lld", (long long)verdict->remaining,
        (long long)verdict->reset_s);
    ts_sandbox_reply_header(reply, "Ratelimit", text);
    snprintf(text, sizeof text, "\"default\";q=%lld;w=%lld", (long long)verdict->quota,
        (long long)verdict->window_s);
    ts_sandbox_reply_header(reply, "Ratelimit-Policy", text);
}

static bool reply_refuse_rate(
    struct ts_sandbox_reply *reply, const struct ts_sandbox_verdict *verdict)
{
    reply_set_rate(reply, verdict);
    reply_set_number(reply, "Retry-After", verdict->reset_s);
    return ts_sandbox_reply_refuse(reply, TS_SANDBOX_THROTTLED);
}

// Counts the request against its credential; false when it is one too many.
static bool service_check_rate(struct ts_sandbox_service *service,
    const struct ts_sandbox_identity *identity, struct ts_sandbox_reply *reply)
{
    struct ts_sandbox_verdict verdict;
    ts_sandbox_limiter_count(
        service->limiter, identity->digest[0], ts_sandbox_service_mono(service), &verdict);
    if (verdict.is_refused) {
        return reply_refuse_rate(reply, &verdict);
    }
    reply_set_rate(reply, &verdict);
    return true;
}

// The server listens on loopback, where any web page can send requests too; browsers say so.
static bool service_check_control(
    const struct ts_sandbox_request *request, struct ts_sandbox_reply *reply)
{
    return !ts_sandbox_request_header(request, MHD_HTTP_HEADER_ORIGIN) ||
           ts_sandbox_reply_refuse(reply, TS_SANDBOX_FORBIDDEN);
}

static bool service_check(struct ts_sandbox_service *service, const struct ts_sandbox_route *route,
    const struct ts_sandbox_request *request, struct ts_sandbox_reply *reply)
{
    if (route->guard == TS_SANDBOX_GUARD_CONTROL) {
        return service_check_control(request, reply);
    }
    if (route->guard == TS_SANDBOX_GUARD_NONE) {
        return true;
    }
    bool is_verify = route->guard == TS_SANDBOX_GUARD_VERIFY;
    const struct ts_sandbox_settings *settings = &service->settings;
    struct ts_sandbox_identity identity;
    if (!ts_sandbox_auth_read(request, settings->token, &identity, reply)) {
        return false;
    }
    enum ts_sandbox_permission permission =
        ts_sandbox_credentials_find(&service->credentials, identity.digest,
            identity.is_known ? TS_SANDBOX_PERMISSION_WRITE : TS_SANDBOX_PERMISSION_REVOKED);
    if (permission == TS_SANDBOX_PERMISSION_REVOKED ||
        (is_verify && identity.scheme != TS_SANDBOX_BEARER)) {
        return ts_sandbox_reply_refuse(
            reply, is_verify ? TS_SANDBOX_UNKNOWN_TOKEN : TS_SANDBOX_UNKNOWN_CREDENTIALS);
    }
    bool is_ours =
        !request->account || !settings->account || ts_str_is(request->account, settings->account);
    bool is_enough = is_verify || permission == TS_SANDBOX_PERMISSION_WRITE ||
                     (permission == TS_SANDBOX_PERMISSION_READ && route->method == TS_SANDBOX_GET);
    if (!is_ours || !is_enough) {
        return ts_sandbox_reply_refuse(reply, TS_SANDBOX_NO_PERMISSION);
    }
    return service_check_rate(service, &identity, reply);
}

// What a fault puts in the operation's place, or over its reply.
static void service_spoil(struct ts_sandbox_service *service, struct ts_sandbox_reply *reply,
    const struct ts_sandbox_fault *fault)
{
    struct ts_sandbox_verdict verdict;
    switch (fault->kind) {
    case TS_SANDBOX_FAULT_429:
        ts_sandbox_limiter_fresh(service->limiter, &verdict);
        verdict.remaining = 0;
        verdict.reset_s = fault->retry_after_s;
        reply_refuse_rate(reply, &verdict);
        break;
    case TS_SANDBOX_FAULT_502:
        ts_sandbox_reply_plain(reply, MHD_HTTP_BAD_GATEWAY, bad_gateway);
        reply->type = "text/html";
        break;
    case TS_SANDBOX_FAULT_NONE:
    case TS_SANDBOX_FAULT_DROP:
    case TS_SANDBOX_FAULT_TRUNCATE:
    case TS_SANDBOX_FAULT_DELAY:
    case TS_SANDBOX_FAULT_KINDS:
        break;
    }
}

static void service_run(struct ts_sandbox_service *service, const struct ts_sandbox_route *route,
    const struct ts_sandbox_request *request, struct ts_sandbox_reply *reply)
{
    if (!service_check(service, route, request, reply)) {
        return;
    }
    bool is_siteverify = route->guard == TS_SANDBOX_GUARD_NONE;
    if (is_siteverify) {
        route->op(service, request, reply); // has no envelope to refuse with
    } else if (ts_sandbox_request_is_too_large(request)) {
        ts_sandbox_reply_refuse(reply, TS_SANDBOX_BODY_TOO_LARGE);
    } else if (!ts_sandbox_request_has_clean_query(request)) {
        ts_sandbox_reply_refuse_with(reply, TS_SANDBOX_INVALID, "query is not valid UTF-8");
    } else {
        route->op(service, request, reply);
    }
}

void ts_sandbox_service_answer(struct ts_sandbox_service *service,
    struct ts_sandbox_request *request, struct ts_sandbox_reply *reply,
    struct ts_sandbox_fault *fault)
{
    *fault = (struct ts_sandbox_fault){.kind = TS_SANDBOX_FAULT_NONE, .is_applied = true};
    char ray[TS_SANDBOX_RAY_LEN + 1];
    if (!ts_sandbox_keys_ray(&service->keys, ray, NULL)) {
        ts_sandbox_reply_header(reply, "CF-Ray", ray);
    }
    const struct ts_sandbox_route *route = ts_sandbox_route_find(request, reply);
    bool is_api =
        !route || route->guard == TS_SANDBOX_GUARD_API || route->guard == TS_SANDBOX_GUARD_VERIFY;
    if (is_api) {
        // Stands unless a credential is counted further down.
        struct ts_sandbox_verdict verdict;
        ts_sandbox_limiter_fresh(service->limiter, &verdict);
        reply_set_rate(reply, &verdict);
    }
    bool is_control = route && route->guard == TS_SANDBOX_GUARD_CONTROL;
    if (route && !is_control) {
        *fault = ts_sandbox_faults_next(&service->faults, route->name);
    }
    if (route && (fault->kind == TS_SANDBOX_FAULT_NONE || fault->is_applied)) {
        service_run(service, route, request, reply);
    }
    service_spoil(service, reply, fault);
    if (fault->kind != TS_SANDBOX_FAULT_DROP) {
        ts_sandbox_reply_finish(reply);
    }
    if (!is_control) {
        ts_sandbox_history_add(&service->history, ts_sandbox_service_now(service),
            fault->kind == TS_SANDBOX_FAULT_DROP ? 0 : reply->status, route ? route->name : "",
            request->method_text, request->target);
    }
}
