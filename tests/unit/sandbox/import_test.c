// SPDX-License-Identifier: MIT
// A sandbox as the copy of an account: pages of a list taken over in C, and keys that are
// placeholders.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "tests/unit/sandbox/bed.h"

#define ROW                                                                                        \
    "{\"sitekey\":\"0x4-%d\",\"name\":\"w%d\",\"mode\":\"managed\",\"domains\":[\"%s.example\"],"  \
    "\"created_on\":\"2020-02-03T04:05:%02d.5Z\",\"modified_on\":\"2021-02-03T04:05:%02dZ\"}"
#define PAGE_MAX 4096

// A page with the widgets first..last of a list of that many.
static void page_write(char text[PAGE_MAX], int first, int last, int total, const char *domain)
{
    int len = snprintf(text, PAGE_MAX, "{\"success\":true,\"result\":[");
    for (int i = first; i <= last; i++) {
        len += snprintf(
            text + len, PAGE_MAX - (size_t)len, "%s" ROW, i > first ? "," : "", i, i, domain, i, i);
    }
    snprintf(text + len, PAGE_MAX - (size_t)len,
        "],\"result_info\":{\"per_page\":5,\"total_count\":%d}}", total);
}

static struct ts_sandbox_imported import_page(
    struct bed *bed, int first, int last, int total, const char *domain)
{
    char text[PAGE_MAX];
    struct ts_sandbox_imported imported;
    struct ts_error err;
    page_write(text, first, last, total, domain);
    enum ts_err code =
        ts_sandbox_import(bed->sandbox, BED_ACCOUNT, text, strlen(text), &imported, &err);
    assert_int_equal(code, TS_OK);
    return imported;
}

static void copy_start(struct bed *bed)
{
    struct ts_sandbox_config config = {.grace_s = -1, .is_placeholder = true};
    bed_start(bed, &config);
}

// A widget that moved from one page to the next while the list was read comes twice, and counts
// once, as it was seen last.
static void pages_make_a_fleet_and_tell_of_the_list(void **state)
{
    struct bed bed;
    (void)state;
    copy_start(&bed);
    struct ts_sandbox_imported imported = import_page(&bed, 1, 5, 9, "old");
    assert_int_equal(imported.rows, 5);
    assert_int_equal(imported.per_page, 5);
    assert_int_equal(imported.total, 9);
    assert_int_equal(imported.widgets, 5);
    imported = import_page(&bed, 5, 8, 9, "new");
    assert_int_equal(imported.rows, 4);
    assert_int_equal(imported.widgets, 8);
    bed_call(&bed, "GET", BED_WIDGETS "?order=created_on&direction=desc", NULL, 200);
    bed_assert_json(&bed, "$.result_info.total_count", "8");
    bed_assert_json(&bed, "$.result[0].sitekey", "0x4-8");
    bed_assert_json(&bed, "$.result[3].domains[0]", "new.example");
    bed_assert_json(&bed, "$.result[4].domains[0]", "old.example");
    bed_assert_json(&bed, "$.result[4].modified_on", "2021-02-03T04:05:04Z");
    bed_stop(&bed);
}

static void what_is_no_page_changes_nothing(void **state)
{
    static const char *const wrong[] = {"", "{}", "[]", "{\"result\":{}}", "{\"result\":[{}]}",
        "{\"result\":[{\"sitekey\":\"0x4-1\"}]}", "{\"result\":[", "{\"result\":[\"\\u0000\"]}"};
    struct bed bed;
    struct ts_sandbox_imported imported;
    struct ts_error err;
    (void)state;
    copy_start(&bed);
    import_page(&bed, 1, 5, 5, "a");
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        enum ts_err code = ts_sandbox_import(
            bed.sandbox, BED_ACCOUNT, wrong[i], strlen(wrong[i]), &imported, &err);
        assert_int_equal(code, TS_ERR_INVALID);
        assert_true(err.message[0]);
    }
    assert_int_equal(ts_sandbox_import(bed.sandbox, "me", "{}", 2, &imported, &err), TS_ERR_USAGE);
    assert_int_equal(import_page(&bed, 6, 6, 6, "a").widgets, 6);
    bed_stop(&bed);
}

