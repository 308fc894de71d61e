// SPDX-License-Identifier: MIT
// Exchanges with a server in this process: answers, reuse, ceilings, deadlines on a clock that the
// test moves, and callbacks that start and cancel others.
#include "host/net/xfer.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "host/net/loop.h"
#include "tests/unit/net/fake_clock.h"
#include "tests/unit/net/origin.h"

#define SECOND 1000000
#define PATIENCE (20 * SECOND)
#define CROWD 1000

struct bench {
    struct origin *origin;
    struct ts_loop *loop;
};

struct outcome {
    struct ts_xfer *xfer;
    int calls;
    struct bench *bench;
    struct outcome *other;
};

static int setup(void **state)
{
    struct bench *bench = calloc(1, sizeof *bench);
    assert_non_null(bench);
    signal(SIGPIPE, SIG_IGN);
    bench->origin = origin_start();
    struct ts_loop_config config = {.max_connections = 16, .user_agent = "tshost-test"};
    assert_int_equal(ts_loop_create(&config, &bench->loop, NULL), TS_OK);
    *state = bench;
    return 0;
}

static int teardown(void **state)
{
    struct bench *bench = *state;
    assert_int_equal(ts_loop_in_flight(bench->loop), 0);
    assert_false(ts_loop_is_busy(bench->loop));
    ts_loop_destroy(bench->loop);
    origin_stop(bench->origin);
    free(bench);
    return 0;
}

static void on_done(void *owner, struct ts_xfer *xfer)
{
    struct outcome *outcome = owner;
    assert_ptr_equal(outcome->xfer, xfer);
    outcome->calls++;
}

static struct ts_xfer_request request_of(struct ts_loop *loop, const char *method, const char *url)
{
    return (struct ts_xfer_request){
        .method = method,
        .url = url,
        .deadline_us = ts_loop_now(loop) + PATIENCE,
        .max_body = 1 << 20,
        .max_head = 1 << 14,
    };
}

static void start(struct ts_loop *loop, const struct ts_xfer_request *request, ts_xfer_fn fn,
    struct outcome *outcome)
{
    struct ts_error err = {0};
    if (ts_xfer_start(loop, request, fn, outcome, &outcome->xfer, &err)) {
        fail_msg("%s", err.message);
    }
    assert_int_equal(outcome->calls, 0);
}

static struct ts_xfer_result *finish(struct ts_loop *loop, struct outcome *outcome)
{
    while (outcome->calls == 0) {
        assert_true(ts_loop_is_busy(loop));
        assert_int_equal(ts_loop_turn(loop, TS_NEVER, NULL), TS_OK);
    }
    assert_int_equal(outcome->calls, 1);
    return ts_xfer_result(outcome->xfer);
}

// One exchange with the server from start to end; the caller cancels outcome->xfer.
static struct ts_xfer_result *exchange(struct bench *bench, const char *method, const char *path,
    const char *body, bool is_once, struct outcome *outcome)
{
    char url[200];
    origin_url(bench->origin, path, url, sizeof url);
    struct ts_xfer_request request = request_of(bench->loop, method, url);
    request.body = body;
    request.body_len = body ? strlen(body) : 0;
    request.is_once = is_once;
    *outcome = (struct outcome){.bench = bench};
    start(bench->loop, &request, on_done, outcome);
    return finish(bench->loop, outcome);
}

static void every_method_arrives_as_it_was_sent(void **state)
{
    struct bench *bench = *state;
    static const struct {
        const char *method;
        const char *path;
        const char *body;
        bool is_once;
        const char *answer;
    } cases[] = {
        {"GET", "/echo?page=2&x=%20", NULL, false, "GET /echo?page=2&x=%20 "},
        {"POST", "/echo", "{\"name\":\"acme\"}", true, "POST /echo {\"name\":\"acme\"}"},
        {"POST", "/echo", "{}", false, "POST /echo {}"},
        {"POST", "/echo", "", true, "POST /echo "},
        {"PUT", "/echo/a/b", "{\"mode\":\"managed\"}", true,
            "PUT /echo/a/b {\"mode\":\"managed\"}"},
        {"PUT", "/echo", "{}", false, "PUT /echo {}"},
        {"DELETE", "/echo", NULL, true, "DELETE /echo "},
        {"DELETE", "/echo", NULL, false, "DELETE /echo "},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct outcome outcome;
        struct ts_xfer_result *result = exchange(
            bench, cases[i].method, cases[i].path, cases[i].body, cases[i].is_once, &outcome);
        assert_int_equal(result->code, TS_OK);
        assert_int_equal(result->status, 200);
        assert_true(result->is_sent);
        assert_string_equal(ts_buf_text(&result->body), cases[i].answer);
        assert_string_equal(ts_xfer_header(outcome.xfer, "cf-ray"), "0123-TEST");
        assert_null(ts_xfer_header(outcome.xfer, "Ratelimit"));
        ts_xfer_cancel(outcome.xfer);
    }
    assert_int_equal(origin_requests(bench->origin), sizeof cases / sizeof *cases);
}

