// SPDX-License-Identifier: MIT
// The growable buffer: content, ceiling, that a failed append changes nothing, and that nothing it
// lets go of can still be read.
#include "host/base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host/base/pool.h"
#include "tests/unit/base/alloc.h"

#define TOKEN "sandbox-token-not-a-secret"

static void starts_empty(void **state)
{
    (void)state;
    struct ts_buf buf;
    ts_buf_init(&buf, 10);
    assert_string_equal(ts_buf_text(&buf), "");
    assert_int_equal(buf.len, 0);
    assert_null(buf.data);
    ts_buf_fini(&buf);
}

static void appends_in_order(void **state)
{
    (void)state;
    struct ts_buf buf;
    ts_buf_init(&buf, 100);
    assert_int_equal(ts_buf_add_str(&buf, "GET "), TS_OK);
    assert_int_equal(ts_buf_add_char(&buf, '/'), TS_OK);
    assert_int_equal(ts_buf_add_format(&buf, "%s?page=%d", "widgets", 2), TS_OK);
    assert_int_equal(ts_buf_add(&buf, NULL, 0), TS_OK);
    assert_int_equal(ts_buf_add(&buf, "\0x", 2), TS_OK);
    char *room;
    assert_int_equal(ts_buf_extend(&buf, 3, &room), TS_OK);
    memset(room, 'y', 3);
    assert_int_equal(ts_buf_extend(&buf, 100, &room), TS_ERR_TOO_LARGE);
    assert_int_equal(buf.len, 24);
    assert_memory_equal(buf.data, "GET /widgets?page=2\0xyyy", 25); // the NUL behind, too
    ts_buf_fini(&buf);
}

static void grows_across_many_blocks(void **state)
{
    (void)state;
    struct ts_buf buf;
    ts_buf_init(&buf, 1 << 20);
    for (int i = 0; i < 100000; i++) {
        assert_int_equal(ts_buf_add_char(&buf, (char)('a' + i % 26)), TS_OK);
    }
    assert_int_equal(buf.len, 100000);
    for (int i = 0; i < 100000; i++) {
        assert_int_equal(buf.data[i], 'a' + i % 26);
    }
    assert_int_equal(buf.data[buf.len], 0);
    ts_buf_fini(&buf);
}

static void ceiling_is_exact_and_harmless(void **state)
{
    (void)state;
    struct ts_buf buf;
    ts_buf_init(&buf, 5);
    assert_int_equal(ts_buf_add_str(&buf, "1234"), TS_OK);
    const char *data = buf.data;
    assert_int_equal(ts_buf_add_str(&buf, "56"), TS_ERR_TOO_LARGE);
    assert_int_equal(ts_buf_add_format(&buf, "%d", 56), TS_ERR_TOO_LARGE);
    assert_int_equal(ts_buf_add(&buf, "", SIZE_MAX), TS_ERR_TOO_LARGE);
    assert_ptr_equal(buf.data, data);
    assert_int_equal(buf.len, 4);
    assert_string_equal(ts_buf_text(&buf), "1234");
    assert_int_equal(ts_buf_add_char(&buf, '5'), TS_OK);
    assert_int_equal(ts_buf_add_char(&buf, '6'), TS_ERR_TOO_LARGE);
    assert_string_equal(ts_buf_text(&buf), "12345");
    ts_buf_fini(&buf);
}

static void ceiling_of_nothing(void **state)
{
    (void)state;
    struct ts_buf buf;
    ts_buf_init(&buf, 0);
    assert_int_equal(ts_buf_add_char(&buf, 'x'), TS_ERR_TOO_LARGE);
    assert_int_equal(ts_buf_add_str(&buf, ""), TS_OK);
    assert_string_equal(ts_buf_text(&buf), "");
    ts_buf_fini(&buf);
}

static void failed_growth_changes_nothing(void **state)
{
    (void)state;
    char text[300];
    memset(text, 'x', sizeof text);
    struct ts_buf buf;
    ts_buf_init(&buf, 1000);
    alloc_fail_arm(0);
    assert_int_equal(ts_buf_add_str(&buf, "first"), TS_ERR_NOMEM);
    assert_string_equal(ts_buf_text(&buf), "");
    assert_int_equal(ts_buf_add_str(&buf, "kept"), TS_OK);
    const char *data = buf.data;
    size_t cap = buf.cap;
    alloc_fail_arm(0);
    assert_int_equal(ts_buf_add(&buf, text, sizeof text), TS_ERR_NOMEM);
    alloc_fail_arm(0);
    assert_int_equal(ts_buf_add_format(&buf, "%.*s", (int)sizeof text, text), TS_ERR_NOMEM);
    assert_ptr_equal(buf.data, data);
    assert_int_equal(buf.cap, cap);
    assert_string_equal(ts_buf_text(&buf), "kept");
    assert_int_equal(ts_buf_add(&buf, text, sizeof text), TS_OK);
    assert_int_equal(buf.len, 304);
    ts_buf_fini(&buf);
}

