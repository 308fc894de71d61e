// SPDX-License-Identifier: MIT
// The list operation: paging, order, filter, result_info.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "tests/unit/sandbox/bed.h"

#define FLEET 12

// Twelve widgets, one a second; names run against the order of creation.
static void fleet_make(struct bed *bed)
{
    for (int i = 0; i < FLEET; i++) {
        char body[256];
        snprintf(body, sizeof body,
            "{\"name\":\"%s-%c\",\"mode\":\"managed\",\"domains\":[\"d%d.example\"]}",
            i % 2 ? "Acme" : "other", 'z' - i, i);
        bed_call(bed, "POST", BED_WIDGETS, body, 200);
        bed_advance(bed, 1);
    }
}

static void assert_info(struct bed *bed, const char *page, const char *per_page, const char *count,
    const char *total, const char *pages)
{
    bed_assert_json(bed, "$.result_info.page", page);
    bed_assert_json(bed, "$.result_info.per_page", per_page);
    bed_assert_json(bed, "$.result_info.count", count);
    bed_assert_json(bed, "$.result_info.total_count", total);
    bed_assert_json(bed, "$.result_info.total_pages", pages);
}

static void an_empty_account_lists_nothing(void **state)
{
    struct bed bed;
    (void)state;
    bed_start(&bed, NULL);
    bed_call(&bed, "GET", BED_WIDGETS, NULL, 200);
    bed_assert_json(&bed, "$.result", "[]");
    assert_info(&bed, "1", "25", "0", "0", "0");
    bed_stop(&bed);
}

static void pages_follow_each_other_and_end_empty(void **state)
{
    struct bed bed;
    (void)state;
    bed_start(&bed, NULL);
    fleet_make(&bed);
    bed_call(&bed, "GET", BED_WIDGETS "?per_page=5", NULL, 200);
    bed_assert_json(&bed, "$.result[0].name", "other-z");
    assert_info(&bed, "1", "5", "5", "12", "3");
    bed_call(&bed, "GET", BED_WIDGETS "?per_page=5&page=3", NULL, 200);
    bed_assert_json(&bed, "$.result[1].name", "Acme-o");
    assert_info(&bed, "3", "5", "2", "12", "3");
    bed_call(&bed, "GET", BED_WIDGETS "?page=4&per_page=5", NULL, 200);
    bed_assert_json(&bed, "$.result", "[]");
    assert_info(&bed, "4", "5", "0", "12", "3");
    bed_call(&bed, "GET", BED_WIDGETS "?page=1000000000000&per_page=1000", NULL, 200);
    bed_assert_json(&bed, "$.result", "[]");
    bed_stop(&bed);
}

// The sitekeys on page after page of the list, in one text.
static void sitekeys_read(struct bed *bed, const char *query, int pages, char *out, size_t size)
{
    size_t len = 0;
    for (int page = 1; page <= pages; page++) {
        char path[256];
        snprintf(path, sizeof path, BED_WIDGETS "?%s&page=%d", query, page);
        bed_call(bed, "GET", path, NULL, 200);
        int count = (int)strtol(bed_json(bed, "$.result_info.count"), NULL, 10);
        for (int i = 0; i < count; i++) {
            snprintf(path, sizeof path, "$.result[%d].sitekey", i);
            len += (size_t)snprintf(out + len, size - len, "%s ", bed_json(bed, path));
            assert_true(len < size);
        }
    }
}

static void assert_same_list(struct bed *bed, const char *order, const char *direction)
{
    char query[128];
    char whole[1024];
    char paged[1024];
    snprintf(query, sizeof query, "per_page=1000&order=%s&direction=%s", order, direction);
    sitekeys_read(bed, query, 1, whole, sizeof whole);
    snprintf(query, sizeof query, "per_page=5&order=%s&direction=%s", order, direction);
    sitekeys_read(bed, query, 3, paged, sizeof paged);
    assert_int_equal(strlen(whole), FLEET * 25);
    assert_string_equal(paged, whole);
}

static const char *const all_orders[] = {"created_on", "modified_on", "name", "sitekey", "id"};
static const char *const both_directions[] = {"asc", "desc"};

static void pages_hold_what_one_page_would(void **state)
{
    struct bed bed;
    (void)state;
    bed_start(&bed, NULL);
    fleet_make(&bed);
    for (size_t i = 0; i < 5; i++) {
        for (size_t j = 0; j < 2; j++) {
            assert_same_list(&bed, all_orders[i], both_directions[j]);
        }
    }
    bed_stop(&bed);
    // All made at the same moment, under the same name.
    bed_start(&bed, NULL);
    for (int i = 0; i < FLEET; i++) {
        bed_call(&bed, "POST", BED_WIDGETS, BED_BODY, 200);
    }
    for (size_t i = 0; i < 5; i++) {
        for (size_t j = 0; j < 2; j++) {
            assert_same_list(&bed, all_orders[i], both_directions[j]);
        }
    }
    bed_stop(&bed);
}