// What may be sent once only costs no connection of its own, with a body or without.
static void connections_are_reused(void **state)
{
    struct bench *bench = *state;
    struct outcome outcome;
    for (int i = 0; i < 10; i++) {
        exchange(bench, "GET", "/echo", NULL, false, &outcome);
        ts_xfer_cancel(outcome.xfer);
        exchange(bench, "POST", "/echo", "{}", true, &outcome);
        ts_xfer_cancel(outcome.xfer);
        exchange(bench, "DELETE", "/echo", NULL, true, &outcome);
        ts_xfer_cancel(outcome.xfer);
    }
    assert_int_equal(origin_connections(bench->origin), 1);
}

static void a_body_may_be_as_large_as_its_ceiling_and_no_larger(void **state)
{
    struct bench *bench = *state;
    struct outcome outcome;
    struct ts_xfer_result *result = exchange(bench, "GET", "/body/1048576", NULL, false, &outcome);
    assert_int_equal(result->code, TS_OK);
    assert_int_equal(result->body.len, 1 << 20);
    ts_xfer_cancel(outcome.xfer);
    result = exchange(bench, "GET", "/body/1048577", NULL, false, &outcome);
    assert_int_equal(result->code, TS_ERR_TOO_LARGE);
    assert_non_null(strstr(result->error.message, "larger than 1048576 bytes"));
    ts_xfer_cancel(outcome.xfer);
}

// Handles are kept, what the last request asked of them is not.
static void every_request_has_a_ceiling_of_its_own(void **state)
{
    struct bench *bench = *state;
    static const size_t ceilings[] = {1000, 100, 1000};
    for (size_t i = 0; i < sizeof ceilings / sizeof *ceilings; i++) {
        char path[32];
        char url[200];
        snprintf(path, sizeof path, "/body/%zu", ceilings[i]);
        origin_url(bench->origin, path, url, sizeof url);
        struct ts_xfer_request request = request_of(bench->loop, "GET", url);
        request.max_body = ceilings[i];
        struct outcome outcome = {.bench = bench};
        start(bench->loop, &request, on_done, &outcome);
        assert_int_equal(finish(bench->loop, &outcome)->code, TS_OK);
        ts_xfer_cancel(outcome.xfer);
    }
    assert_int_equal(origin_connections(bench->origin), 1);
}

static void no_body_waits_for_leave_to_be_sent(void **state)
{
    struct bench *bench = *state;
    static const size_t sizes[] = {2, 1 << 20, (1 << 20) + 1, 3 << 20};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        char *body = calloc(1, sizes[i] + 1);
        assert_non_null(body);
        memset(body, 'x', sizes[i]);
        struct outcome outcome;
        struct ts_xfer_result *result = exchange(bench, "PUT", "/leave", body, true, &outcome);
        assert_string_equal(ts_buf_text(&result->body), "sent");
        ts_xfer_cancel(outcome.xfer);
        free(body);
    }
}

static void a_connection_cut_before_the_answer_is_told_as_such(void **state)
{
    struct bench *bench = *state;
    struct outcome outcome;
    struct ts_xfer_result *result = exchange(bench, "POST", "/close", "{}", true, &outcome);
    assert_int_equal(result->code, TS_ERR_TRANSPORT);
    assert_true(result->is_sent);
    assert_int_equal(result->status, 0);
    assert_non_null(strstr(result->error.message, "before any answer"));
    assert_non_null(strstr(result->error.message, "127.0.0.1:"));
    ts_xfer_cancel(outcome.xfer);
}

