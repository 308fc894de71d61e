// SPDX-License-Identifier: MIT
// Rotation and its grace period, with the clock moved by hand.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "tests/unit/sandbox/bed.h"

#define HOURS(n) ((n)*3600)

// The verdict on a fresh token of the widget: "" or the error code.
static const char *verdict(struct bed *bed, const char *sitekey, const char *secret)
{
    char body[512];
    char token[128];
    snprintf(body, sizeof body, "{\"sitekey\":\"%s\"}", sitekey);
    bed_call(bed, "POST", "/sandbox/tokens", body, 200);
    snprintf(token, sizeof token, "%s", bed_json(bed, "$.result.token"));
    snprintf(body, sizeof body, "{\"secret\":\"%s\",\"response\":\"%s\"}", secret, token);
    bed_call(bed, "POST", "/turnstile/v0/siteverify", body, 200);
    return bed_json(bed, "$.\"error-codes\"[0]");
}

static void rotate(struct bed *bed, const char *sitekey, const char *body, char *secret)
{
    char path[256];
    bed_call(bed, "POST", bed_path(path, sizeof path, sitekey, "/rotate_secret"), body, 200);
    snprintf(secret, 64, "%s", bed_json(bed, "$.result.secret"));
}

static void both_secrets_work_for_two_hours(void **state)
{
    struct bed bed;
    (void)state;
    bed_start(&bed, NULL);
    char sitekey[33];
    char old[64];
    char new[64];
    bed_create(&bed, BED_BODY, sitekey, old);
    bed_advance(&bed, 60);
    rotate(&bed, sitekey, "{}", new);
    assert_string_not_equal(old, new);
    assert_int_equal(strlen(new), 35);
    bed_assert_json(&bed, "$.result.sitekey", sitekey);
    bed_assert_json(&bed, "$.result.modified_on", "2026-01-01T00:01:00Z");
    bed_assert_json(&bed, "$.result.created_on", "2026-01-01T00:00:00Z");
    assert_string_equal(verdict(&bed, sitekey, old), "");
    assert_string_equal(verdict(&bed, sitekey, new), "");
    bed_advance(&bed, HOURS(2) - 1);
    assert_string_equal(verdict(&bed, sitekey, old), "");
    bed_advance(&bed, 1);
    assert_string_equal(verdict(&bed, sitekey, old), "invalid-input-secret");
    assert_string_equal(verdict(&bed, sitekey, new), "");
    bed_stop(&bed);
}

static void no_rotation_inside_the_grace_period(void **state)
{
    static const char *const bodies[] = {
        "{}", "{\"invalidate_immediately\":true}", "{\"invalidate_immediately\":false}"};
    struct bed bed;
    (void)state;
    bed_start(&bed, NULL);
    char sitekey[33];
    char secret[64];
    char newer[64];
    char path[256];
    bed_create(&bed, BED_BODY, sitekey, NULL);
    rotate(&bed, sitekey, "{\"invalidate_immediately\":false}", secret);
    bed_advance(&bed, HOURS(2) - 1);
    bed_path(path, sizeof path, sitekey, "/rotate_secret");
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        bed_refused(&bed, "POST", path, bodies[i], 400, 10400);
    }
    bed_call(&bed, "GET", bed_path(path, sizeof path, sitekey, ""), NULL, 200);
    bed_assert_json(&bed, "$.result.secret", secret);
    bed_advance(&bed, 1);
    rotate(&bed, sitekey, "{}", newer);
    assert_string_equal(verdict(&bed, sitekey, secret), "");
    bed_stop(&bed);
}

static void an_immediate_rotation_leaves_no_old_secret(void **state)
{
    struct bed bed;
    (void)state;
    bed_start(&bed, NULL);
    char sitekey[33];
    char first[64];
    char second[64];
    char third[64];
    bed_create(&bed, BED_BODY, sitekey, first);
    rotate(&bed, sitekey, "{\"invalidate_immediately\":true}", second);
    assert_string_equal(verdict(&bed, sitekey, first), "invalid-input-secret");
    rotate(&bed, sitekey, "{\"invalidate_immediately\":true}", third);
    assert_string_equal(verdict(&bed, sitekey, second), "invalid-input-secret");
    assert_string_equal(verdict(&bed, sitekey, third), "");
    bed_stop(&bed);
}

static void the_length_of_grace_is_a_setting(void **state)
{
    struct bed bed;
    struct ts_sandbox_config config = {.grace_s = 10};
    (void)state;
    bed_start(&bed, &config);
    char sitekey[33];
    char old[64];
    char secret[64];
    bed_create(&bed, BED_BODY, sitekey, old);
    rotate(&bed, sitekey, "{}", secret);
    bed_advance(&bed, 9);
    assert_string_equal(verdict(&bed, sitekey, old), "");
    bed_advance(&bed, 1);
    assert_string_equal(verdict(&bed, sitekey, old), "invalid-input-secret");
    bed_stop(&bed);
    config.grace_s = 0;
    bed_start(&bed, &config);
    bed_create(&bed, BED_BODY, sitekey, old);
    rotate(&bed, sitekey, "{}", secret);
    assert_string_equal(verdict(&bed, sitekey, old), "invalid-input-secret");
    rotate(&bed, sitekey, "{}", secret);
    bed_stop(&bed);
}

static void a_wrong_body_rotates_nothing(void **state)
{
    static const char *const wrong[] = {"", "[]", "{\"invalidate_immediately\":null}",
        "{\"invalidate_immediately\":1}", "{\"invalidate_immediately\":\"true\"}",
        "{\"name\":\"n\"}"};
    struct bed bed;
    (void)state;
    bed_start(&bed, NULL);
    char sitekey[33];
    char secret[64];
    char path[256];
    bed_create(&bed, BED_BODY, sitekey, secret);
    bed_path(path, sizeof path, sitekey, "/rotate_secret");
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        bed_refused(&bed, "POST", path, wrong[i], 400, 10400);
    }
    bed_refused(&bed, "POST", path, NULL, 415, 10415);
    bed_call(&bed, "GET", bed_path(path, sizeof path, sitekey, ""), NULL, 200);
    bed_assert_json(&bed, "$.result.secret", secret);
    bed_stop(&bed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_secrets_work_for_two_hours),
        cmocka_unit_test(no_rotation_inside_the_grace_period),
        cmocka_unit_test(an_immediate_rotation_leaves_no_old_secret),
        cmocka_unit_test(the_length_of_grace_is_a_setting),
        cmocka_unit_test(a_wrong_body_rotates_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
