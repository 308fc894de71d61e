// SPDX-License-Identifier: MIT
// The test bed on libcurl; JSON is read with SQLite.
// One connection is kept and used again, as clients do.
#include "tests/unit/sandbox/bed.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <cmocka.h>

static int64_t clock_mono(void *self)
{
    return atomic_load(&((struct bed *)self)->mono_us);
}

static int64_t clock_wall(void *self)
{
    return atomic_load(&((struct bed *)self)->wall_us);
}

void bed_start(struct bed *bed, const struct ts_sandbox_config *config)
{
    *bed = (struct bed){.authorization = "Authorization: Bearer " BED_TOKEN,
        .type = "Content-Type: application/json"};
    bed->clock = (struct ts_clock){.mono_us = clock_mono, .wall_us = clock_wall, .self = bed};
    atomic_store(&bed->mono_us, 1000000);
    atomic_store(&bed->wall_us, BED_START_US);
    struct ts_sandbox_config mine = config ? *config : (struct ts_sandbox_config){.grace_s = -1};
    mine.clock = &bed->clock;
    struct ts_error err = {.message = ""};
    if (ts_sandbox_start(&mine, &bed->sandbox, &err)) {
        fail_msg("%s", err.message);
    }
    const char *url = ts_sandbox_url(bed->sandbox);
    const char *end = strstr(url, "/client/v4");
    assert_non_null(end);
    snprintf(bed->origin, sizeof bed->origin, "%.*s", (int)(end - url), url);
    bed->curl = curl_easy_init();
    assert_non_null(bed->curl);
    assert_int_equal(sqlite3_open(":memory:", &bed->json), SQLITE_OK);
    ts_buf_init(&bed->body, (size_t)256 * 1024 * 1024);
    ts_buf_init(&bed->headers, 1024 * 1024);
}

void bed_stop(struct bed *bed)
{
    curl_easy_cleanup(bed->curl);
    ts_sandbox_stop(bed->sandbox);
    sqlite3_close(bed->json);
    ts_buf_fini(&bed->body);
    ts_buf_fini(&bed->headers);
}

void bed_advance(struct bed *bed, int64_t seconds)
{
    atomic_fetch_add(&bed->mono_us, seconds * 1000000);
    atomic_fetch_add(&bed->wall_us, seconds * 1000000);
}

static size_t on_bytes(char *bytes, size_t size, size_t count, void *self)
{
    return ts_buf_add(self, bytes, size * count) ? 0 : size * count;
}

