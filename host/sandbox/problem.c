// SPDX-License-Identifier: MIT
// The error table: every refusal with its status, code and text.
// Codes of the widget service itself are 10000 plus the status.
#include "host/sandbox/reply.h"

static const struct ts_sandbox_problem_row problems[TS_SANDBOX_PROBLEM_COUNT] = {
    [TS_SANDBOX_NO_PATH] = {404, 10404, "No route for that URI"},
    [TS_SANDBOX_NO_ROUTE] = {404, 7000, "No route for that URI"},
    [TS_SANDBOX_BAD_ACCOUNT_ID] = {404, 7003, "Could not route", .next_code = 7000,
        .next_message = "No route for that URI"},
    [TS_SANDBOX_BAD_METHOD] = {405, 10405, "Method not allowed"},
    [TS_SANDBOX_NO_CREDENTIALS] = {400, 9106,
        "Missing X-Auth-Key, X-Auth-Email or Authorization headers"},
    [TS_SANDBOX_BAD_AUTHORIZATION] = {400, 6003, "Invalid request headers", 6111,
        "Invalid format for Authorization header"},
    [TS_SANDBOX_BAD_AUTH_EMAIL] = {400, 6003, "Invalid request headers", 6102,
        "Invalid format for X-Auth-Email header"},
    [TS_SANDBOX_BAD_AUTH_KEY] = {400, 6003, "Invalid request headers", 6103,
        "Invalid format for X-Auth-Key header"},
    [TS_SANDBOX_UNKNOWN_CREDENTIALS] = {401, 10000, "Authentication error"},
    [TS_SANDBOX_UNKNOWN_TOKEN] = {401, 1000, "Invalid API Token"},
    [TS_SANDBOX_NO_PERMISSION] = {403, 10000, "Authentication error"},
    [TS_SANDBOX_THROTTLED] = {429, 971, "Please wait and consider throttling your request speed"},
    [TS_SANDBOX_BODY_TOO_LARGE] = {413, 10413, "request body too large"},
    [TS_SANDBOX_BAD_TYPE] = {415, 10415, "Content-Type must be application/json"},
    [TS_SANDBOX_INVALID] = {400, 10400, "bad request"},
    [TS_SANDBOX_NO_WIDGET] = {404, 10404, "widget not found"},
    [TS_SANDBOX_NOT_ENTITLED] = {403, 10403, "not entitled"},
    [TS_SANDBOX_OVER_QUOTA] = {403, 10403, "widget limit reached"},
    [TS_SANDBOX_FORBIDDEN] = {403, 10403, "control routes are not for web pages"},
    [TS_SANDBOX_BROKEN] = {500, 10500, "internal error"},
};

const struct ts_sandbox_problem_row *ts_sandbox_problem_row(enum ts_sandbox_problem problem)
{
    return &problems[problem];
}
