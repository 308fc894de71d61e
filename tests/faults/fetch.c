// SPDX-License-Identifier: MIT
// A client on the net room alone: sends requests one after the other over one loop, so that the
// later ones find the connection of the earlier ones, and prints one line of JSON for each.
//
//   fetch [--timeout-ms N] [--max-body N] [--max-head N] [--ca FILE] [--header LINE] [--forget
//   TEXT]
//         (METHOD URL BODY)...            BODY "" sends none; a method in lower case: at most once
//
// With --forget it fails when the text is not in its memory as an exchange ends, or still is when
// its result has been released and the connection is kept.
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/base/str.h"
#include "host/net/loop.h"
#include "host/net/xfer.h"
#include "tests/unit/base/heap_scan.h"

struct options {
    int64_t timeout_ms;
    int64_t max_body;
    int64_t max_head;
    const char *ca_file;
    const char *header;
    const char *forget;
};

static const char *const code_names[] = {
    [TS_OK] = "ok",
    [TS_ERR_NOMEM] = "nomem",
    [TS_ERR_USAGE] = "usage",
    [TS_ERR_TOO_LARGE] = "too large",
    [TS_ERR_TRANSPORT] = "transport",
    [TS_ERR_TRUST] = "trust",
    [TS_ERR_TIMEOUT] = "timeout",
    [TS_ERR_INTERNAL] = "internal",
};

static const char *code_name(enum ts_err code)
{
    const char *name = code < sizeof code_names / sizeof *code_names ? code_names[code] : NULL;
    return name ? name : "unexpected";
}

static void print_json(const char *text)
{
    putchar('"');
    for (const char *p = text; *p; p++) {
        unsigned char c = (unsigned char)*p;
        if (c < 0x20 || c >= 0x7f || c == '"' || c == '\\') {
            printf("\\u%04x", c);
        } else {
            putchar(c);
        }
    }
    putchar('"');
}

// The most memory this program ever had resident. ru_maxrss would count what the parent had when
// it started us.
static long peak_kb(void)
{
    char line[128];
    long peak = -1;
    FILE *file = fopen("/proc/self/status", "r");
    while (file && peak < 0 && fgets(line, sizeof line, file)) {
        if (ts_str_has_prefix(line, "VmHWM:")) {
            peak = strtol(line + strlen("VmHWM:"), NULL, 10);
        }
    }
    if (file) {
        fclose(file);
    }
    return peak;
}

static void print_result(enum ts_err code, const char *error, struct ts_xfer *xfer)
{
    const struct ts_xfer_result *result = xfer ? ts_xfer_result(xfer) : NULL;
    printf("{\"code\": \"%s\", \"status\": %ld, \"sent\": %s, \"body\": %zu, \"peak_kb\": %ld, "
           "\"ray\": ",
        code_name(code), result ? result->status : 0, result && result->is_sent ? "true" : "false",
        result ? result->body.len : 0, peak_kb());
    const char *ray = xfer ? ts_xfer_header(xfer, "CF-Ray") : NULL;
    print_json(ray ? ray : "");
    printf(", \"error\": ");
    print_json(error);
    printf("}\n");
    fflush(stdout);
}

static bool is_in_memory(const char *text)
{
    return heap_scan(text) > 0;
}

static void on_done(void *owner, struct ts_xfer *xfer)
{
    bool *is_done = owner;
    const struct ts_xfer_result *result = ts_xfer_result(xfer);
    print_result(result->code, result->code ? result->error.message : "", xfer);
    *is_done = true;
}

static enum ts_err fetch(struct ts_loop *loop, const struct options *options, const char *method,
    const char *url, const char *body, struct ts_error *err)
{
    char upper[16];
    ts_str_copy(upper, sizeof upper, method);
    for (char *p = upper; *p; p++) {
        *p = *p >= 'a' && *p <= 'z' ? (char)(*p - 'a' + 'A') : *p;
    }
    const char *headers[] = {"Content-Type: application/json", options->header};
    struct ts_xfer_request request = {
        .method = upper,
        .url = url,
        .headers = headers,
        .header_count = options->header ? 2 : 1,
        .body = *body ? body : NULL,
        .body_len = strlen(body),
        .is_once = strcmp(upper, method) != 0,
        .is_large = true, // so that packed answers are asked for
        .deadline_us = ts_loop_now(loop) + options->timeout_ms * 1000,
        .max_body = (size_t)options->max_body,
        .max_head = (size_t)options->max_head,
    };
    bool is_done = false;
    struct ts_xfer *xfer;
    enum ts_err code = ts_xfer_start(loop, &request, on_done, &is_done, &xfer, err);
    if (code) {
        print_result(code, err->message, NULL);
        return TS_OK;
    }
    while (!code && !is_done) {
        code = ts_loop_turn(loop, TS_NEVER, err);
    }
    if (!code && options->forget && !is_in_memory(options->forget)) {
        code = ts_error_set(err, TS_ERR_INTERNAL, "the text never was in memory");
    }
    ts_xfer_cancel(xfer);
    if (!code && options->forget && is_in_memory(options->forget)) {
        code = ts_error_set(err, TS_ERR_INTERNAL, "the text is in memory still");
    }
    return code;
}

static bool option_set(struct options *options, const char *name, const char *value)
{
    if (ts_str_is(name, "--timeout-ms")) {
        return ts_str_to_int(value, &options->timeout_ms);
    }
    if (ts_str_is(name, "--max-body")) {
        return ts_str_to_int(value, &options->max_body);
    }
    if (ts_str_is(name, "--max-head")) {
        return ts_str_to_int(value, &options->max_head);
    }
    if (ts_str_is(name, "--ca")) {
        options->ca_file = value;
        return true;
    }
    if (ts_str_is(name, "--header")) {
        options->header = value;
        return true;
    }
    if (ts_str_is(name, "--forget")) {
        options->forget = value;
        return true;
    }
    return false;
}

int main(int argc, char **argv)
{
    struct options options = {.timeout_ms = 10000, .max_body = 1 << 20, .max_head = 1 << 16};
    int at = 1;
    for (; at + 1 < argc && ts_str_has_prefix(argv[at], "--"); at += 2) {
        if (!option_set(&options, argv[at], argv[at + 1])) {
            fprintf(stderr, "fetch: bad option %s\n", argv[at]);
            return 2;
        }
    }
    signal(SIGPIPE, SIG_IGN);
    struct ts_error err;
    struct ts_loop *loop;
    struct ts_loop_config config = {.max_connections = 4, .ca_file = options.ca_file};
    enum ts_err code = ts_loop_create(&config, &loop, &err);
    for (; !code && at + 2 < argc; at += 3) {
        code = fetch(loop, &options, argv[at], argv[at + 1], argv[at + 2], &err);
    }
    if (code) {
        fprintf(stderr, "fetch: %s\n", err.message);
        return 1;
    }
    ts_loop_destroy(loop);
    return 0;
}