static void a_reused_connection_that_dies_costs_a_get_nothing_and_a_post_no_second_try(void **state)
{
    struct bench *bench = *state;
    struct outcome outcome;
    exchange(bench, "GET", "/echo", NULL, false, &outcome);
    ts_xfer_cancel(outcome.xfer);
    struct ts_xfer_result *result = exchange(bench, "POST", "/close", "{}", true, &outcome);
    assert_int_equal(result->code, TS_ERR_TRANSPORT);
    assert_true(result->is_sent);
    assert_non_null(strstr(result->error.message, "not sent again"));
    ts_xfer_cancel(outcome.xfer);
    assert_int_equal(origin_requests(bench->origin), 2);
}

static void nothing_listens(void **state)
{
    struct bench *bench = *state;
    // Bound and never listening: nobody else can take the port in the meantime.
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    socklen_t len = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    char url[64];
    snprintf(url, sizeof url, "http://127.0.0.1:%d/secret-path", ntohs(address.sin_port));
    struct ts_xfer_request request = request_of(bench->loop, "GET", url);
    struct outcome outcome = {0};
    start(bench->loop, &request, on_done, &outcome);
    struct ts_xfer_result *result = finish(bench->loop, &outcome);
    assert_int_equal(result->code, TS_ERR_TRANSPORT);
    assert_false(result->is_sent);
    assert_non_null(strstr(result->error.message, "Connection refused"));
    assert_null(strstr(result->error.message, "secret-path"));
    ts_xfer_cancel(outcome.xfer);
    close(fd);
}

// A label of 70 characters cannot be asked of any server, so the answer comes from this machine.
#define UNRESOLVABLE                                                                               \
    "https://aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example/"

static void a_name_without_an_address_spoils_nothing(void **state)
{
    struct bench *bench = *state;
    struct ts_xfer_request request = request_of(bench->loop, "GET", UNRESOLVABLE);
    for (int i = 0; i < 3; i++) {
        struct outcome outcome = {0};
        start(bench->loop, &request, on_done, &outcome);
        struct ts_xfer_result *result = finish(bench->loop, &outcome);
        assert_int_equal(result->code, TS_ERR_TRANSPORT);
        assert_false(result->is_sent);
        assert_non_null(strstr(result->error.message, "could not find the address"));
        ts_xfer_cancel(outcome.xfer);
    }
    struct outcome outcome = {0};
    start(bench->loop, &request, on_done, &outcome);
    assert_int_equal(ts_loop_turn(bench->loop, 0, NULL), TS_OK); // it is being looked for
    ts_xfer_cancel(outcome.xfer);
    assert_int_equal(exchange(bench, "GET", "/echo", NULL, false, &outcome)->code, TS_OK);
    ts_xfer_cancel(outcome.xfer);
}

static void what_cannot_be_a_request_starts_nothing(void **state)
{
    struct bench *bench = *state;
    char url[64];
    origin_url(bench->origin, "/echo", url, sizeof url);
    static const char *const split[] = {"Authorization: sandbox-token\r\nX: y"};
    struct ts_xfer_request requests[] = {
        request_of(bench->loop, "GET", "http://192.0.2.1/"),
        request_of(bench->loop, "GET", "gopher://127.0.0.1/"),
        request_of(bench->loop, "GET", "http://user@127.0.0.1/"),
        request_of(bench->loop, "GET", url),
    };
    requests[3].headers = split;
    requests[3].header_count = 1;
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        struct outcome outcome = {0};
        struct ts_error err = {0};
        enum ts_err code =
            ts_xfer_start(bench->loop, &requests[i], on_done, &outcome, &outcome.xfer, &err);
        assert_int_equal(code, TS_ERR_USAGE);
        assert_null(outcome.xfer);
        assert_null(strstr(err.message, "sandbox-token"));
    }
    assert_int_equal(origin_requests(bench->origin), 0);
}

static void the_proxy_of_the_environment_is_not_asked(void **state)
{
    struct bench *bench = *state;
    setenv("http_proxy", "http://192.0.2.1:3128", 1);
    setenv("ALL_PROXY", "http://192.0.2.1:3128", 1);
    struct outcome outcome;
    struct ts_xfer_result *result = exchange(bench, "GET", "/echo", NULL, false, &outcome);
    assert_int_equal(result->code, TS_OK);
    ts_xfer_cancel(outcome.xfer);
    unsetenv("http_proxy");
    unsetenv("ALL_PROXY");
}