// A page is what the offset says at that moment, whatever the page before has shown.
static void pages_shift_with_what_is_written(void **state)
{
    struct bed bed;
    struct bed other; // on the same file
    char file[] = "/tmp/tshost-list-XXXXXX";
    char path[256];
    (void)state;
    close(mkstemp(file));
    struct ts_sandbox_config config = {.grace_s = -1, .db = file};
    bed_start(&bed, &config);
    bed_start(&other, &config);
    fleet_make(&bed);
    struct bed *writers[] = {&bed, &other};
    for (int i = 0; i < 4; i++) {
        bed_call(&bed, "GET", BED_WIDGETS "?per_page=5&page=1", NULL, 200);
        // The row that the next page would go on from, or one before it.
        char sitekey[33];
        snprintf(sitekey, sizeof sitekey, "%s",
            bed_json(&bed, i < 2 ? "$.result[0].sitekey" : "$.result[4].sitekey"));
        bed_call(writers[i % 2], "DELETE", bed_path(path, sizeof path, sitekey, ""), NULL, 200);
        char sixth[64];
        bed_call(&bed, "GET", BED_WIDGETS "?per_page=5&page=2", NULL, 200);
        snprintf(sixth, sizeof sixth, "%s", bed_json(&bed, "$.result[0].sitekey"));
        bed_call(&bed, "GET", BED_WIDGETS "?per_page=1000", NULL, 200);
        bed_assert_json(&bed, "$.result[5].sitekey", sixth);
    }
    bed_stop(&other);
    bed_stop(&bed);
    static const char *const tails[] = {"", "-wal", "-shm"};
    for (size_t i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s%s", file, tails[i]);
        unlink(path);
    }
}

static void a_list_shows_no_secret(void **state)
{
    struct bed bed;
    (void)state;
    bed_start(&bed, NULL);
    char sitekey[33];
    char secret[64];
    bed_create(&bed, BED_BODY, sitekey, secret);
    bed_call(&bed, "GET", BED_WIDGETS, NULL, 200);
    bed_assert_json(&bed, "$.result[0].sitekey", sitekey);
    assert_null(strstr(ts_buf_text(&bed.body), "secret"));
    assert_null(strstr(ts_buf_text(&bed.body), secret));
    bed_stop(&bed);
}

static void order_and_direction_sort(void **state)
{
    static const struct {
        const char *query;
        const char *first;
        const char *last;
    } orders[] = {
        {"", "other-z", "Acme-o"},
        {"?direction=desc", "Acme-o", "other-z"},
        {"?order=created_on", "other-z", "Acme-o"},
        {"?order=modified_on&direction=desc", "other-z", "Acme-q"},
        {"?order=modified_on&direction=asc", "Acme-y", "other-z"},
        {"?order=name", "Acme-o", "other-z"},
        {"?order=name&direction=desc", "other-z", "Acme-o"},
    };
    struct bed bed;
    (void)state;
    bed_start(&bed, NULL);
    fleet_make(&bed);
    // The oldest becomes the one that was modified last; the newest drops to the end.
    char path[256];
    bed_call(&bed, "GET", BED_WIDGETS "?per_page=5", NULL, 200);
    bed_path(path, sizeof path, bed_json(&bed, "$.result[0].sitekey"), "");
    bed_call(&bed, "PUT", path,
        "{\"name\":\"other-z\",\"mode\":\"managed\",\"domains\":[\"a.example\"]}", 200);
    for (size_t i = 0; i < sizeof orders / sizeof orders[0]; i++) {
        snprintf(path, sizeof path, "%s%s", BED_WIDGETS, orders[i].query);
        bed_call(&bed, "GET", path, NULL, 200);
        bed_assert_json(&bed, "$.result[0].name", orders[i].first);
        if (i != 3) {
            bed_assert_json(&bed, "$.result[11].name", orders[i].last);
        }
    }
    char first[33];
    char second[33];
    static const char *const keys[] = {"id", "sitekey"};
    for (size_t i = 0; i < 2; i++) {
        snprintf(path, sizeof path, BED_WIDGETS "?order=%s&direction=desc", keys[i]);
        bed_call(&bed, "GET", path, NULL, 200);
        snprintf(first, sizeof first, "%s", bed_json(&bed, "$.result[0].sitekey"));
        snprintf(second, sizeof second, "%s", bed_json(&bed, "$.result[1].sitekey"));
        assert_true(strcmp(first, second) > 0);
    }
    bed_stop(&bed);
}

