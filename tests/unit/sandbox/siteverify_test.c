// SPDX-License-Identifier: MIT
// siteverify and minting: bodies of three kinds, one life per token, testing keys.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "tests/unit/sandbox/bed.h"

#define SITEVERIFY "/turnstile/v0/siteverify"
#define FORM "Content-Type: application/x-www-form-urlencoded"
#define UUID "a1b2c3d4-0000-4000-8000-00000000000f"
#define OTHER_UUID "a1b2c3d4-0000-4000-8000-000000000010"
#define DUMMY "XXXX.DUMMY.TOKEN.XXXX"

struct place {
    struct bed bed;
    char sitekey[33];
    char secret[64];
    char token[128];
};

static void place_start(struct place *place, const struct ts_sandbox_config *config)
{
    bed_start(&place->bed, config);
    bed_create(&place->bed, BED_BODY, place->sitekey, place->secret);
}

// Mints with what follows the sitekey in the body.
static void place_mint(struct place *place, const char *rest)
{
    char body[512];
    place->bed.type = "Content-Type: application/json";
    snprintf(body, sizeof body, "{\"sitekey\":\"%s\"%s}", place->sitekey, rest);
    bed_call(&place->bed, "POST", "/sandbox/tokens", body, 200);
    snprintf(place->token, sizeof place->token, "%s", bed_json(&place->bed, "$.result.token"));
}

// Verifies as a form; "" when it passes, else the error code.
static const char *place_verify(
    struct place *place, const char *secret, const char *token, const char *rest)
{
    char body[4096];
    place->bed.type = FORM;
    place->bed.authorization = NULL;
    snprintf(body, sizeof body, "secret=%s&response=%s%s", secret, token, rest);
    bed_call(&place->bed, "POST", SITEVERIFY, body, 200);
    const char *error = bed_json(&place->bed, "$.\"error-codes\"[0]");
    if (!*error) {
        bed_assert_json(&place->bed, "$.success", "1");
        return "";
    }
    char code[64];
    snprintf(code, sizeof code, "%s", error);
    bed_assert_json(&place->bed, "$.success", "0");
    return bed_json(&place->bed, "$.\"error-codes\"[0]");
}

static void a_token_passes_once(void **state)
{
    struct place place;
    (void)state;
    place_start(&place, NULL);
    place_mint(&place, ",\"hostname\":\"www.ACME.example\",\"action\":\"login\",\"cdata\":\"c-1\"");
    assert_string_equal(place_verify(&place, place.secret, place.token, ""), "");
    bed_assert_json(&place.bed, "$.hostname", "www.acme.example");
    bed_assert_json(&place.bed, "$.action", "login");
    bed_assert_json(&place.bed, "$.cdata", "c-1");
    bed_assert_json(&place.bed, "$.challenge_ts", "2026-01-01T00:00:00.000Z");
    bed_assert_json(&place.bed, "$.\"error-codes\"", "[]");
    bed_assert_json(&place.bed, "$.metadata.ephemeral_id", "");
    assert_string_equal(
        place_verify(&place, place.secret, place.token, ""), "timeout-or-duplicate");
    bed_assert_json(&place.bed, "$.messages", "[]");
    bed_stop(&place.bed);
}

static void json_and_multipart_bodies_are_read_too(void **state)
{
    struct place place;
    char body[1024];
    (void)state;
    place_start(&place, NULL);
    place_mint(&place, "");
    snprintf(body, sizeof body, "{\"secret\":\"%s\",\"response\":\"%s\",\"remoteip\":null}",
        place.secret, place.token);
    bed_call(&place.bed, "POST", SITEVERIFY, body, 200);
    bed_assert_json(&place.bed, "$.success", "1");
    bed_assert_json(&place.bed, "$.action", "");
    bed_assert_json(&place.bed, "$.cdata", "");
    place_mint(&place, "");
    place.bed.type = "Content-Type: multipart/form-data; boundary=line";
    snprintf(body, sizeof body,
        "--line\r\nContent-Disposition: form-data; name=\"secret\"\r\n\r\n%s\r\n"
        "--line\r\nContent-Disposition: form-data; name=\"response\"\r\n\r\n%s\r\n"
        "--line\r\nContent-Disposition: form-data; "
        "name=\"remoteip\"\r\n\r\n192.0.2.1\r\n--line--\r\n",
        place.secret, place.token);
    bed_call(&place.bed, "POST", SITEVERIFY, body, 200);
    bed_assert_json(&place.bed, "$.success", "1");
    bed_stop(&place.bed);
}

