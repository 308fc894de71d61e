// SPDX-License-Identifier: MIT
// Routing and credentials: who gets in, and in which words the others are refused.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "tests/unit/sandbox/bed.h"

#define VERIFY "/client/v4/user/tokens/verify"
#define ACCOUNT_VERIFY "/client/v4/accounts/" BED_ACCOUNT "/tokens/verify"
#define OTHER_WIDGETS "/client/v4/accounts/" BED_OTHER_ACCOUNT "/challenges/widgets"

static void no_credentials_are_refused(void **state)
{
    static const char *const headers[] = {NULL, "X-Auth-Email: ops@acme.example",
        "X-Auth-Key: 0123", "X-Auth-User-Service-Key: v1.0"};
    struct bed bed;
    (void)state;
    bed_start(&bed, NULL);
    bed.authorization = NULL;
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
        bed.header = headers[i];
        bed_refused(&bed, "GET", BED_WIDGETS, NULL, 400, 9106);
    }
    bed_stop(&bed);
}

static void malformed_credentials_are_refused(void **state)
{
    static const char *const values[] = {"Authorization: Bearer a b", "Authorization: Bearer \"a\"",
        "Authorization: Bearer Bearer a", "Authorization: Bearer", "Authorization: Bearer ",
        "Authorization: Basic YTpi", "Authorization: token", "Authorization;"};
    struct bed bed;
    (void)state;
    bed_start(&bed, NULL);
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        bed.authorization = values[i];
        bed_refused(&bed, "GET", BED_WIDGETS, NULL, 400, 6003);
        bed_assert_json(&bed, "$.errors[0].message", "Invalid request headers");
        bed_assert_json(&bed, "$.errors[0].error_chain[0].code", "6111");
        bed_assert_json(
            &bed, "$.errors[0].error_chain[0].message", "Invalid format for Authorization header");
    }
    bed.authorization = "X-Auth-Email: nobody";
    bed.header = "X-Auth-Key: 0123";
    bed_refused(&bed, "GET", BED_WIDGETS, NULL, 400, 6003);
    bed_assert_json(&bed, "$.errors[0].error_chain[0].code", "6102");
    bed_stop(&bed);
}

static void only_the_configured_credentials_are_known(void **state)
{
    struct bed bed;
    struct ts_sandbox_config config = {.grace_s = -1, .token = BED_TOKEN, .account = BED_ACCOUNT};
    (void)state;
    bed_start(&bed, &config);
    bed_call(&bed, "GET", BED_WIDGETS, NULL, 200);
    bed_refused(&bed, "GET", OTHER_WIDGETS, NULL, 403, 10000);
    bed.authorization = "authorization: bearer " BED_TOKEN;
    bed_call(&bed, "GET", BED_WIDGETS, NULL, 200);
    bed.authorization = "Authorization: Bearer " BED_TOKEN "x";
    bed_refused(&bed, "GET", BED_WIDGETS, NULL, 401, 10000);
    bed_refused(&bed, "GET", OTHER_WIDGETS, NULL, 401, 10000);
    bed_assert_json(&bed, "$.errors[0].message", "Authentication error");
    bed.authorization = "X-Auth-Email: ops@acme.example";
    bed.header = "X-Auth-Key: " BED_TOKEN;
    bed_call(&bed, "POST", BED_WIDGETS, BED_BODY, 200);
    bed.header = "X-Auth-Key: 0123";
    bed_refused(&bed, "GET", BED_WIDGETS, NULL, 401, 10000);
    bed_stop(&bed);
}

static void without_configuration_every_account_is_served(void **state)
{
    struct bed bed;
    (void)state;
    bed_start(&bed, NULL);
    bed_call(&bed, "POST", BED_WIDGETS, BED_BODY, 200);
    bed_call(&bed, "GET", OTHER_WIDGETS, NULL, 200);
    bed_assert_json(&bed, "$.result", "[]");
    bed.authorization = "Authorization: Bearer another-one";
    bed_call(&bed, "GET", BED_WIDGETS, NULL, 200);
    bed_assert_json(&bed, "$.result_info.total_count", "1");
    bed_stop(&bed);
}

