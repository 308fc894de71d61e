// SPDX-License-Identifier: MIT
// Every allocation of some exchanges fails once, ours and libcurl's: each time there is an error
// with a message or a result, nothing leaks, and nothing is sent twice. Credentials are wiped.
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "host/net/loop.h"
#include "host/net/timer.h"
#include "host/net/watch.h"
#include "host/net/xfer.h"
#include "tests/unit/net/origin.h"
#include "tests/unit/net/starve.h"

#define PATIENCE_US 20000000

struct run {
    struct ts_loop *loop;
    struct ts_error err;
    unsigned done;
};

static void check_error(const struct ts_error *err, enum ts_err code)
{
    assert_int_equal(err->code, code);
    assert_true(strlen(err->message) > 0);
}

static void on_done(void *owner, struct ts_xfer *xfer)
{
    struct run *run = owner;
    const struct ts_xfer_result *result = ts_xfer_result(xfer);
    run->done++;
    if (result->code) {
        check_error(&result->error, result->code);
    } else {
        assert_int_equal(result->status, 200);
        assert_string_equal(ts_xfer_header(xfer, "cf-ray"), "0123-TEST");
    }
}

static enum ts_err exchange(struct run *run, const char *method, const char *url, const char *body)
{
    static const char *const headers[] = {STARVE_CREDENTIAL " sandbox-token-not-a-secret"};
    struct ts_xfer_request request = {
        .method = method,
        .url = url,
        .headers = headers,
        .header_count = 1,
        .body = body,
        .body_len = body ? strlen(body) : 0,
        .is_once = *method != 'G',
        .deadline_us = ts_loop_now(run->loop) + PATIENCE_US,
        .max_body = 1 << 20,
        .max_head = 1 << 14,
    };
    struct ts_xfer *xfer;
    unsigned before = run->done;
    enum ts_err code = ts_xfer_start(run->loop, &request, on_done, run, &xfer, &run->err);
    if (code) {
        assert_null(xfer);
        return code;
    }
    while (!code && run->done == before) {
        code = ts_loop_turn(run->loop, TS_NEVER, &run->err);
    }
    ts_xfer_cancel(xfer);
    return code;
}

static void on_fire(struct ts_timer *timer)
{
    (void)timer;
}

static void on_ready(struct ts_watch *watch, short revents)
{
    (void)revents;
    ts_watch_remove(watch);
}

// A loop with everything on it, from nothing to nothing.
static enum ts_err work(struct run *run, const char *url, const char *body_url, int fd)
{
    struct ts_loop_config config = {.max_connections = 4, .user_agent = "tshost-test"};
    struct ts_timer timer = {0};
    struct ts_watch watch = {0};
    enum ts_err code = ts_loop_create(&config, &run->loop, &run->err);
    if (code) {
        assert_null(run->loop);
        return code;
    }
    code = ts_timer_arm(run->loop, &timer, 0, on_fire, &run->err);
    ts_watch_add(run->loop, &watch, fd, POLLOUT, on_ready);
    code = code ? code : exchange(run, "GET", body_url, NULL);
    code = code ? code : exchange(run, "POST", url, "{\"name\":\"acme\"}");
    code = code ? code : exchange(run, "DELETE", url, NULL);
    ts_timer_disarm(&timer);
    ts_watch_remove(&watch);
    assert_int_equal(ts_loop_in_flight(run->loop), 0);
    ts_loop_destroy(run->loop);
    return code;
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    starve_init();
    signal(SIGPIPE, SIG_IGN);
    struct origin *origin = origin_start();
    char url[64];
    char body_url[64];
    origin_url(origin, "/echo", url, sizeof url);
    origin_url(origin, "/body/70000", body_url, sizeof body_url);
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    long count = 0;
    bool has_failed = true;
    for (; has_failed; count++) {
        struct run run = {0};
        unsigned before = origin_requests(origin);
        long live = starve_live();
        long unwiped = starve_unwiped();
        starve_after(count);
        enum ts_err code = work(&run, url, body_url, fds[1]);
        has_failed = starve_has_failed();
        starve_after(-1);
        if (code) {
            check_error(&run.err, code);
        } else {
            assert_int_equal(run.done, 3);
        }
        assert_int_equal(starve_unwiped(), unwiped);
        assert_true(origin_requests(origin) - before <= 3);
        assert_int_equal(starve_live(), live);
    }
    assert_true(count > 100);
    print_message("%ld allocations failed\n", count - 1);
    close(fds[0]);
    close(fds[1]);
    origin_stop(origin);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests_name("net/nomem", tests, NULL, NULL);
}