static void an_unreadable_body_is_a_bad_request(void **state)
{
    static const struct {
        const char *type;
        const char *body;
    } bodies[] = {
        {"Content-Type: application/json", "{"},
        {"Content-Type: application/json", "[]"},
        {"Content-Type: application/json", "{\"secret\":1}"},
        {"Content-Type: application/json", "{\"secret\":\"a\\u0000b\"}"},
        {"Content-Type: text/plain", "secret=a"},
        {NULL, "secret=a"},
        {"Content-Type: multipart/form-data", "--line"},
    };
    struct bed bed;
    (void)state;
    bed_start(&bed, NULL);
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        bed.type = bodies[i].type;
        bed_call(&bed, "POST", SITEVERIFY, bodies[i].body, 400);
        bed_assert_json(&bed, "$.\"error-codes\"[0]", "bad-request");
        bed_assert_json(&bed, "$.success", "0");
    }
    bed_call(&bed, "GET", SITEVERIFY, NULL, 405);
    bed_stop(&bed);
}

static void what_is_missing_or_wrong_is_named(void **state)
{
    struct place place;
    char longest[2100];
    (void)state;
    place_start(&place, NULL);
    place_mint(&place, "");
    assert_string_equal(place_verify(&place, "", "", ""), "missing-input-secret");
    assert_string_equal(place_verify(&place, place.secret, "", ""), "missing-input-response");
    assert_string_equal(place_verify(&place, "0x4AAnobodys", "", ""), "invalid-input-secret");
    assert_string_equal(
        place_verify(&place, place.secret, "nonsense", ""), "invalid-input-response");
    assert_string_equal(place_verify(&place, place.secret, DUMMY, ""), "invalid-input-response");
    memset(longest, 'x', sizeof longest);
    longest[2049] = '\0';
    assert_string_equal(place_verify(&place, place.secret, longest, ""), "invalid-input-response");
    assert_string_equal(
        place_verify(&place, place.secret, place.token, "&idempotency_key=x"), "bad-request");
    // Another widget's token, and its own widget's secret afterwards.
    char secret[64];
    char sitekey[33];
    place.bed.type = "Content-Type: application/json";
    place.bed.authorization = "Authorization: Bearer x";
    bed_create(&place.bed, BED_BODY, sitekey, secret);
    assert_string_equal(place_verify(&place, secret, place.token, ""), "invalid-input-response");
    assert_string_equal(place_verify(&place, place.secret, place.token, ""), "");
    bed_stop(&place.bed);
}

static void a_token_lives_300_seconds(void **state)
{
    struct place place;
    (void)state;
    place_start(&place, NULL);
    place_mint(&place, "");
    bed_advance(&place.bed, 300);
    assert_string_equal(place_verify(&place, place.secret, place.token, ""), "");
    place_mint(&place, "");
    bed_advance(&place.bed, 301);
    assert_string_equal(
        place_verify(&place, place.secret, place.token, ""), "timeout-or-duplicate");
    place_mint(&place, ",\"age\":301");
    assert_string_equal(
        place_verify(&place, place.secret, place.token, ""), "timeout-or-duplicate");
    place_mint(&place, ",\"age\":299");
    assert_string_equal(place_verify(&place, place.secret, place.token, ""), "");
    bed_stop(&place.bed);
}

static void an_idempotency_key_allows_the_same_call_again(void **state)
{
    struct place place;
    (void)state;
    place_start(&place, NULL);
    place_mint(&place, "");
    const char *same = "&idempotency_key=" UUID;
    assert_string_equal(place_verify(&place, place.secret, place.token, same), "");
    assert_string_equal(place_verify(&place, place.secret, place.token, same), "");
    assert_string_equal(
        place_verify(&place, place.secret, place.token, "&idempotency_key=" OTHER_UUID),
        "timeout-or-duplicate");
    assert_string_equal(
        place_verify(&place, place.secret, place.token, ""), "timeout-or-duplicate");
    assert_string_equal(place_verify(&place, place.secret, place.token, same), "");
    place_mint(&place, "");
    assert_string_equal(place_verify(&place, place.secret, place.token, ""), "");
    assert_string_equal(
        place_verify(&place, place.secret, place.token, same), "timeout-or-duplicate");
    bed_stop(&place.bed);
}

