// SPDX-License-Identifier: MIT
// The control routes: faults on order, the history, import, the clock.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "tests/unit/sandbox/bed.h"

static void fault_add(struct bed *bed, const char *body)
{
    bed_call(bed, "POST", "/sandbox/faults", body, 200);
}

static void assert_fleet(struct bed *bed, const char *count)
{
    bed_call(bed, "GET", BED_WIDGETS, NULL, 200);
    bed_assert_json(bed, "$.result_info.total_count", count);
}

static void a_fault_hits_the_nth_request_of_its_operation(void **state)
{
    struct bed bed;
    (void)state;
    bed_start(&bed, NULL);
    fault_add(&bed, "{\"op\":\"create\",\"nth\":2,\"times\":2,\"kind\":\"429\",\"retry_after\":7}");
    bed_call(&bed, "POST", BED_WIDGETS, BED_BODY, 200);
    assert_fleet(&bed, "1");
    bed_refused(&bed, "POST", BED_WIDGETS, BED_BODY, 429, 971);
    assert_string_equal(bed_header(&bed, "Retry-After"), "7");
    assert_non_null(strstr(bed_header(&bed, "Ratelimit"), "r=0;t=7"));
    bed_refused(&bed, "POST", BED_WIDGETS, BED_BODY, 429, 971);
    bed_call(&bed, "POST", BED_WIDGETS, BED_BODY, 200);
    assert_fleet(&bed, "2");
    bed_call(&bed, "GET", "/sandbox/faults", NULL, 200);
    bed_assert_json(&bed, "$.result[0].hits", "2");
    bed_assert_json(&bed, "$.result[0].times", "0");
    bed_stop(&bed);
}

static void a_gateway_fault_is_html_and_applies_only_when_told(void **state)
{
    struct bed bed;
    (void)state;
    bed_start(&bed, NULL);
    fault_add(&bed, "{\"op\":\"create\",\"kind\":\"502\"}");
    bed_call(&bed, "POST", BED_WIDGETS, BED_BODY, 502);
    assert_string_equal(bed_header(&bed, "Content-Type"), "text/html");
    assert_fleet(&bed, "0");
    fault_add(&bed, "{\"op\":\"create\",\"kind\":\"502\",\"applied\":true}");
    bed_call(&bed, "POST", BED_WIDGETS, BED_BODY, 502);
    assert_fleet(&bed, "1");
    bed_stop(&bed);
}

static void a_dropped_reply_was_applied_unless_told_otherwise(void **state)
{
    struct bed bed;
    (void)state;
    bed_start(&bed, NULL);
    bed.is_fresh = true;
    fault_add(&bed, "{\"op\":\"create\",\"kind\":\"drop\"}");
    assert_false(bed_try(&bed, "POST", BED_WIDGETS, BED_BODY));
    assert_fleet(&bed, "1");
    fault_add(&bed, "{\"op\":\"create\",\"kind\":\"drop\",\"applied\":false}");
    assert_false(bed_try(&bed, "POST", BED_WIDGETS, BED_BODY));
    assert_fleet(&bed, "1");
    bed_call(&bed, "GET", "/sandbox/requests?op=create", NULL, 200);
    bed_assert_json(&bed, "$.result[0].status", "0");
    bed_stop(&bed);
}

static void a_truncated_reply_breaks_off(void **state)
{
    struct bed bed;
    (void)state;
    bed_start(&bed, NULL);
    fault_add(&bed, "{\"kind\":\"truncate\"}");
    assert_false(bed_try(&bed, "POST", BED_WIDGETS, BED_BODY));
    assert_int_equal(bed.status, 200);
    assert_true(bed.body.len > 0);
    assert_int_equal(ts_buf_text(&bed.body)[0], '{');
    assert_int_equal(sqlite3_exec(bed.json, "SELECT 1", NULL, NULL, NULL), SQLITE_OK);
    assert_fleet(&bed, "1");
    bed_stop(&bed);
}