static void tokens_can_be_verified(void **state)
{
    static const char *const paths[] = {VERIFY, ACCOUNT_VERIFY};
    struct bed bed;
    struct ts_sandbox_config config = {.grace_s = -1, .token = BED_TOKEN};
    (void)state;
    bed_start(&bed, &config);
    for (size_t i = 0; i < 2; i++) {
        bed.authorization = "Authorization: Bearer " BED_TOKEN;
        bed_call(&bed, "GET", paths[i], NULL, 200);
        bed_assert_json(&bed, "$.result.status", "active");
        bed_assert_json(&bed, "$.messages[0].code", "10000");
        bed_assert_json(&bed, "$.messages[0].message", "This API Token is valid and active");
        assert_int_equal(strlen(bed_json(&bed, "$.result.id")), 32);
        bed.authorization = "Authorization: Bearer unknown";
        bed_refused(&bed, "GET", paths[i], NULL, 401, 1000);
        bed.authorization = NULL;
        bed_refused(&bed, "GET", paths[i], NULL, 400, 9106);
    }
    bed_stop(&bed);
}

static void weak_credentials_get_no_further_than_they_may(void **state)
{
    struct bed bed;
    (void)state;
    bed_start(&bed, NULL);
    char sitekey[33];
    char path[256];
    bed_create(&bed, BED_BODY, sitekey, NULL);
    bed_path(path, sizeof path, sitekey, "");
    bed_call(&bed, "POST", "/sandbox/credentials", "{\"token\":\"reader\",\"permission\":\"read\"}",
        200);
    bed_call(
        &bed, "POST", "/sandbox/credentials", "{\"token\":\"weak\",\"permission\":\"none\"}", 200);
    bed_call(&bed, "POST", "/sandbox/credentials",
        "{\"token\":\"gone\",\"permission\":\"revoked\"}", 200);
    bed.authorization = "Authorization: Bearer reader";
    bed_call(&bed, "GET", BED_WIDGETS, NULL, 200);
    bed_call(&bed, "GET", path, NULL, 200);
    assert_int_equal(strlen(bed_json(&bed, "$.result.secret")), 35);
    bed_refused(&bed, "POST", BED_WIDGETS, BED_BODY, 403, 10000);
    bed_refused(&bed, "PUT", path, BED_BODY, 403, 10000);
    bed_refused(&bed, "DELETE", path, NULL, 403, 10000);
    bed.authorization = "Authorization: Bearer weak";
    bed_refused(&bed, "GET", BED_WIDGETS, NULL, 403, 10000);
    bed_call(&bed, "GET", VERIFY, NULL, 200);
    bed.authorization = "Authorization: Bearer gone";
    bed_refused(&bed, "GET", BED_WIDGETS, NULL, 401, 10000);
    bed_refused(&bed, "GET", VERIFY, NULL, 401, 1000);
    bed_stop(&bed);
}

static void routing_comes_first(void **state)
{
    static const struct {
        const char *method;
        const char *path;
        long status;
        int code;
    } routes[] = {
        {"GET", "/", 404, 10404},
        {"GET", "/client", 404, 10404},
        {"GET", "/client/v5/accounts", 404, 10404},
        {"GET", "/client/v4", 404, 7000},
        {"GET", "/client/v4/zones", 404, 7000},
        {"GET", "/client/v4/accounts/xyz/challenges/widgets", 404, 7003},
        {"GET", "/client/v4/accounts/0123456789ABCDEF0123456789ABCDEF/challenges/widgets", 404,
            7003},
        {"GET", "/client/v4/accounts//challenges/widgets", 404, 7003},
        {"GET", "/client/v4/accounts/%00/challenges/widgets", 404, 7003},
        {"PATCH", BED_WIDGETS "/0x4AAAAAA", 405, 10405},
        {"PATCH", BED_WIDGETS, 405, 10405},
        {"PUT", BED_WIDGETS "/", 405, 10405},
        {"DELETE", BED_WIDGETS, 405, 10405},
        {"POST", BED_WIDGETS "/0x4AAAAAA", 405, 10405},
        {"GET", BED_WIDGETS "/0x4AAAAAA/rotate_secret", 405, 10405},
        {"OPTIONS", BED_WIDGETS, 405, 10405},
        {"BREW", BED_WIDGETS, 405, 10405},
        {"POST", VERIFY, 405, 10405},
        {"GET", BED_WIDGETS "/a/b/c", 404, 7000},
        {"GET", BED_WIDGETS "%00", 404, 7000},
        {"GET", BED_WIDGETS "/a/b/c/d/e/f/g/h/i/j", 404, 7000},
    };
    struct bed bed;
    (void)state;
    bed_start(&bed, NULL);
    bed.authorization = NULL;
    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++) {
        bed_refused(&bed, routes[i].method, routes[i].path, NULL, routes[i].status, routes[i].code);
    }
    bed_call(&bed, "GET", "/client/v4/accounts/xyz/challenges/widgets?page=1", NULL, 404);
    bed_assert_json(&bed, "$.errors[0].message",
        "Could not route to /client/v4/accounts/xyz/challenges/widgets, perhaps your object "
        "identifier is invalid?");
    bed_assert_json(&bed, "$.errors[1].code", "7000");
    bed_call(&bed, "PATCH", BED_WIDGETS "/0x4AAAAAA", NULL, 405);
    assert_string_equal(bed_header(&bed, "Allow"), "GET, HEAD, PUT, DELETE");
    bed_stop(&bed);
}