// Times whose trimmed fractions would sort wrongly as text.
static void times_sort_as_times(void **state)
{
    struct bed bed;
    (void)state;
    bed_start(&bed, NULL);
    bed_call(&bed, "POST", BED_WIDGETS,
        "{\"name\":\"first\",\"mode\":\"managed\",\"domains\":[\"a.example\"]}", 200);
    atomic_fetch_add(&bed.wall_us, 500000);
    bed_call(&bed, "POST", BED_WIDGETS,
        "{\"name\":\"second\",\"mode\":\"managed\",\"domains\":[\"a.example\"]}", 200);
    bed_assert_json(&bed, "$.result.created_on", "2026-01-01T00:00:00.5Z");
    bed_call(&bed, "GET", BED_WIDGETS "?order=created_on&direction=asc", NULL, 200);
    bed_assert_json(&bed, "$.result[0].name", "first");
    bed_stop(&bed);
}

static void a_filter_picks(void **state)
{
    struct bed bed;
    (void)state;
    bed_start(&bed, NULL);
    fleet_make(&bed);
    bed_call(&bed, "GET", BED_WIDGETS "?filter=name:aCME&per_page=5", NULL, 200);
    assert_info(&bed, "1", "5", "5", "6", "2");
    bed_assert_json(&bed, "$.result[0].name", "Acme-y");
    bed_call(&bed, "GET", BED_WIDGETS "?filter=name%3Aother-z", NULL, 200);
    assert_info(&bed, "1", "25", "1", "1", "1");
    bed_call(&bed, "GET", BED_WIDGETS "?filter=name:100%25", NULL, 200);
    bed_assert_json(&bed, "$.result", "[]");
    bed_call(&bed, "GET", BED_WIDGETS "?filter=name:", NULL, 200);
    bed_assert_json(&bed, "$.result_info.total_count", "12");
    bed_call(&bed, "GET", BED_WIDGETS "?filter=", NULL, 200);
    bed_assert_json(&bed, "$.result_info.total_count", "12");
    char sitekey[33];
    char path[256];
    snprintf(sitekey, sizeof sitekey, "%s", bed_json(&bed, "$.result[3].sitekey"));
    snprintf(path, sizeof path, BED_WIDGETS "?filter=sitekey:%s", sitekey);
    bed_call(&bed, "GET", path, NULL, 200);
    bed_assert_json(&bed, "$.result[0].sitekey", sitekey);
    bed_assert_json(&bed, "$.result_info.count", "1");
    bed_call(&bed, "GET", BED_WIDGETS "?filter=sitekey:0x4AAA", NULL, 200);
    bed_assert_json(&bed, "$.result", "[]");
    bed_stop(&bed);
}

static void a_wrong_query_is_refused(void **state)
{
    static const char *const wrong[] = {"?page=0", "?page=-1", "?page=x", "?page=1.5",
        "?page=99999999999999999999", "?per_page=4", "?per_page=1001", "?order=secret",
        "?order=NAME", "?order=asc", "?direction=ASC", "?direction=up", "?filter=acme",
        "?filter=domain:acme", "?filter=:acme", "?filter=name:%ff", "?filter=name:%00",
        "?x=%c3%28"};
    struct bed bed;
    (void)state;
    bed_start(&bed, NULL);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        char path[256];
        snprintf(path, sizeof path, "%s%s", BED_WIDGETS, wrong[i]);
        bed_refused(&bed, "GET", path, NULL, 400, 10400);
    }
    bed_call(&bed, "GET", BED_WIDGETS "?unknown=1&page=&order=&direction=&per_page=", NULL, 200);
    bed_call(&bed, "GET", BED_WIDGETS "?", NULL, 200);
    // The parameters are declared on the path and mean nothing to create.
    bed_call(&bed, "POST", BED_WIDGETS "?page=0&order=x", BED_BODY, 200);
    bed_stop(&bed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_account_lists_nothing),
        cmocka_unit_test(pages_follow_each_other_and_end_empty),
        cmocka_unit_test(pages_hold_what_one_page_would),
        cmocka_unit_test(pages_shift_with_what_is_written),
        cmocka_unit_test(a_list_shows_no_secret),
        cmocka_unit_test(order_and_direction_sort),
        cmocka_unit_test(times_sort_as_times),
        cmocka_unit_test(a_filter_picks),
        cmocka_unit_test(a_wrong_query_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