static void on_done_cancel_other(void *owner, struct ts_xfer *xfer)
{
    struct outcome *outcome = owner;
    on_done(owner, xfer);
    ts_xfer_cancel(outcome->other->xfer);
    outcome->other->xfer = NULL;
}

// Both have ended when the first one is called: the other must not be called any more.
static void a_callback_may_cancel_one_that_has_ended_too(void **state)
{
    struct bench *bench = *state;
    struct ts_xfer_request request = request_of(bench->loop, "GET", "http://127.0.0.1/");
    request.deadline_us = ts_loop_now(bench->loop); // ends at once
    struct outcome a = {0};
    struct outcome b = {.other = &a};
    a.other = &b;
    start(bench->loop, &request, on_done_cancel_other, &a);
    start(bench->loop, &request, on_done_cancel_other, &b);
    assert_int_equal(ts_loop_in_flight(bench->loop), 2);
    assert_int_equal(ts_loop_turn(bench->loop, TS_NEVER, NULL), TS_OK);
    assert_int_equal(a.calls + b.calls, 1);
    assert_int_equal(ts_loop_in_flight(bench->loop), 0);
    ts_xfer_cancel(a.xfer);
    ts_xfer_cancel(b.xfer);
}

static void on_done_follow_up(void *owner, struct ts_xfer *xfer)
{
    struct outcome *outcome = owner;
    on_done(owner, xfer);
    ts_xfer_cancel(xfer);
    outcome->xfer = NULL;
    char url[64];
    origin_url(outcome->bench->origin, "/echo", url, sizeof url);
    struct ts_xfer_request request = request_of(outcome->bench->loop, "GET", url);
    start(outcome->bench->loop, &request, on_done, outcome->other);
}

static void a_callback_may_end_its_own_and_start_another(void **state)
{
    struct bench *bench = *state;
    char url[64];
    origin_url(bench->origin, "/echo", url, sizeof url);
    struct ts_xfer_request request = request_of(bench->loop, "GET", url);
    struct outcome second = {0};
    struct outcome first = {.bench = bench, .other = &second};
    start(bench->loop, &request, on_done_follow_up, &first);
    while (first.calls == 0) {
        assert_int_equal(ts_loop_turn(bench->loop, TS_NEVER, NULL), TS_OK);
    }
    assert_int_equal(finish(bench->loop, &second)->status, 200);
    assert_int_equal(origin_connections(bench->origin), 1);
    ts_xfer_cancel(second.xfer);
}

static void a_thousand_in_flight_are_cancelled(void **state)
{
    struct bench *bench = *state;
    char url[64];
    origin_url(bench->origin, "/never", url, sizeof url);
    struct ts_xfer_request request = request_of(bench->loop, "POST", url);
    request.body = "{}";
    request.body_len = 2;
    request.is_once = true;
    struct outcome *outcomes = calloc(CROWD, sizeof *outcomes);
    assert_non_null(outcomes);
    for (size_t i = 0; i < CROWD; i++) {
        start(bench->loop, &request, on_done, &outcomes[i]);
    }
    assert_int_equal(ts_loop_in_flight(bench->loop), CROWD);
    while (origin_requests(bench->origin) < CROWD) {
        assert_int_equal(ts_loop_turn(bench->loop, ts_loop_now(bench->loop) + 1000, NULL), TS_OK);
    }
    for (size_t i = 0; i < CROWD; i++) { // in an order of its own
        ts_xfer_cancel(outcomes[i * 7 % CROWD].xfer);
    }
    assert_int_equal(ts_loop_in_flight(bench->loop), 0);
    assert_int_equal(ts_loop_turn(bench->loop, 0, NULL), TS_OK);
    for (size_t i = 0; i < CROWD; i++) {
        assert_int_equal(outcomes[i].calls, 0);
    }
    free(outcomes);
    struct outcome outcome;
    assert_int_equal(exchange(bench, "GET", "/echo", NULL, false, &outcome)->status, 200);
    ts_xfer_cancel(outcome.xfer);
}