static void faults_can_be_listed_and_removed(void **state)
{
    static const char *const wrong[] = {"{}", "{\"kind\":\"explode\"}",
        "{\"kind\":\"429\",\"op\":\"destroy\"}", "{\"kind\":\"429\",\"op\":\"control\"}",
        "{\"kind\":\"429\",\"nth\":0}", "{\"kind\":\"429\",\"nth\":-1}",
        "{\"kind\":\"429\",\"nth\":\"3\"}", "{\"kind\":\"truncate\",\"applied\":false}",
        "{\"kind\":\"delay\",\"ms\":100000000}", "{\"kind\":\"429\",\"nht\":1}", "[]"};
    struct bed bed;
    (void)state;
    bed_start(&bed, NULL);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        bed_refused(&bed, "POST", "/sandbox/faults", wrong[i], 400, 10400);
    }
    fault_add(&bed, "{\"op\":\"rotate\",\"kind\":\"drop\",\"nth\":4}");
    bed_assert_json(&bed, "$.result[0].op", "rotate");
    bed_assert_json(&bed, "$.result[0].applied", "1");
    fault_add(&bed, "{\"kind\":\"429\"}");
    bed_assert_json(&bed, "$.result[1].op", "any");
    bed_call(&bed, "DELETE", "/sandbox/faults", NULL, 200);
    assert_fleet(&bed, "0");
    bed_call(&bed, "GET", "/sandbox/faults", NULL, 200);
    bed_assert_json(&bed, "$.result", "[]");
    bed_stop(&bed);
}

static void the_history_tells_what_was_asked(void **state)
{
    struct bed bed;
    (void)state;
    bed_start(&bed, NULL);
    bed_call(&bed, "GET", BED_WIDGETS "?page=2", NULL, 200);
    bed_call(&bed, "POST", BED_WIDGETS, "{}", 400);
    bed_call(&bed, "GET", "/nowhere%1b[31m", NULL, 404);
    bed_call(&bed, "GET", "/sandbox/requests", NULL, 200);
    bed_assert_json(&bed, "$.result[0].seq", "1");
    bed_assert_json(&bed, "$.result[0].op", "list");
    bed_assert_json(&bed, "$.result[0].method", "GET");
    bed_assert_json(&bed, "$.result[0].path", BED_WIDGETS "?page=2");
    bed_assert_json(&bed, "$.result[0].status", "200");
    bed_assert_json(&bed, "$.result[0].time", "2026-01-01T00:00:00Z");
    bed_assert_json(&bed, "$.result[1].op", "create");
    bed_assert_json(&bed, "$.result[1].status", "400");
    bed_assert_json(&bed, "$.result[2].op", "");
    bed_assert_json(&bed, "$.result[3]", "");
    assert_null(strstr(ts_buf_text(&bed.body), BED_TOKEN));
    bed_call(&bed, "GET", "/sandbox/requests?after=1&op=create", NULL, 200);
    bed_assert_json(&bed, "$.result[0].seq", "2");
    bed_call(&bed, "DELETE", "/sandbox/requests", NULL, 200);
    bed_call(&bed, "GET", "/sandbox/requests", NULL, 200);
    bed_assert_json(&bed, "$.result", "[]");
    bed_stop(&bed);
}

static void control_is_not_for_web_pages(void **state)
{
    struct bed bed;
    (void)state;
    bed_start(&bed, NULL);
    bed.header = "Origin: https://evil.example";
    bed_refused(&bed, "GET", "/sandbox/requests", NULL, 403, 10403);
    bed_refused(&bed, "POST", "/sandbox/tokens", "{}", 403, 10403);
    bed_stop(&bed);
}

