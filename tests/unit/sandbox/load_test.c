// SPDX-License-Identifier: MIT
// Many connections at once, delayed answers, and a stop in the middle of them.
#include <setjmp.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "tests/unit/sandbox/bed.h"

#define CONNECTIONS 256
#define ROUNDS 8

static const char list_request[] = "GET " BED_WIDGETS "?per_page=5 HTTP/1.1\r\nHost: x\r\n"
                                   "Authorization: Bearer t\r\n\r\n";

static void line_send(int sock, const char *text)
{
    size_t len = strlen(text);
    assert_int_equal(send(sock, text, len, MSG_NOSIGNAL), (ssize_t)len);
}

// Reads one whole answer; its status, or 0 when the connection ended first.
static int line_receive(int sock)
{
    char text[65536];
    size_t len = 0;
    for (;;) {
        ssize_t got = recv(sock, text + len, sizeof text - 1 - len, 0);
        if (got <= 0) {
            return 0;
        }
        len += (size_t)got;
        text[len] = '\0';
        const char *head = strstr(text, "\r\n\r\n");
        const char *length = strstr(text, "Content-Length: ");
        if (head && length && len >= (size_t)(head + 4 - text) + strtoul(length + 16, NULL, 10)) {
            return (int)strtol(text + 9, NULL, 10);
        }
    }
}

static void connections_are_kept_and_served_together(void **state)
{
    struct bed bed;
    int socks[CONNECTIONS];
    (void)state;
    bed_start(&bed, NULL);
    for (int i = 0; i < CONNECTIONS; i++) {
        socks[i] = bed_connect(&bed);
    }
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < CONNECTIONS; i++) {
            line_send(socks[i], list_request);
        }
        for (int i = 0; i < CONNECTIONS; i++) {
            assert_int_equal(line_receive(socks[i]), 200);
        }
    }
    for (int i = 0; i < CONNECTIONS; i++) {
        close(socks[i]);
    }
    bed_stop(&bed);
}

struct writer {
    const struct bed *bed;
    int created;
};

static void *writer_run(void *self)
{
    struct writer *writer = self;
    char request[512];
    snprintf(request, sizeof request,
        "POST " BED_WIDGETS " HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer t\r\n"
        "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n" BED_BODY,
        strlen(BED_BODY));
    int sock = bed_connect(writer->bed);
    for (int i = 0; i < 25; i++) {
        line_send(sock, request);
        writer->created += line_receive(sock) == 200;
    }
    close(sock);
    return NULL;
}

static void writes_at_once_are_all_applied(void **state)
{
    struct bed bed;
    struct writer writers[32];
    pthread_t threads[32];
    (void)state;
    bed_start(&bed, NULL);
    for (size_t i = 0; i < 32; i++) {
        writers[i] = (struct writer){.bed = &bed};
        assert_int_equal(pthread_create(&threads[i], NULL, writer_run, &writers[i]), 0);
    }
    int created = 0;
    for (size_t i = 0; i < 32; i++) {
        pthread_join(threads[i], NULL);
        created += writers[i].created;
    }
    assert_int_equal(created, 32 * 25);
    bed_call(&bed, "GET", BED_WIDGETS "?per_page=1000", NULL, 200);
    bed_assert_json(&bed, "$.result_info.count", "800");
    bed_stop(&bed);
}

// A hundred answers, 300 ms late each: one after the other would take half a minute.
static void latency_holds_up_nobody_else(void **state)
{
    struct bed bed;
    struct ts_sandbox_config config = {.grace_s = -1, .latency_ms = 300};
    int socks[100];
    (void)state;
    bed_start(&bed, &config);
    int64_t begin = ts_clock_mono(ts_clock_system());
    for (int i = 0; i < 100; i++) {
        socks[i] = bed_connect(&bed);
        line_send(socks[i], list_request);
    }
    for (int i = 0; i < 100; i++) {
        assert_int_equal(line_receive(socks[i]), 200);
        close(socks[i]);
    }
    int64_t took_ms = (ts_clock_mono(ts_clock_system()) - begin) / 1000;
    assert_true(took_ms >= 300);
    assert_true(took_ms < 10000);
    bed_stop(&bed);
}

static void a_delayed_answer_lets_others_pass(void **state)
{
    struct bed bed;
    (void)state;
    bed_start(&bed, NULL);
    bed_call(
        &bed, "POST", "/sandbox/faults", "{\"op\":\"list\",\"kind\":\"delay\",\"ms\":500000}", 200);
    int slow = bed_connect(&bed);
    line_send(slow, list_request);
    do {
        bed_call(&bed, "GET", "/sandbox/requests?op=list", NULL, 200);
    } while (!*bed_json(&bed, "$.result[0].seq"));
    bed_call(&bed, "GET", BED_WIDGETS, NULL, 200);
    struct pollfd ready = {.fd = slow, .events = POLLIN};
    assert_int_equal(poll(&ready, 1, 0), 0);
    // Stopping does not wait for the delay: the answer goes out now, and whole.
    bed_stop(&bed);
    assert_int_equal(line_receive(slow), 200);
    assert_int_equal(line_receive(slow), 0);
    close(slow);
}

static void stopping_ends_idle_and_half_sent_connections(void **state)
{
    struct bed bed;
    (void)state;
    bed_start(&bed, NULL);
    int idle = bed_connect(&bed);
    line_send(idle, list_request);
    assert_int_equal(line_receive(idle), 200);
    int half = bed_connect(&bed);
    line_send(half, "POST " BED_WIDGETS " HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n{");
    bed_stop(&bed);
    assert_int_equal(line_receive(idle), 0);
    assert_int_equal(line_receive(half), 0);
    close(idle);
    close(half);
}

static void pipelined_requests_are_answered_in_order(void **state)
{
    struct bed bed;
    (void)state;
    bed_start(&bed, NULL);
    int sock = bed_connect(&bed);
    char text[4096] = "";
    for (int i = 0; i < 8; i++) {
        size_t len = strlen(text);
        snprintf(text + len, sizeof text - len, "GET /%d HTTP/1.1\r\nHost: x\r\n\r\n", i);
    }
    line_send(sock, text);
    do {
        bed_call(&bed, "GET", "/sandbox/requests", NULL, 200);
    } while (!*bed_json(&bed, "$.result[7].seq"));
    for (int i = 0; i < 8; i++) {
        char path[32];
        char expected[8];
        snprintf(path, sizeof path, "$.result[%d].path", i);
        snprintf(expected, sizeof expected, "/%d", i);
        bed_assert_json(&bed, path, expected);
    }
    close(sock);
    bed_stop(&bed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connections_are_kept_and_served_together),
        cmocka_unit_test(writes_at_once_are_all_applied),
        cmocka_unit_test(latency_holds_up_nobody_else),
        cmocka_unit_test(a_delayed_answer_lets_others_pass),
        cmocka_unit_test(stopping_ends_idle_and_half_sent_connections),
        cmocka_unit_test(pipelined_requests_are_answered_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