static void a_deleted_widgets_secret_is_unknown(void **state)
{
    struct place place;
    char path[256];
    (void)state;
    place_start(&place, NULL);
    place_mint(&place, "");
    bed_call(&place.bed, "DELETE", bed_path(path, sizeof path, place.sitekey, ""), NULL, 200);
    assert_string_equal(
        place_verify(&place, place.secret, place.token, ""), "invalid-input-secret");
    bed_stop(&place.bed);
}

static void an_entitled_widget_tells_an_ephemeral_id(void **state)
{
    struct place place;
    struct ts_sandbox_config config = {.grace_s = -1, .entitle = "ephemeral_id,any-hostname"};
    (void)state;
    bed_start(&place.bed, &config);
    bed_create(&place.bed,
        "{\"name\":\"n\",\"mode\":\"managed\",\"domains\":[],\"ephemeral_id\":true}", place.sitekey,
        place.secret);
    place_mint(&place, ",\"hostname\":\"any.where.example\"");
    assert_string_equal(place_verify(&place, place.secret, place.token, ""), "");
    assert_memory_equal(bed_json(&place.bed, "$.metadata.ephemeral_id"), "x:", 2);
    bed_assert_json(&place.bed, "$.hostname", "any.where.example");
    bed_stop(&place.bed);
}

static void testing_secrets_have_fixed_verdicts(void **state)
{
    static const char *const secrets[][2] = {
        {"1x0000000000000000000000000000000AA", ""},
        {"2x0000000000000000000000000000000AA", "invalid-input-response"},
        {"3x0000000000000000000000000000000AA", "timeout-or-duplicate"},
    };
    struct place place;
    (void)state;
    place_start(&place, NULL);
    place_mint(&place, "");
    for (size_t i = 0; i < 3; i++) {
        assert_string_equal(place_verify(&place, secrets[i][0], DUMMY, ""), secrets[i][1]);
        bed_assert_json(&place.bed, "$.metadata.result_with_testing_key", "1");
        assert_string_equal(
            place_verify(&place, secrets[i][0], place.token, ""), "invalid-input-secret");
    }
    place_verify(&place, secrets[0][0], DUMMY, "");
    bed_assert_json(&place.bed, "$.hostname", "example.com");
    bed_call(&place.bed, "POST", "/sandbox/settings", "{\"lenient_testing_keys\":true}", 200);
    assert_string_equal(place_verify(&place, secrets[0][0], place.token, ""), "");
    snprintf(place.sitekey, sizeof place.sitekey, "2x00000000000000000000BB");
    place_mint(&place, "");
    assert_string_equal(place.token, DUMMY);
    bed_stop(&place.bed);
}

static void minting_refuses_what_no_browser_would_get(void **state)
{
    struct place place;
    char body[256];
    (void)state;
    place_start(&place, NULL);
    snprintf(
        body, sizeof body, "{\"sitekey\":\"%s\",\"hostname\":\"evil.example\"}", place.sitekey);
    bed_refused(&place.bed, "POST", "/sandbox/tokens", body, 400, 10400);
    snprintf(body, sizeof body, "{\"sitekey\":\"%s\",\"age\":100000}", place.sitekey);
    bed_refused(&place.bed, "POST", "/sandbox/tokens", body, 400, 10400);
    snprintf(body, sizeof body, "{\"sitekey\":\"%s\",\"hostnam\":\"x\"}", place.sitekey);
    bed_refused(&place.bed, "POST", "/sandbox/tokens", body, 400, 10400);
    bed_refused(&place.bed, "POST", "/sandbox/tokens", "{}", 400, 10400);
    bed_refused(
        &place.bed, "POST", "/sandbox/tokens", "{\"sitekey\":\"0x4AAnobodys\"}", 404, 10404);
    bed_stop(&place.bed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_passes_once),
        cmocka_unit_test(json_and_multipart_bodies_are_read_too),
        cmocka_unit_test(an_unreadable_body_is_a_bad_request),
        cmocka_unit_test(what_is_missing_or_wrong_is_named),
        cmocka_unit_test(a_token_lives_300_seconds),
        cmocka_unit_test(an_idempotency_key_allows_the_same_call_again),
        cmocka_unit_test(a_deleted_widgets_secret_is_unknown),
        cmocka_unit_test(an_entitled_widget_tells_an_ephemeral_id),
        cmocka_unit_test(testing_secrets_have_fixed_verdicts),
        cmocka_unit_test(minting_refuses_what_no_browser_would_get),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
