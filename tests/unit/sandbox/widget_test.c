// SPDX-License-Identifier: MIT
// Create, get, update and delete over HTTP, rule by rule.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "tests/unit/sandbox/bed.h"

static void a_new_widget_has_every_field(void **state)
{
    struct bed bed;
    (void)state;
    bed_start(&bed, NULL);
    bed_call(&bed, "POST", BED_WIDGETS, BED_BODY, 200);
    bed_assert_json(&bed, "$.success", "1");
    bed_assert_json(&bed, "$.errors", "[]");
    bed_assert_json(&bed, "$.messages", "[]");
    static const char *const fields[][2] = {
        {"$.result.name", "acme login"},
        {"$.result.mode", "managed"},
        {"$.result.domains", "[\"acme.example\"]"},
        {"$.result.region", "world"},
        {"$.result.clearance_level", "no_clearance"},
        {"$.result.bot_fight_mode", "0"},
        {"$.result.ephemeral_id", "0"},
        {"$.result.offlabel", "0"},
        {"$.result.created_on", "2026-01-01T00:00:00Z"},
        {"$.result.modified_on", "2026-01-01T00:00:00Z"},
        {"$.result.deployed_via", "api"},
        {"$.result.last_modified_via", "api"},
    };
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        bed_assert_json(&bed, fields[i][0], fields[i][1]);
    }
    assert_non_null(strstr(ts_buf_text(&bed.body), "\"bot_fight_mode\":false"));
    char sitekey[64];
    snprintf(sitekey, sizeof sitekey, "%s", bed_json(&bed, "$.result.sitekey"));
    assert_int_equal(strlen(sitekey), 24);
    assert_memory_equal(sitekey, "0x4AAAAAA", 9);
    const char *secret = bed_json(&bed, "$.result.secret");
    assert_int_equal(strlen(secret), 35);
    assert_memory_equal(secret, sitekey, 13);
    bed_stop(&bed);
}

static void headers_are_those_of_the_api(void **state)
{
    struct bed bed;
    (void)state;
    bed_start(&bed, NULL);
    bed_call(&bed, "GET", BED_WIDGETS, NULL, 200);
    assert_string_equal(bed_header(&bed, "Content-Type"), "application/json");
    assert_int_equal(strlen(bed_header(&bed, "Cf-Auditlog-Id")), 36);
    const char *ray = bed_header(&bed, "CF-Ray");
    assert_int_equal(strlen(ray), 20);
    assert_string_equal(ray + 16, "-TSH");
    assert_true(*bed_header(&bed, "Ratelimit") != '\0');
    assert_true(*bed_header(&bed, "Ratelimit-Policy") != '\0');
    bed_stop(&bed);
}

static void domains_come_back_sorted_and_normal(void **state)
{
    struct bed bed;
    (void)state;
    bed_start(&bed, NULL);
    bed_call(&bed, "POST", BED_WIDGETS,
        "{\"name\":\"n\",\"mode\":\"invisible\",\"domains\":[\"staging-2.example\","
        "\"STAGING-10.example\",\"staging-1.example.\",\"staging-2.example\",\"127.0.0.1\"]}",
        200);
    bed_assert_json(&bed, "$.result.domains",
        "[\"127.0.0.1\",\"staging-1.example\",\"staging-10.example\",\"staging-2.example\"]");
    bed_stop(&bed);
}

static void names_keep_what_json_can_say(void **state)
{
    struct bed bed;
    (void)state;
    bed_start(&bed, NULL);
    bed_call(&bed, "POST", BED_WIDGETS,
        "{\"name\":\"caf\xc3\xa9 \\u00E9 \\\\u0000 \\uD83D\\ude00 \\\"q\\\" \\\\ \\n\","
        "\"domains\":[\"a.example\"],\"mode\":\"managed\"}",
        200);
    bed_assert_json(
        &bed, "$.result.name", "caf\xc3\xa9 \xc3\xa9 \\u0000 \xf0\x9f\x98\x80 \"q\" \\ \n");
    bed_stop(&bed);
}

