// SPDX-License-Identifier: MIT
// The route table and its matching, segment by segment.
// A path that exists with other methods answers 405, whoever asks.
#include "host/sandbox/route.h"

#include <stdio.h>
#include <string.h>

#include "host/base/str.h"

#define WIDGETS "client/v4/accounts/{account}/challenges/widgets"

static const struct ts_sandbox_route routes[] = {
    {"list", TS_SANDBOX_GET, TS_SANDBOX_GUARD_API, WIDGETS, ts_sandbox_op_list},
    {"create", TS_SANDBOX_POST, TS_SANDBOX_GUARD_API, WIDGETS, ts_sandbox_op_create},
    {"get", TS_SANDBOX_GET, TS_SANDBOX_GUARD_API, WIDGETS "/{sitekey}", ts_sandbox_op_get},
    {"update", TS_SANDBOX_PUT, TS_SANDBOX_GUARD_API, WIDGETS "/{sitekey}", ts_sandbox_op_update},
    {"delete", TS_SANDBOX_DELETE, TS_SANDBOX_GUARD_API, WIDGETS "/{sitekey}", ts_sandbox_op_delete},
    {"rotate", TS_SANDBOX_POST, TS_SANDBOX_GUARD_API, WIDGETS "/{sitekey}/rotate_secret",
        ts_sandbox_op_rotate},
    {"verify", TS_SANDBOX_GET, TS_SANDBOX_GUARD_VERIFY, "client/v4/user/tokens/verify",
        ts_sandbox_op_verify_token},
    {"verify", TS_SANDBOX_GET, TS_SANDBOX_GUARD_VERIFY,
        "client/v4/accounts/{account}/tokens/verify", ts_sandbox_op_verify_token},
    {"siteverify", TS_SANDBOX_POST, TS_SANDBOX_GUARD_NONE, "turnstile/v0/siteverify",
        ts_sandbox_op_siteverify},
    {"control", TS_SANDBOX_POST, TS_SANDBOX_GUARD_CONTROL, "sandbox/tokens", ts_sandbox_op_mint},
    {"control", TS_SANDBOX_GET, TS_SANDBOX_GUARD_CONTROL, "sandbox/requests",
        ts_sandbox_op_requests},
    {"control", TS_SANDBOX_DELETE, TS_SANDBOX_GUARD_CONTROL, "sandbox/requests",
        ts_sandbox_op_forget},
    {"control", TS_SANDBOX_GET, TS_SANDBOX_GUARD_CONTROL, "sandbox/faults", ts_sandbox_op_faults},
    {"control", TS_SANDBOX_POST, TS_SANDBOX_GUARD_CONTROL, "sandbox/faults",
        ts_sandbox_op_add_fault},
    {"control", TS_SANDBOX_DELETE, TS_SANDBOX_GUARD_CONTROL, "sandbox/faults",
        ts_sandbox_op_remove_faults},
    {"control", TS_SANDBOX_POST, TS_SANDBOX_GUARD_CONTROL, "sandbox/settings",
        ts_sandbox_op_settings},
    {"control", TS_SANDBOX_POST, TS_SANDBOX_GUARD_CONTROL, "sandbox/clock", ts_sandbox_op_advance},
    {"control", TS_SANDBOX_POST, TS_SANDBOX_GUARD_CONTROL, "sandbox/credentials",
        ts_sandbox_op_credential},
    {"control", TS_SANDBOX_POST, TS_SANDBOX_GUARD_CONTROL, "sandbox/accounts/{account}/widgets",
        ts_sandbox_op_import},
};

bool ts_sandbox_op_is_name(const char *name)
{
    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++) {
        if (routes[i].guard != TS_SANDBOX_GUARD_CONTROL && ts_str_is(routes[i].name, name)) {
            return true;
        }
    }
    return false;
}

// A sitekey in the path is decoded; one with other characters is simply unknown.
static void request_take_sitekey(struct ts_sandbox_request *request, const char *segment)
{
    static const char allowed[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
    char text[sizeof request->sitekey];
    bool is_fine = ts_sandbox_request_decode(segment, text, sizeof text) && *text &&
                   strspn(text, allowed) == strlen(text);
    ts_str_copy(request->sitekey, sizeof request->sitekey, is_fine ? text : "");
}

static bool route_matches(const struct ts_sandbox_route *route, struct ts_sandbox_request *request)
{
    const char *account = NULL;
    const char *sitekey = NULL;
    size_t i = 0;
    for (const char *p = route->path; p; i++) {
        size_t len = strcspn(p, "/");
        const char *segment = i < request->segment_count ? request->segments[i] : NULL;
        if (!segment) {
            return false;
        }
        if (strncmp(p, "{account}", len) == 0) {
            account = segment;
        } else if (strncmp(p, "{sitekey}", len) == 0) {
            sitekey = segment;
        } else if (strlen(segment) != len || memcmp(p, segment, len) != 0) {
            return false;
        }
        p = p[len] ? p + len + 1 : NULL;
    }
    if (i != request->segment_count) {
        return false;
    }
    request->account = account;
    if (sitekey) {
        request_take_sitekey(request, sitekey);
    }
    return true;
}

static bool refuse_account(struct ts_sandbox_request *request, struct ts_sandbox_reply *reply)
{
    int len = (int)strcspn(request->target, "?");
    return ts_sandbox_reply_refuse_with(reply, TS_SANDBOX_BAD_ACCOUNT_ID,
        "Could not route to %.*s, perhaps your object identifier is invalid?",
        len > 512 ? 512 : len, request->target);
}

const struct ts_sandbox_route *ts_sandbox_route_find(
    struct ts_sandbox_request *request, struct ts_sandbox_reply *reply)
{
    char allow[64] = "";
    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++) {
        const struct ts_sandbox_route *route = &routes[i];
        if (request->segment_count == SIZE_MAX || !route_matches(route, request)) {
            continue;
        }
        if (request->account && !ts_sandbox_settings_is_account(request->account)) {
            refuse_account(request, reply);
            return NULL;
        }
        if (route->method == request->method) {
            return route;
        }
        static const char *const names[] = {[TS_SANDBOX_GET] = "GET, HEAD",
            [TS_SANDBOX_POST] = "POST",
            [TS_SANDBOX_PUT] = "PUT",
            [TS_SANDBOX_DELETE] = "DELETE"};
        size_t len = strlen(allow);
        snprintf(allow + len, sizeof allow - len, "%s%s", len ? ", " : "", names[route->method]);
    }
    if (*allow) {
        ts_sandbox_reply_refuse(reply, TS_SANDBOX_BAD_METHOD);
        ts_sandbox_reply_header(reply, "Allow", allow);
        return NULL;
    }
    bool is_api = request->segment_count >= 2 && ts_str_is(request->segments[0], "client") &&
                  ts_str_is(request->segments[1], "v4");
    ts_sandbox_reply_refuse(reply, is_api ? TS_SANDBOX_NO_ROUTE : TS_SANDBOX_NO_PATH);
    return NULL;
}