static void new_keys_are_numbered_placeholders(void **state)
{
    struct bed bed;
    char sitekey[33], secret[64];
    (void)state;
    copy_start(&bed);
    import_page(&bed, 1, 1, 1, "a");
    bed_call(&bed, "GET", BED_WIDGETS "/0x4-1", NULL, 200);
    bed_assert_json(&bed, "$.result.secret", "planned-secret-0x4-1");
    bed_create(&bed, BED_BODY, sitekey, secret);
    assert_string_equal(sitekey, "planned-0001");
    assert_string_equal(secret, "planned-secret-0001");
    // What is refused uses up no number.
    bed_call(&bed, "POST", BED_WIDGETS, "{}", 400);
    bed_create(&bed, BED_BODY, sitekey, secret);
    assert_string_equal(sitekey, "planned-0002");
    bed_stop(&bed);
}

// Whether it was rotated lately nobody can tell from a list, so it may be; after that it is known.
static void an_imported_widget_can_be_rotated_once(void **state)
{
    struct bed bed;
    (void)state;
    copy_start(&bed);
    import_page(&bed, 1, 1, 1, "a");
    bed_call(&bed, "POST", BED_WIDGETS "/0x4-1/rotate_secret", "{}", 200);
    bed_assert_json(&bed, "$.result.secret", "planned-secret-0001");
    bed_call(&bed, "POST", BED_WIDGETS "/0x4-1/rotate_secret", "{}", 400);
    bed_stop(&bed);
}

// The service's clock is minutes ahead of ours.
static void what_is_changed_here_is_newer_than_what_came(void **state)
{
    static const char page[] =
        "{\"result\":[{\"sitekey\":\"0x4-9\",\"name\":\"n\",\"mode\":\"managed\",\"domains\":[],"
        "\"created_on\":\"2026-01-01T00:00:00Z\",\"modified_on\":\"2026-01-01T00:05:00Z\"}]}";
    struct bed bed;
    struct ts_sandbox_imported imported;
    struct ts_error err;
    (void)state;
    copy_start(&bed);
    assert_int_equal(
        ts_sandbox_import(bed.sandbox, BED_ACCOUNT, page, strlen(page), &imported, &err), TS_OK);
    assert_int_equal(imported.total, -1);
    bed_call(&bed, "POST", BED_WIDGETS, BED_BODY, 200);
    bed_call(&bed, "GET", BED_WIDGETS "?order=modified_on&direction=desc", NULL, 200);
    bed_assert_json(&bed, "$.result[0].sitekey", "planned-0001");
    bed_stop(&bed);
}

static void *import_many(void *self)
{
    for (int i = 0; i < 200; i++) {
        import_page(self, 1 + i % 20, 15 + i % 20, 40, "b");
    }
    return NULL;
}

static void pages_can_be_taken_over_while_it_serves(void **state)
{
    struct bed bed;
    pthread_t thread;
    (void)state;
    copy_start(&bed);
    import_page(&bed, 1, 5, 5, "a");
    assert_int_equal(pthread_create(&thread, NULL, import_many, &bed), 0);
    for (int i = 0; i < 200; i++) {
        bed_call(&bed, "GET", BED_WIDGETS "/0x4-1", NULL, 200);
        bed_call(&bed, "GET", BED_WIDGETS, NULL, 200);
    }
    pthread_join(thread, NULL);
    bed_call(&bed, "GET", BED_WIDGETS, NULL, 200);
    bed_assert_json(&bed, "$.result_info.total_count", "34");
    bed_stop(&bed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_make_a_fleet_and_tell_of_the_list),
        cmocka_unit_test(what_is_no_page_changes_nothing),
        cmocka_unit_test(new_keys_are_numbered_placeholders),
        cmocka_unit_test(an_imported_widget_can_be_rotated_once),
        cmocka_unit_test(what_is_changed_here_is_newer_than_what_came),
        cmocka_unit_test(pages_can_be_taken_over_while_it_serves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