bool bed_try(struct bed *bed, const char *method, const char *path, const char *body)
{
    char url[2048];
    snprintf(url, sizeof url, "%s%s", bed->origin, path);
    struct curl_slist *headers = NULL;
    const char *lines[] = {bed->authorization, body ? bed->type : NULL, bed->header,
        "Expect:", body && !bed->type ? "Content-Type:" : NULL};
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        if (lines[i]) {
            headers = curl_slist_append(headers, lines[i]);
        }
    }
    curl_easy_reset(bed->curl);
    ts_buf_clear(&bed->body);
    ts_buf_clear(&bed->headers);
    curl_easy_setopt(bed->curl, CURLOPT_URL, url);
    curl_easy_setopt(bed->curl, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(bed->curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(bed->curl, CURLOPT_TIMEOUT, 60L);
    curl_easy_setopt(bed->curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(bed->curl, CURLOPT_WRITEFUNCTION, on_bytes);
    curl_easy_setopt(bed->curl, CURLOPT_WRITEDATA, &bed->body);
    curl_easy_setopt(bed->curl, CURLOPT_HEADERFUNCTION, on_bytes);
    curl_easy_setopt(bed->curl, CURLOPT_HEADERDATA, &bed->headers);
    curl_easy_setopt(bed->curl, CURLOPT_FRESH_CONNECT, (long)bed->is_fresh);
    if (body) {
        curl_easy_setopt(bed->curl, CURLOPT_POSTFIELDS, body);
    }
    if (strcmp(method, "HEAD") == 0) {
        curl_easy_setopt(bed->curl, CURLOPT_NOBODY, 1L);
    } else {
        curl_easy_setopt(bed->curl, CURLOPT_CUSTOMREQUEST, method);
    }
    CURLcode code = curl_easy_perform(bed->curl);
    curl_slist_free_all(headers);
    bed->status = 0;
    curl_easy_getinfo(bed->curl, CURLINFO_RESPONSE_CODE, &bed->status);
    return code == CURLE_OK;
}

void bed_call(struct bed *bed, const char *method, const char *path, const char *body, long status)
{
    if (!bed_try(bed, method, path, body)) {
        fail_msg("%s %s: no answer", method, path);
    }
    if (bed->status != status) {
        fail_msg("%s %s: %ld instead of %ld: %s", method, path, bed->status, status,
            ts_buf_text(&bed->body));
    }
}

void bed_refused(
    struct bed *bed, const char *method, const char *path, const char *body, long status, int code)
{
    char text[16];
    snprintf(text, sizeof text, "%d", code);
    bed_call(bed, method, path, body, status);
    bed_assert_json(bed, "$.errors[0].code", text);
    bed_assert_json(bed, "$.success", "0");
    bed_assert_json(bed, "$.messages", "[]");
    assert_non_null(strstr(ts_buf_text(&bed->body), "\"result\":null"));
}

const char *bed_json(struct bed *bed, const char *path)
{
    sqlite3_stmt *stmt = NULL;
    bed->text[0] = '\0';
    assert_int_equal(
        sqlite3_prepare_v2(bed->json, "SELECT json_extract(?1, ?2)", -1, &stmt, NULL), SQLITE_OK);
    sqlite3_bind_text(stmt, 1, ts_buf_text(&bed->body), -1, SQLITE_STATIC);
    sqlite3_bind_text(stmt, 2, path, -1, SQLITE_STATIC);
    if (sqlite3_step(stmt) == SQLITE_ROW) {
        const unsigned char *text = sqlite3_column_text(stmt, 0);
        snprintf(bed->text, sizeof bed->text, "%s", text ? (const char *)text : "");
    } else {
        fail_msg("not JSON: %s", ts_buf_text(&bed->body));
    }
    sqlite3_finalize(stmt);
    return bed->text;
}

void bed_assert_json(struct bed *bed, const char *path, const char *expected)
{
    const char *text = bed_json(bed, path);
    if (strcmp(text, expected) != 0) {
        fail_msg("%s is %s instead of %s in %s", path, text, expected, ts_buf_text(&bed->body));
    }
}

const char *bed_header(struct bed *bed, const char *name)
{
    size_t len = strlen(name);
    bed->text[0] = '\0';
    for (const char *line = ts_buf_text(&bed->headers); *line;) {
        size_t end = strcspn(line, "\r\n");
        if (strncasecmp(line, name, len) == 0 && line[len] == ':') {
            snprintf(bed->text, sizeof bed->text, "%.*s", (int)(end - len - 2), line + len + 2);
        }
        line += end + strspn(line + end, "\r\n");
    }
    return bed->text;
}

void bed_create(struct bed *bed, const char *body, char *sitekey, char *secret)
{
    bed_call(bed, "POST", BED_WIDGETS, body, 200);
    snprintf(sitekey, 33, "%s", bed_json(bed, "$.result.sitekey"));
    if (secret) {
        snprintf(secret, 64, "%s", bed_json(bed, "$.result.secret"));
    }
}

const char *bed_path(char *path, size_t size, const char *sitekey, const char *rest)
{
    snprintf(path, size, "%s/%s%s", BED_WIDGETS, sitekey, rest);
    return path;
}

int bed_connect(const struct bed *bed)
{
    int sock = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(sock >= 0);
    const char *port = strrchr(bed->origin, ':');
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)strtol(port + 1, NULL, 10))};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(connect(sock, (struct sockaddr *)&address, sizeof address), 0);
    return sock;
}
