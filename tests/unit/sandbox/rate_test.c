// SPDX-License-Identifier: MIT
// The rate limit: headers, refusal, penalty, recovery; counted by credential.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#include "tests/unit/sandbox/bed.h"

static void the_headers_count_down(void **state)
{
    struct bed bed;
    struct ts_sandbox_config config = {.grace_s = -1, .rate_requests = 3, .rate_window_s = 60};
    (void)state;
    bed_start(&bed, &config);
    bed_call(&bed, "GET", BED_WIDGETS, NULL, 200);
    assert_string_equal(bed_header(&bed, "Ratelimit-Policy"), "\"default\";q=3;w=60");
    assert_string_equal(bed_header(&bed, "Ratelimit"), "\"default\";r=2;t=60");
    atomic_fetch_add(&bed.mono_us, 10500000);
    bed_call(&bed, "POST", BED_WIDGETS, "{}", 400);
    assert_string_equal(bed_header(&bed, "Ratelimit"), "\"default\";r=1;t=50");
    bed_call(&bed, "GET", BED_WIDGETS "/0x4AAAAAAnobodys", NULL, 404);
    assert_string_equal(bed_header(&bed, "Ratelimit"), "\"default\";r=0;t=50");
    assert_string_equal(bed_header(&bed, "Retry-After"), "");
    bed_stop(&bed);
}

static void one_too_many_blocks_for_a_window(void **state)
{
    struct bed bed;
    struct ts_sandbox_config config = {.grace_s = -1, .rate_requests = 2, .rate_window_s = 60};
    (void)state;
    bed_start(&bed, &config);
    bed_call(&bed, "GET", BED_WIDGETS, NULL, 200);
    bed_call(&bed, "GET", BED_WIDGETS, NULL, 200);
    bed_advance(&bed, 59);
    bed_refused(&bed, "POST", BED_WIDGETS, BED_BODY, 429, 971);
    bed_assert_json(
        &bed, "$.errors[0].message", "Please wait and consider throttling your request speed");
    assert_string_equal(bed_header(&bed, "Retry-After"), "60");
    assert_string_equal(bed_header(&bed, "Ratelimit"), "\"default\";r=0;t=60");
    // The window has passed, the penalty has not; asking again does not lengthen it.
    atomic_fetch_add(&bed.mono_us, 58500000);
    bed_refused(&bed, "GET", BED_WIDGETS, NULL, 429, 971);
    assert_string_equal(bed_header(&bed, "Retry-After"), "2");
    atomic_fetch_add(&bed.mono_us, 1500000);
    bed_call(&bed, "GET", BED_WIDGETS, NULL, 200);
    bed_assert_json(&bed, "$.result", "[]"); // the refused create was not applied
    assert_string_equal(bed_header(&bed, "Ratelimit"), "\"default\";r=1;t=60");
    bed_stop(&bed);
}

static void a_window_that_passed_is_forgotten(void **state)
{
    struct bed bed;
    struct ts_sandbox_config config = {.grace_s = -1, .rate_requests = 2, .rate_window_s = 60};
    (void)state;
    bed_start(&bed, &config);
    for (int i = 0; i < 3; i++) {
        bed_call(&bed, "GET", BED_WIDGETS, NULL, 200);
        bed_call(&bed, "GET", BED_WIDGETS, NULL, 200);
        bed_advance(&bed, 60);
    }
    bed_stop(&bed);
}

static void each_credential_has_its_own_window(void **state)
{
    struct bed bed;
    struct ts_sandbox_config config = {.grace_s = -1, .rate_requests = 1, .rate_window_s = 60};
    (void)state;
    bed_start(&bed, &config);
    bed_call(&bed, "GET", BED_WIDGETS, NULL, 200);
    bed.authorization = "Authorization: Bearer another";
    bed_call(&bed, "GET", BED_WIDGETS, NULL, 200);
    bed_refused(&bed, "GET", "/client/v4/user/tokens/verify", NULL, 429, 971);
    // What has no credential, or none that counts, is not held back.
    bed.authorization = NULL;
    bed_call(&bed, "POST", "/sandbox/credentials",
        "{\"token\":\"gone\",\"permission\":\"revoked\"}", 200);
    bed.authorization = "Authorization: Bearer gone";
    bed_refused(&bed, "GET", BED_WIDGETS, NULL, 401, 10000);
    bed_refused(&bed, "GET", BED_WIDGETS, NULL, 401, 10000);
    assert_string_equal(bed_header(&bed, "Ratelimit-Policy"), "\"default\";q=1;w=60");
    bed_stop(&bed);
}

static void without_a_limit_nothing_is_refused(void **state)
{
    struct bed bed;
    (void)state;
    bed_start(&bed, NULL);
    char first[128];
    bed_call(&bed, "GET", BED_WIDGETS, NULL, 200);
    snprintf(first, sizeof first, "%s", bed_header(&bed, "Ratelimit"));
    for (int i = 0; i < 2000; i++) {
        bed_call(&bed, "GET", BED_WIDGETS, NULL, 200);
    }
    assert_string_equal(bed_header(&bed, "Ratelimit"), first);
    bed_stop(&bed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_headers_count_down),
        cmocka_unit_test(one_too_many_blocks_for_a_window),
        cmocka_unit_test(a_window_that_passed_is_forgotten),
        cmocka_unit_test(each_credential_has_its_own_window),
        cmocka_unit_test(without_a_limit_nothing_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