static void a_wrong_body_is_refused_in_the_right_words(void **state)
{
    static const struct {
        const char *body;
        const char *message; // a part of it
    } wrong[] = {
        {"", "not valid JSON"},
        {"{", "not valid JSON"},
        {"{} x", "not valid JSON"},
        {"[]", "not a JSON object"},
        {"null", "not a JSON object"},
        {"{}", "missing field `name`"},
        {"{\"name\":\"n\"}", "missing field `mode`"},
        {"{\"name\":\"n\",\"mode\":\"managed\"}", "missing field `domains`"},
        {"{\"name\":\"n\",\"mode\":\"managed\",\"domains\":null}", "missing field `domains`"},
        {"{\"name\":5,\"mode\":\"managed\",\"extra\":1,\"domains\":[]}",
            "json: unknown field \"extra\""},
        {"{\"sitekey\":\"x\"}", "json: unknown field \"sitekey\""},
        {"{\"invalidate_immediately\":true}", "json: unknown field \"invalidate_immediately\""},
        {"{\"Name\":\"n\"}", "json: unknown field \"Name\""},
        {"{\"\\u0000name\":\"n\"}", "not allowed"},
        {"{\"name\":5,\"mode\":\"managed\",\"domains\":[]}", "`name` must be a string"},
        {"{\"name\":\"\",\"mode\":\"managed\",\"domains\":[]}", "`name` must be 1 to 254"},
        {"{\"name\":\"a\\u0000b\",\"mode\":\"managed\",\"domains\":[]}", "not allowed"},
        {"{\"name\":\"\\ud800\",\"mode\":\"managed\",\"domains\":[]}", "not allowed"},
        {"{\"name\":\"\\udc00\\ud800\",\"mode\":\"managed\",\"domains\":[]}", "not allowed"},
        {"{\"name\":\"\\ud83d\\u0041\",\"mode\":\"managed\",\"domains\":[]}", "not allowed"},
        {"{\"name\":\"n\",\"mode\":\"non_interactive\",\"domains\":[]}",
            "invalid value for `mode`"},
        {"{\"name\":\"n\",\"mode\":\"managed\",\"domains\":{}}", "`domains` must be an array"},
        {"{\"name\":\"n\",\"mode\":\"managed\",\"domains\":\"a.example\"}",
            "`domains` must be an array"},
        {"{\"name\":\"n\",\"mode\":\"managed\",\"domains\":[1]}", "strings only"},
        {"{\"name\":\"n\",\"mode\":\"managed\",\"domains\":[\"https://a.example\"]}",
            "invalid domain \"https://a.example\""},
        {"{\"name\":\"n\",\"mode\":\"managed\",\"domains\":[\"a\\u0000\"]}", "not allowed"},
        {"{\"name\":\"n\",\"mode\":\"managed\",\"domains\":[\"a.example\"],\"region\":\"mars\"}",
            "invalid value for `region`"},
        {"{\"name\":\"n\",\"mode\":\"managed\",\"domains\":[\"a.example\"],"
         "\"clearance_level\":\"x\"}",
            "invalid value for `clearance_level`"},
        {"{\"name\":\"n\",\"mode\":\"managed\",\"domains\":[\"a.example\"],\"offlabel\":\"true\"}",
            "`offlabel` must be a boolean"},
        {"{\"name\":\"n\",\"mode\":\"managed\",\"domains\":[\"a.example\"],\"region\":null}",
            "`region` must be a string"},
    };
    struct bed bed;
    (void)state;
    bed_start(&bed, NULL);
    char sitekey[33];
    char path[256];
    bed_create(&bed, BED_BODY, sitekey, NULL);
    bed_path(path, sizeof path, sitekey, "");
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        bed_refused(&bed, "POST", BED_WIDGETS, wrong[i].body, 400, 10400);
        assert_non_null(strstr(bed_json(&bed, "$.errors[0].message"), wrong[i].message));
        bed_refused(&bed, "PUT", path, wrong[i].body, 400, 10400);
        assert_non_null(strstr(bed_json(&bed, "$.errors[0].message"), wrong[i].message));
    }
    bed_call(&bed, "GET", BED_WIDGETS, NULL, 200);
    bed_assert_json(&bed, "$.result_info.total_count", "1");
    bed_stop(&bed);
}

static void a_name_has_at_most_254_characters(void **state)
{
    struct bed bed;
    (void)state;
    bed_start(&bed, NULL);
    char name[600] = "";
    char body[1024];
    for (size_t i = 0; i < 254; i++) {
        memcpy(name + 2 * i, "\xc3\xa9", 3); // two bytes, one character
    }
    snprintf(body, sizeof body,
        "{\"name\":\"%s\",\"mode\":\"managed\",\"domains\":[\"a.example\"]}", name);
    bed_call(&bed, "POST", BED_WIDGETS, body, 200);
    snprintf(body, sizeof body,
        "{\"name\":\"%sx\",\"mode\":\"managed\",\"domains\":[\"a.example\"]}", name);
    bed_refused(&bed, "POST", BED_WIDGETS, body, 400, 10400);
    bed_stop(&bed);
}

static void a_body_needs_its_content_type(void **state)
{
    struct bed bed;
    (void)state;
    bed_start(&bed, NULL);
    bed.type = NULL;
    bed_refused(&bed, "POST", BED_WIDGETS, BED_BODY, 415, 10415);
    bed.type = "Content-Type: text/plain";
    bed_refused(&bed, "POST", BED_WIDGETS, "{", 415, 10415);
    bed.type = "Content-Type: Application/JSON; charset=utf-8";
    bed_call(&bed, "POST", BED_WIDGETS, BED_BODY, 200);
    bed_stop(&bed);
}

