// SPDX-License-Identifier: MIT
// Input that no client sends: the sandbox refuses it and goes on serving. Random input comes from
// a fixed seed, so that a failure can be had again.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "tests/unit/sandbox/bed.h"

#define MEBIBYTE ((size_t)1024 * 1024)

static uint32_t random_next(uint32_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 17;
    *seed ^= *seed << 5;
    return *seed;
}

// Sends what it can, says that no more comes, and reads until the other side is done.
static void throw_at(const struct bed *bed, const char *bytes, size_t len)
{
    int sock = bed_connect(bed);
    struct timeval limit = {.tv_sec = 30};
    setsockopt(sock, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(sock, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    for (size_t at = 0; at < len;) {
        ssize_t sent = send(sock, bytes + at, len - at, MSG_NOSIGNAL);
        if (sent <= 0) {
            break;
        }
        at += (size_t)sent;
    }
    shutdown(sock, SHUT_WR);
    char sink[4096];
    while (recv(sock, sink, sizeof sink, 0) > 0) {
    }
    close(sock);
}

static void assert_serves(struct bed *bed)
{
    bed_call(bed, "GET", BED_WIDGETS "?per_page=5", NULL, 200);
}

static void odd_requests_do_no_harm(void **state)
{
    static const char *const requests[] = {
        "\r\n\r\n\r\n",
        "GET\r\n\r\n",
        "GET / HTTP/9.9\r\n\r\n",
        "GET * HTTP/1.1\r\nHost: x\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
        "CONNECT x:443 HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET http://other.example/client/v4 HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET //////////////// HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /%%%%% HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /?%00=%00&&&=&==;& HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /\x01\x7f\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999999\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nx",
        "GET / HTTP/1.1\r\nHost: x\r\n folded: header\r\n\r\n",
        "GET / HTTP/1.1\r\nno colon\r\n\r\n",
        "GET / HTTP/1.1\nHost: x\n\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    };
    struct bed bed;
    (void)state;
    bed_start(&bed, NULL);
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
        throw_at(&bed, requests[i], strlen(requests[i]));
        assert_serves(&bed);
    }
    bed_stop(&bed);
}

static void headers_without_end_are_cut_off(void **state)
{
    struct bed bed;
    (void)state;
    bed_start(&bed, NULL);
    char *text = malloc(MEBIBYTE);
    assert_non_null(text);
    memset(text, 'a', MEBIBYTE);
    int len = snprintf(text, MEBIBYTE, "GET /");
    text[len] = 'a';
    throw_at(&bed, text, MEBIBYTE);
    len = snprintf(text, MEBIBYTE, "GET / HTTP/1.1\r\nHost: x\r\nX: ");
    text[len] = 'a';
    throw_at(&bed, text, MEBIBYTE);
    assert_serves(&bed);
    free(text);
    bed_stop(&bed);
}

static void a_body_has_at_most_a_mebibyte(void **state)
{
    struct bed bed;
    (void)state;
    bed_start(&bed, NULL);
    char *body = malloc(MEBIBYTE + 2);
    assert_non_null(body);
    memset(body, ' ', MEBIBYTE + 1);
    memcpy(body, BED_BODY, strlen(BED_BODY));
    body[MEBIBYTE] = '\0';
    bed_call(&bed, "POST", BED_WIDGETS, body, 200);
    body[MEBIBYTE] = ' ';
    body[MEBIBYTE + 1] = '\0';
    bed_refused(&bed, "POST", BED_WIDGETS, body, 413, 10413);
    bed.header = "Transfer-Encoding: chunked";
    bed_refused(&bed, "POST", BED_WIDGETS, body, 413, 10413);
    bed.header = NULL;
    bed_call(&bed, "POST", "/turnstile/v0/siteverify", body, 400);
    assert_serves(&bed);
    free(body);
    bed_stop(&bed);
}

static void a_body_that_claims_too_much_is_refused_at_once(void **state)
{
    static const char request[] =
        "POST " BED_WIDGETS " HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer t\r\n"
        "Content-Type: application/json\r\nContent-Length: 99999999999\r\n\r\n";
    struct bed bed;
    char answer[64] = "";
    (void)state;
    bed_start(&bed, NULL);
    int sock = bed_connect(&bed);
    assert_int_equal(
        send(sock, request, sizeof request - 1, MSG_NOSIGNAL), (ssize_t)sizeof request - 1);
    assert_true(recv(sock, answer, sizeof answer - 1, 0) > 12);
    assert_memory_equal(answer, "HTTP/1.1 413", 12);
    close(sock);
    bed_stop(&bed);
}

static void deep_and_wide_json_is_refused(void **state)
{
    struct bed bed;
    (void)state;
    bed_start(&bed, NULL);
    char *body = malloc(MEBIBYTE);
    assert_non_null(body);
    static const char head[] = "{\"name\":\"n\",\"mode\":\"managed\",\"domains\":";
    memcpy(body, head, sizeof head);
    memset(body + sizeof head - 1, '[', 100000);
    memset(body + sizeof head - 1 + 100000, ']', 100000);
    memcpy(body + sizeof head - 1 + 200000, "}", 2);
    bed_refused(&bed, "POST", BED_WIDGETS, body, 400, 10400);
    memset(body + sizeof head - 1, '[', 500);
    memset(body + sizeof head - 1 + 500, ']', 500);
    memcpy(body + sizeof head - 1 + 1000, "}", 2);
    bed_refused(&bed, "POST", BED_WIDGETS, body, 400, 10400);
    size_t len = (size_t)snprintf(body, MEBIBYTE, "%s[", head);
    for (int i = 0; i < 60000; i++) {
        len += (size_t)snprintf(body + len, MEBIBYTE - len, "\"d%d.example\",", i);
    }
    snprintf(body + len - 1, MEBIBYTE - len, "]}");
    bed_refused(&bed, "POST", BED_WIDGETS, body, 400, 10400);
    len = (size_t)snprintf(body, MEBIBYTE, "{");
    for (int i = 0; i < 60000; i++) {
        len += (size_t)snprintf(body + len, MEBIBYTE - len, "\"name\":\"%d\",", i);
    }
    snprintf(body + len - 1, MEBIBYTE - len, "}");
    bed_refused(&bed, "POST", BED_WIDGETS, body, 400, 10400);
    assert_serves(&bed);
    free(body);
    bed_stop(&bed);
}

// Half of it JSON-like, so that it gets past the first check now and then.
static void random_bodies_do_no_harm(void **state)
{
    static const char alphabet[] = "{}[]\",:\\u0019dname\"mode\"domains\x80\xc3\xa9\xed\xa0 \n\t";
    static const char *const paths[] = {BED_WIDGETS, BED_WIDGETS "/0x4AAAAAAAabcdefghijklmn",
        BED_WIDGETS "/0x4AAAAAAAabcdefghijklmn/rotate_secret", "/turnstile/v0/siteverify",
        "/sandbox/tokens", "/sandbox/faults", "/sandbox/clock", "/sandbox/credentials",
        "/sandbox/settings", "/sandbox/accounts/" BED_ACCOUNT "/widgets"};
    static const char *const types[] = {"application/json", "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=ab", "multipart/form-data; boundary=", "text/plain"};
    struct bed bed;
    uint32_t seed = 20260101;
    (void)state;
    bed_start(&bed, NULL);
    for (int i = 0; i < 3000; i++) {
        char request[4096];
        char body[512];
        size_t body_len = random_next(&seed) % sizeof body;
        for (size_t j = 0; j < body_len; j++) {
            uint32_t value = random_next(&seed);
            body[j] = i % 2 ? (char)value : alphabet[value % (sizeof alphabet - 1)];
        }
        int len = snprintf(request, sizeof request,
            "%s %s?page=%%%02x HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer t\r\n"
            "Content-Type: %s\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n",
            random_next(&seed) % 4 ? "POST" : "PUT",
            paths[random_next(&seed) % (sizeof paths / sizeof paths[0])], random_next(&seed) & 0xff,
            types[random_next(&seed) % (sizeof types / sizeof types[0])], body_len);
        memcpy(request + len, body, body_len);
        throw_at(&bed, request, (size_t)len + body_len);
    }
    bed_call(&bed, "DELETE", "/sandbox/faults", NULL, 200);
    assert_serves(&bed);
    bed_stop(&bed);
}

static void random_bytes_do_no_harm(void **state)
{
    struct bed bed;
    uint32_t seed = 4711;
    (void)state;
    bed_start(&bed, NULL);
    for (int i = 0; i < 2000; i++) {
        char bytes[512];
        size_t len = random_next(&seed) % sizeof bytes;
        for (size_t j = 0; j < len; j++) {
            bytes[j] = (char)random_next(&seed);
        }
        // Every other one is a good request with one byte changed.
        if (i % 2) {
            len = (size_t)snprintf(bytes, sizeof bytes,
                "GET " BED_WIDGETS "?page=1&filter=name:x HTTP/1.1\r\nHost: x\r\n"
                "Authorization: Bearer t\r\nConnection: close\r\n\r\n");
            bytes[random_next(&seed) % len] = (char)random_next(&seed);
        }
        throw_at(&bed, bytes, len);
    }
    assert_serves(&bed);
    bed_stop(&bed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(odd_requests_do_no_harm),
        cmocka_unit_test(headers_without_end_are_cut_off),
        cmocka_unit_test(a_body_has_at_most_a_mebibyte),
        cmocka_unit_test(a_body_that_claims_too_much_is_refused_at_once),
        cmocka_unit_test(deep_and_wide_json_is_refused),
        cmocka_unit_test(random_bodies_do_no_harm),
        cmocka_unit_test(random_bytes_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