static void a_sitekey_is_decoded_and_otherwise_unknown(void **state)
{
    static const char *const unknown[] = {"0x4AAAAAAnobodys", "%00", "a%2Fb", "%ff", "%zz",
        "0123456789012345678901234567890123456789", "a%20b", "'%20OR%201=1"};
    struct bed bed;
    (void)state;
    bed_start(&bed, NULL);
    char sitekey[33];
    char path[256];
    bed_create(&bed, BED_BODY, sitekey, NULL);
    snprintf(path, sizeof path, "%s/%%30%s", BED_WIDGETS, sitekey + 1);
    bed_call(&bed, "GET", path, NULL, 200);
    bed_assert_json(&bed, "$.result.sitekey", sitekey);
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++) {
        bed_refused(&bed, "GET", bed_path(path, sizeof path, unknown[i], ""), NULL, 404, 10404);
    }
    bed_stop(&bed);
}

static void head_is_get_without_the_body(void **state)
{
    struct bed bed;
    (void)state;
    bed_start(&bed, NULL);
    bed_call(&bed, "HEAD", BED_WIDGETS, NULL, 200);
    assert_int_equal(bed.body.len, 0);
    assert_true(*bed_header(&bed, "Content-Length") != '\0');
    bed_stop(&bed);
}

// Each request is wrong in two ways that stand next to each other in the order of checks.
static void checks_come_in_order(void **state)
{
    struct bed bed;
    struct ts_sandbox_config config = {.grace_s = -1,
        .token = BED_TOKEN,
        .account = BED_ACCOUNT,
        .rate_requests = 6,
        .max_widgets = 1};
    (void)state;
    bed_start(&bed, &config);
    bed_call(&bed, "POST", BED_WIDGETS, BED_BODY, 200);
    bed.type = "Content-Type: text/plain";
    bed_refused(&bed, "POST", BED_WIDGETS, "{", 415, 10415);
    bed.type = "Content-Type: application/json";
    bed_refused(&bed, "POST", BED_WIDGETS, "{\"x\":1", 400, 10400);
    bed_refused(&bed, "POST", BED_WIDGETS,
        "{\"name\":\"n\",\"mode\":\"managed\",\"domains\":[],\"offlabel\":true}", 403, 10403);
    assert_non_null(strstr(bed_json(&bed, "$.errors[0].message"), "domains"));
    bed_refused(&bed, "POST", BED_WIDGETS,
        "{\"name\":\"n\",\"mode\":\"managed\",\"domains\":[\"a.example\"],\"offlabel\":true}", 403,
        10403);
    assert_non_null(strstr(bed_json(&bed, "$.errors[0].message"), "offlabel"));
    bed_refused(&bed, "POST", BED_WIDGETS, BED_BODY, 403, 10403);
    bed.type = "Content-Type: text/plain";
    bed_refused(&bed, "POST", BED_WIDGETS, "{", 429, 971);     // rate before type
    bed_refused(&bed, "POST", OTHER_WIDGETS, "{", 403, 10000); // permission before rate
    bed.authorization = "Authorization: Bearer x";
    bed_refused(&bed, "POST", OTHER_WIDGETS, "{", 401, 10000); // credentials before permission
    bed_refused(&bed, "POST", "/client/v4/accounts/x/challenges/widgets", "{", 404, 7003);
    bed_stop(&bed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_credentials_are_refused),
        cmocka_unit_test(malformed_credentials_are_refused),
        cmocka_unit_test(only_the_configured_credentials_are_known),
        cmocka_unit_test(without_configuration_every_account_is_served),
        cmocka_unit_test(tokens_can_be_verified),
        cmocka_unit_test(weak_credentials_get_no_further_than_they_may),
        cmocka_unit_test(routing_comes_first),
        cmocka_unit_test(a_sitekey_is_decoded_and_otherwise_unknown),
        cmocka_unit_test(head_is_get_without_the_body),
        cmocka_unit_test(checks_come_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