static void update_replaces_what_is_sent_and_keeps_the_rest(void **state)
{
    struct bed bed;
    struct ts_sandbox_config config = {.grace_s = -1, .entitle = "bot_fight_mode, offlabel"};
    (void)state;
    bed_start(&bed, &config);
    char sitekey[33];
    char secret[64];
    char path[256];
    bed_create(&bed,
        "{\"name\":\"n\",\"mode\":\"managed\",\"domains\":[\"a.example\"],\"region\":\"china\","
        "\"clearance_level\":\"interactive\",\"bot_fight_mode\":true}",
        sitekey, secret);
    bed_advance(&bed, 60);
    bed_path(path, sizeof path, sitekey, "");
    bed_call(&bed, "PUT", path,
        "{\"name\":\"m\",\"mode\":\"invisible\",\"domains\":[\"b.example\"],\"offlabel\":true}",
        200);
    static const char *const fields[][2] = {
        {"$.result.name", "m"},
        {"$.result.mode", "invisible"},
        {"$.result.domains", "[\"b.example\"]"},
        {"$.result.region", "china"},
        {"$.result.clearance_level", "interactive"},
        {"$.result.bot_fight_mode", "1"},
        {"$.result.offlabel", "1"},
        {"$.result.created_on", "2026-01-01T00:00:00Z"},
        {"$.result.modified_on", "2026-01-01T00:01:00Z"},
    };
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        bed_assert_json(&bed, fields[i][0], fields[i][1]);
    }
    bed_assert_json(&bed, "$.result.sitekey", sitekey);
    bed_assert_json(&bed, "$.result.secret", secret);
    bed_call(&bed, "PUT", path,
        "{\"name\":\"m\",\"mode\":\"invisible\",\"domains\":[\"b.example\"],"
        "\"bot_fight_mode\":false}",
        200);
    bed_assert_json(&bed, "$.result.bot_fight_mode", "0");
    bed_stop(&bed);
}

static void region_is_written_once(void **state)
{
    struct bed bed;
    (void)state;
    bed_start(&bed, NULL);
    char sitekey[33];
    char path[256];
    bed_create(&bed, BED_BODY, sitekey, NULL);
    bed_path(path, sizeof path, sitekey, "");
    bed_call(&bed, "PUT", path,
        "{\"name\":\"n\",\"mode\":\"managed\",\"domains\":[\"a.example\"],\"region\":\"world\"}",
        200);
    bed_refused(&bed, "PUT", path,
        "{\"name\":\"x\",\"mode\":\"managed\",\"domains\":[\"a.example\"],\"region\":\"china\"}",
        400, 10400);
    bed_call(&bed, "GET", path, NULL, 200);
    bed_assert_json(&bed, "$.result.name", "n");
    bed_stop(&bed);
}

static void an_entitlement_is_needed_for_what_costs_one(void **state)
{
    static const char *const flags[] = {"bot_fight_mode", "ephemeral_id", "offlabel"};
    struct bed bed;
    struct ts_sandbox_config all = {
        .grace_s = -1, .entitle = "any-hostname,bot_fight_mode,ephemeral_id,offlabel"};
    (void)state;
    for (int entitled = 0; entitled < 2; entitled++) {
        bed_start(&bed, entitled ? &all : NULL);
        char sitekey[33];
        char path[256];
        char body[256];
        bed_create(&bed, BED_BODY, sitekey, NULL);
        bed_path(path, sizeof path, sitekey, "");
        for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
            snprintf(body, sizeof body,
                "{\"name\":\"n\",\"mode\":\"managed\",\"domains\":[\"a.example\"],\"%s\":true}",
                flags[i]);
            bed_call(&bed, "POST", BED_WIDGETS, body, entitled ? 200 : 403);
            bed_call(&bed, "PUT", path, body, entitled ? 200 : 403);
            if (!entitled) {
                char message[128];
                snprintf(message, sizeof message, "not entitled to widgets with `%s` set to true",
                    flags[i]);
                bed_assert_json(&bed, "$.errors[0].message", message);
                bed_assert_json(&bed, "$.errors[0].code", "10403");
            }
        }
        snprintf(body, sizeof body, "{\"name\":\"n\",\"mode\":\"managed\",\"domains\":[]}");
        bed_call(&bed, "POST", BED_WIDGETS, body, entitled ? 200 : 403);
        bed_call(&bed, "PUT", path, body, entitled ? 200 : 403);
        if (entitled) {
            assert_non_null(strstr(ts_buf_text(&bed.body), "\"domains\":[]"));
        }
        bed_stop(&bed);
    }
}

