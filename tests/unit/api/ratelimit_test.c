// SPDX-License-Identifier: MIT
// The headers as servers send them, and as nobody should.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "host/api/ratelimit.h"

#define SECOND INT64_C(1000000)

static void usual_headers_are_read(void **state)
{
    (void)state;
    struct ts_ratelimit_policy policies[TS_RATELIMIT_MAX];
    struct ts_ratelimit_left lefts[TS_RATELIMIT_MAX];
    assert_int_equal(ts_ratelimit_read_policy("\"default\";q=1200;w=300", policies), 1);
    assert_int_equal(policies[0].requests, 1200);
    assert_int_equal(policies[0].window_us, 300 * SECOND);
    assert_int_equal(ts_ratelimit_read_left("\"default\";r=50;t=30", lefts), 1);
    assert_int_equal(lefts[0].requests, 50);
    assert_int_equal(lefts[0].reset_us, 30 * SECOND);
    assert_int_equal(lefts[0].name, policies[0].name);
}

static void lists_keep_their_names(void **state)
{
    (void)state;
    struct ts_ratelimit_policy policies[TS_RATELIMIT_MAX];
    struct ts_ratelimit_left lefts[TS_RATELIMIT_MAX];
    const char *text = " \"a, b;q=7\" ; q=100 ;w=60;pk=:c2VjcmV0: ,\tburst;w=1;q=20;x=\"\\\"\"";
    assert_int_equal(ts_ratelimit_read_policy(text, policies), 2);
    assert_int_equal(policies[0].requests, 100);
    assert_int_equal(policies[1].requests, 20);
    assert_int_equal(policies[1].window_us, SECOND);
    assert_int_equal(ts_ratelimit_read_left("burst;r=3, \"a, b;q=7\";r=9;t=1", lefts), 2);
    assert_int_equal(lefts[0].name, policies[1].name);
    assert_int_equal(lefts[0].reset_us, -1);
    assert_int_equal(lefts[1].name, policies[0].name);
}

static void what_counts_something_else_is_passed_over(void **state)
{
    (void)state;
    struct ts_ratelimit_policy policies[TS_RATELIMIT_MAX];
    const char *text = "a;q=5;w=1;qu=\"content-bytes\", b;q=6;w=2;qu=\"requests\"";
    assert_int_equal(ts_ratelimit_read_policy(text, policies), 1);
    assert_int_equal(policies[0].requests, 6);
}

static void of_many_those_that_allow_least_are_kept(void **state)
{
    (void)state;
    struct ts_ratelimit_policy policies[TS_RATELIMIT_MAX];
    const char *text = "a;q=50;w=1,b;q=900;w=1,c;q=70;w=1,d;q=80;w=1,e;q=10;w=1,f;q=999;w=1";
    assert_int_equal(ts_ratelimit_read_policy(text, policies), 4);
    int64_t sum = 0;
    for (size_t i = 0; i < 4; i++) {
        sum += policies[i].requests;
    }
    assert_int_equal(sum, 50 + 70 + 80 + 10);
}

static void nonsense_is_passed_over(void **state)
{
    (void)state;
    static const char *const texts[] = {"", " ", ",", ",,,", ";", "a", "a;", "a;q",
        "a;q=", "a;q=;w=", "a;q=0;w=1", "a;q=1;w=0", "a;q=-1;w=1", "a;q=1.5;w=1", "a;q=1e3;w=1",
        "a;q=1;w=1000001", "a;q=99999999999999999999;w=1", "\"", "\"a", "\"a\\", "a;q=\"1\";w=1",
        "q=1;w=1=", "a b;q=1;w=1", "\xff\xfe;q;w", "a;w=1", "a;Q=1;W=1", "a;qq=1;ww=1"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct ts_ratelimit_policy policies[TS_RATELIMIT_MAX];
        struct ts_ratelimit_left lefts[TS_RATELIMIT_MAX];
        if (ts_ratelimit_read_policy(texts[i], policies) != 0) {
            fail_msg("understood: %s", texts[i]);
        }
        assert_int_equal(ts_ratelimit_read_left(texts[i], lefts), 0);
    }
    struct ts_ratelimit_policy policies[TS_RATELIMIT_MAX];
    assert_int_equal(ts_ratelimit_read_policy(NULL, policies), 0);
}

// Nothing is read past the end, whatever bytes come.
static void any_bytes_do_no_harm(void **state)
{
    (void)state;
    static const char alphabet[] = "a\"\\;,=qwrt 019-";
    unsigned random = 1;
    for (int round = 0; round < 20000; round++) {
        char text[24];
        size_t len = (size_t)(round % 23);
        for (size_t i = 0; i < len; i++) {
            random = random * 1103515245u + 12345u;
            text[i] = alphabet[(random >> 16) % (sizeof alphabet - 1)];
        }
        text[len] = '\0';
        struct ts_ratelimit_policy policies[TS_RATELIMIT_MAX];
        struct ts_ratelimit_left lefts[TS_RATELIMIT_MAX];
        assert_true(ts_ratelimit_read_policy(text, policies) <= TS_RATELIMIT_MAX);
        size_t count = ts_ratelimit_read_left(text, lefts);
        for (size_t i = 0; i < count; i++) {
            assert_in_range(lefts[i].requests, 0, TS_RATELIMIT_REQUESTS_MAX);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(usual_headers_are_read),
        cmocka_unit_test(lists_keep_their_names),
        cmocka_unit_test(what_counts_something_else_is_passed_over),
        cmocka_unit_test(of_many_those_that_allow_least_are_kept),
        cmocka_unit_test(nonsense_is_passed_over),
        cmocka_unit_test(any_bytes_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