static void clear_wipes_and_keeps_the_memory(void **state)
{
    (void)state;
    struct ts_buf buf;
    ts_buf_init(&buf, 1000);
    ts_buf_clear(&buf);
    assert_int_equal(ts_buf_add_str(&buf, TOKEN), TS_OK);
    const char *data = buf.data;
    ts_buf_clear(&buf);
    assert_int_equal(buf.len, 0);
    assert_string_equal(ts_buf_text(&buf), "");
    for (size_t i = 0; i < strlen(TOKEN); i++) {
        assert_int_equal(data[i], 0);
    }
    assert_int_equal(ts_buf_add_str(&buf, "again"), TS_OK);
    assert_ptr_equal(buf.data, data);
    assert_string_equal(ts_buf_text(&buf), "again");
    ts_buf_fini(&buf);
}

static void freed_blocks_are_wiped(void **state)
{
    (void)state;
    char *block = malloc(100);
    assert_non_null(block);
    memcpy(block, TOKEN, sizeof TOKEN);
    alloc_watch(TOKEN);
    free(block);
    assert_int_equal(alloc_unwiped(), 1); // the watch sees what is there
    alloc_watch(TOKEN);
    struct ts_buf buf;
    ts_buf_init(&buf, 100000);
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(ts_buf_add_str(&buf, TOKEN), TS_OK);
    }
    ts_buf_fini(&buf);
    assert_int_equal(alloc_unwiped(), 0);
    alloc_watch(NULL);
}

static void memory_of_a_pool(void **state)
{
    (void)state;
    struct ts_pool pool;
    struct ts_buf buf;
    ts_pool_init(&pool);
    ts_buf_init_pooled(&buf, 100000, &pool);
    for (int i = 0; i < 1000; i++) { // past the largest block that is pooled
        assert_int_equal(ts_buf_add_str(&buf, TOKEN), TS_OK);
    }
    for (size_t i = 0; i < 1000; i++) {
        assert_memory_equal(buf.data + i * strlen(TOKEN), TOKEN, strlen(TOKEN));
    }
    ts_buf_fini(&buf);
    ts_buf_fini(&buf);
    assert_int_equal(ts_buf_add_str(&buf, TOKEN), TS_OK); // fini leaves it the pool
    assert_string_equal(ts_buf_text(&buf), TOKEN);
    ts_buf_fini(&buf);
    ts_pool_fini(&pool);
}

#ifndef __SANITIZE_ADDRESS__ // under which every block is malloc's
static void what_goes_back_to_a_pool_is_wiped(void **state)
{
    (void)state;
    struct ts_pool pool;
    struct ts_buf buf;
    ts_pool_init(&pool);
    ts_buf_init_pooled(&buf, 1000, &pool);
    assert_int_equal(ts_buf_add_str(&buf, TOKEN), TS_OK);
    char *block = buf.data;
    size_t cap = buf.cap;
    ts_buf_fini(&buf);
    assert_null(memchr(block, 's', cap));
    assert_ptr_equal(ts_pool_take(&pool, cap), block);
    ts_pool_fini(&pool);
}
#endif

static void fini_twice_and_on_zeroes(void **state)
{
    (void)state;
    struct ts_buf buf = {0};
    ts_buf_fini(&buf);
    ts_buf_init(&buf, 7);
    assert_int_equal(ts_buf_add_str(&buf, "gone"), TS_OK);
    ts_buf_fini(&buf);
    ts_buf_fini(&buf);
    assert_string_equal(ts_buf_text(&buf), "");
    assert_int_equal(ts_buf_add_str(&buf, "1234567"), TS_OK); // the ceiling outlives fini
    assert_int_equal(ts_buf_add_char(&buf, '8'), TS_ERR_TOO_LARGE);
    ts_buf_fini(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(starts_empty),
        cmocka_unit_test(appends_in_order),
        cmocka_unit_test(grows_across_many_blocks),
        cmocka_unit_test(ceiling_is_exact_and_harmless),
        cmocka_unit_test(ceiling_of_nothing),
        cmocka_unit_test(failed_growth_changes_nothing),
        cmocka_unit_test(clear_wipes_and_keeps_the_memory),
        cmocka_unit_test(freed_blocks_are_wiped),
        cmocka_unit_test(memory_of_a_pool),
#ifndef __SANITIZE_ADDRESS__
        cmocka_unit_test(what_goes_back_to_a_pool_is_wiped),
#endif
        cmocka_unit_test(fini_twice_and_on_zeroes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