static void a_thousand_are_cancelled_before_they_were_sent(void **state)
{
    struct bench *bench = *state;
    char url[64];
    origin_url(bench->origin, "/never", url, sizeof url);
    struct ts_xfer_request request = request_of(bench->loop, "GET", url);
    struct outcome *outcomes = calloc(CROWD, sizeof *outcomes);
    assert_non_null(outcomes);
    for (size_t i = 0; i < CROWD; i++) {
        start(bench->loop, &request, on_done, &outcomes[i]);
    }
    for (size_t i = CROWD; i-- > 0;) {
        ts_xfer_cancel(outcomes[i].xfer);
    }
    assert_int_equal(ts_loop_turn(bench->loop, 0, NULL), TS_OK);
    assert_int_equal(origin_requests(bench->origin), 0);
    free(outcomes);
}

static struct ts_loop *loop_on(struct fake_clock *fake)
{
    struct ts_loop *loop;
    fake_clock_init(fake, SECOND);
    struct ts_loop_config config = {.clock = &fake->clock, .max_connections = 4};
    assert_int_equal(ts_loop_create(&config, &loop, NULL), TS_OK);
    return loop;
}

static void a_deadline_passes_when_the_clock_says_so(void **state)
{
    struct bench *bench = *state;
    struct fake_clock fake;
    struct ts_loop *loop = loop_on(&fake);
    char url[64];
    origin_url(bench->origin, "/never", url, sizeof url);
    struct ts_xfer_request request = request_of(loop, "GET", url);
    request.deadline_us = fake.now_us + 30 * SECOND;
    struct outcome outcome = {0};
    start(loop, &request, on_done, &outcome);
    while (origin_requests(bench->origin) == 0) {
        assert_int_equal(ts_loop_turn(loop, TS_NEVER, NULL), TS_OK);
    }
    assert_int_equal(outcome.calls, 0);
    assert_int_equal(ts_loop_next_timer(loop), request.deadline_us);
    fake.now_us = request.deadline_us;
    assert_int_equal(ts_loop_turn(loop, TS_NEVER, NULL), TS_OK);
    assert_int_equal(outcome.calls, 1);
    struct ts_xfer_result *result = ts_xfer_result(outcome.xfer);
    assert_int_equal(result->code, TS_ERR_TIMEOUT);
    assert_true(result->is_sent);
    assert_int_equal(result->duration_us, 30 * SECOND);
    assert_non_null(strstr(result->error.message, "no answer from 127.0.0.1:"));
    assert_non_null(strstr(result->error.message, "within 30 s"));
    ts_xfer_cancel(outcome.xfer);
    assert_false(ts_loop_is_busy(loop));
    ts_loop_destroy(loop);
}

static void a_deadline_in_the_past_sends_nothing(void **state)
{
    struct bench *bench = *state;
    struct fake_clock fake;
    struct ts_loop *loop = loop_on(&fake);
    char url[64];
    origin_url(bench->origin, "/echo", url, sizeof url);
    struct ts_xfer_request request = request_of(loop, "POST", url);
    request.deadline_us = fake.now_us;
    struct outcome outcome = {0};
    start(loop, &request, on_done, &outcome);
    struct ts_xfer_result *result = finish(loop, &outcome);
    assert_int_equal(result->code, TS_ERR_TIMEOUT);
    assert_false(result->is_sent);
    ts_xfer_cancel(outcome.xfer);
    ts_loop_destroy(loop);
    assert_int_equal(origin_connections(bench->origin), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_method_arrives_as_it_was_sent),
        TEST(connections_are_reused),
        TEST(a_body_may_be_as_large_as_its_ceiling_and_no_larger),
        TEST(every_request_has_a_ceiling_of_its_own),
        TEST(no_body_waits_for_leave_to_be_sent),
        TEST(a_connection_cut_before_the_answer_is_told_as_such),
        TEST(a_reused_connection_that_dies_costs_a_get_nothing_and_a_post_no_second_try),
        TEST(nothing_listens),
        TEST(a_name_without_an_address_spoils_nothing),
        TEST(what_cannot_be_a_request_starts_nothing),
        TEST(the_proxy_of_the_environment_is_not_asked),
        TEST(a_callback_may_cancel_one_that_has_ended_too),
        TEST(a_callback_may_end_its_own_and_start_another),
        TEST(a_thousand_in_flight_are_cancelled),
        TEST(a_thousand_are_cancelled_before_they_were_sent),
        TEST(a_deadline_passes_when_the_clock_says_so),
        TEST(a_deadline_in_the_past_sends_nothing),
    };
    return cmocka_run_group_tests_name("net/xfer", tests, NULL, NULL);
}