static void body_with_domains(char *body, size_t size, int count)
{
    int len = snprintf(body, size, "{\"name\":\"n\",\"mode\":\"managed\",\"domains\":[");
    for (int i = 0; i < count; i++) {
        len += snprintf(body + len, size - (size_t)len, "%s\"d%d.example\"", i ? "," : "", i);
    }
    snprintf(body + len, size - (size_t)len, ",\"d0.example\"]}");
}

static void domains_are_counted_as_a_set(void **state)
{
    struct bed bed;
    (void)state;
    static const int limits[] = {0, 3};
    for (size_t i = 0; i < 2; i++) {
        struct ts_sandbox_config config = {.grace_s = -1, .max_domains = limits[i]};
        int most = limits[i] ? limits[i] : 15;
        char body[1024];
        bed_start(&bed, &config);
        body_with_domains(body, sizeof body, most);
        bed_call(&bed, "POST", BED_WIDGETS, body, 200);
        body_with_domains(body, sizeof body, most + 1);
        bed_refused(&bed, "POST", BED_WIDGETS, body, 400, 10400);
        bed_stop(&bed);
    }
}

static void an_account_has_a_quota_of_its_own(void **state)
{
    struct bed bed;
    struct ts_sandbox_config config = {.grace_s = -1, .max_widgets = 2};
    (void)state;
    bed_start(&bed, &config);
    char sitekey[33];
    char path[256];
    bed_create(&bed, BED_BODY, sitekey, NULL);
    bed_call(&bed, "POST", BED_WIDGETS, BED_BODY, 200);
    bed_refused(&bed, "POST", BED_WIDGETS, BED_BODY, 403, 10403);
    bed_call(&bed, "POST", "/client/v4/accounts/" BED_OTHER_ACCOUNT "/challenges/widgets", BED_BODY,
        200);
    bed_path(path, sizeof path, sitekey, "");
    bed_call(&bed, "PUT", path, BED_BODY, 200);
    bed_call(&bed, "DELETE", path, NULL, 200);
    bed_call(&bed, "POST", BED_WIDGETS, BED_BODY, 200);
    bed_stop(&bed);
}

static void a_deleted_widget_is_gone(void **state)
{
    struct bed bed;
    (void)state;
    bed_start(&bed, NULL);
    char sitekey[33];
    char secret[64];
    char path[256];
    bed_create(&bed, BED_BODY, sitekey, secret);
    bed_path(path, sizeof path, sitekey, "");
    bed_call(&bed, "DELETE", path, NULL, 200);
    bed_assert_json(&bed, "$.result.sitekey", sitekey);
    bed_assert_json(&bed, "$.result.secret", secret);
    bed_refused(&bed, "DELETE", path, NULL, 404, 10404);
    bed_refused(&bed, "GET", path, NULL, 404, 10404);
    bed_refused(&bed, "PUT", path, BED_BODY, 404, 10404);
    bed_path(path, sizeof path, sitekey, "/rotate_secret");
    bed_refused(&bed, "POST", path, "{}", 404, 10404);
    bed_stop(&bed);
}

static void a_widget_belongs_to_its_account(void **state)
{
    struct bed bed;
    (void)state;
    bed_start(&bed, NULL);
    char sitekey[33];
    char path[256];
    bed_create(&bed, BED_BODY, sitekey, NULL);
    snprintf(path, sizeof path, "/client/v4/accounts/" BED_OTHER_ACCOUNT "/challenges/widgets/%s",
        sitekey);
    bed_refused(&bed, "GET", path, NULL, 404, 10404);
    bed_refused(&bed, "PUT", path, BED_BODY, 404, 10404);
    bed_refused(&bed, "DELETE", path, NULL, 404, 10404);
    bed_call(&bed, "GET", bed_path(path, sizeof path, sitekey, ""), NULL, 200);
    bed_stop(&bed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_widget_has_every_field),
        cmocka_unit_test(headers_are_those_of_the_api),
        cmocka_unit_test(domains_come_back_sorted_and_normal),
        cmocka_unit_test(names_keep_what_json_can_say),
        cmocka_unit_test(a_wrong_body_is_refused_in_the_right_words),
        cmocka_unit_test(a_name_has_at_most_254_characters),
        cmocka_unit_test(a_body_needs_its_content_type),
        cmocka_unit_test(update_replaces_what_is_sent_and_keeps_the_rest),
        cmocka_unit_test(region_is_written_once),
        cmocka_unit_test(an_entitlement_is_needed_for_what_costs_one),
        cmocka_unit_test(domains_are_counted_as_a_set),
        cmocka_unit_test(an_account_has_a_quota_of_its_own),
        cmocka_unit_test(a_deleted_widget_is_gone),
        cmocka_unit_test(a_widget_belongs_to_its_account),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