// A list answer of one sandbox becomes the fleet of another.
static void a_fleet_can_be_imported(void **state)
{
    static const char import[] = "/sandbox/accounts/" BED_ACCOUNT "/widgets";
    static const char widget[] =
        "{\"success\":true,\"result\":[{\"sitekey\":\"0x4AAAAAAAabcdefghijklmn\","
        "\"name\":\"%s\",\"mode\":\"invisible\",\"domains\":[\"a.example\",\"b.example\"],"
        "\"region\":\"world\",\"clearance_level\":\"managed\",\"bot_fight_mode\":true,"
        "\"secret\":\"0x4-not-to-be-kept\",\"created_on\":\"2020-02-03T04:05:06.5Z\","
        "\"modified_on\":\"2021-02-03T04:05:06.123456Z\"}],\"result_info\":{\"page\":1}}";
    struct bed bed;
    char body[1024];
    (void)state;
    bed_start(&bed, NULL);
    bed_call(&bed, "POST", BED_WIDGETS, BED_BODY, 200);
    for (int i = 0; i < 2; i++) {
        snprintf(body, sizeof body, widget, i ? "again" : "live");
        bed_call(&bed, "POST", import, body, 200);
        bed_assert_json(&bed, "$.result.imported", "1");
    }
    bed_call(&bed, "GET", BED_WIDGETS "?order=created_on", NULL, 200);
    bed_assert_json(&bed, "$.result_info.total_count", "2");
    bed_assert_json(&bed, "$.result[0].name", "again");
    bed_assert_json(&bed, "$.result[0].bot_fight_mode", "1");
    bed_assert_json(&bed, "$.result[0].offlabel", "0");
    bed_assert_json(&bed, "$.result[0].created_on", "2020-02-03T04:05:06.5Z");
    bed_assert_json(&bed, "$.result[0].modified_on", "2021-02-03T04:05:06.123456Z");
    bed_call(&bed, "GET", BED_WIDGETS "/0x4AAAAAAAabcdefghijklmn", NULL, 200);
    assert_int_equal(strlen(bed_json(&bed, "$.result.secret")), 35);
    assert_null(strstr(ts_buf_text(&bed.body), "not-to-be-kept"));
    static const char no_domains[] =
        "{\"result\":[{\"sitekey\":\"k\",\"name\":\"n\",\"mode\":\"managed\",\"domains\":\"x\","
        "\"created_on\":\"2020-02-03T04:05:06Z\",\"modified_on\":\"2020-02-03T04:05:06Z\"}]}";
    static const char *const wrong[] = {"{}", "{\"result\":null}", "{\"result\":[1]}",
        "{\"result\":[{}]}", "{\"result\":[\"x\"]}", "[]", no_domains,
        "{\"result\":[{\"sitekey\":\"\\ud800\"}]}"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        bed_refused(&bed, "POST", import, wrong[i], 400, 10400);
    }
    assert_fleet(&bed, "2");
    bed_stop(&bed);
}

static void the_clock_can_be_moved(void **state)
{
    struct bed bed;
    struct ts_sandbox_config config = {.grace_s = -1, .rate_requests = 1, .rate_window_s = 300};
    (void)state;
    bed_start(&bed, &config);
    bed_call(&bed, "GET", BED_WIDGETS, NULL, 200);
    bed_call(&bed, "GET", BED_WIDGETS, NULL, 429);
    bed_call(&bed, "POST", "/sandbox/clock", "{\"advance\":300}", 200);
    bed_assert_json(&bed, "$.result.now", "2026-01-01T00:05:00Z");
    bed_call(&bed, "POST", BED_WIDGETS, BED_BODY, 200);
    bed_assert_json(&bed, "$.result.created_on", "2026-01-01T00:05:00Z");
    bed_refused(&bed, "POST", "/sandbox/clock", "{\"advance\":-1}", 400, 10400);
    bed_refused(&bed, "POST", "/sandbox/clock", "{\"advance\":9223372036854775807}", 400, 10400);
    bed_stop(&bed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fault_hits_the_nth_request_of_its_operation),
        cmocka_unit_test(a_gateway_fault_is_html_and_applies_only_when_told),
        cmocka_unit_test(a_dropped_reply_was_applied_unless_told_otherwise),
        cmocka_unit_test(a_truncated_reply_breaks_off),
        cmocka_unit_test(faults_can_be_listed_and_removed),
        cmocka_unit_test(the_history_tells_what_was_asked),
        cmocka_unit_test(control_is_not_for_web_pages),
        cmocka_unit_test(a_fleet_can_be_imported),
        cmocka_unit_test(the_clock_can_be_moved),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
