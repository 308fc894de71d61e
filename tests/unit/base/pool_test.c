// SPDX-License-Identifier: MIT
// The pool does what lua_Alloc has to: blocks that do not overlap, keep what is in them when they
// are resized, and are clear when they are released.
#include "host/base/pool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT 2000
#define SIZE_MAX_HERE 1200

struct piece {
    unsigned char *data;
    size_t size;
    unsigned char mark;
};

static void piece_check(const struct piece *piece)
{
    for (size_t i = 0; i < piece->size; i++) {
        assert_int_equal(piece->data[i], piece->mark);
    }
}

// A fixed sequence, so that a failure can be repeated.
static unsigned next(unsigned *seed)
{
    *seed = *seed * 1103515245u + 12345u;
    return *seed >> 16;
}

static void blocks_keep_what_is_in_them(void **state)
{
    (void)state;
    static struct piece pieces[COUNT];
    struct ts_pool pool;
    unsigned seed = 7;
    ts_pool_init(&pool);
    memset(pieces, 0, sizeof pieces);
    for (int round = 0; round < 20 * COUNT; round++) {
        struct piece *piece = &pieces[next(&seed) % COUNT];
        size_t size = next(&seed) % 4 == 0 ? 0 : next(&seed) % SIZE_MAX_HERE;
        size_t kept = size < piece->size ? size : piece->size;
        piece_check(piece);
        piece->data = ts_pool_resize(&pool, piece->data, piece->size, size);
        assert_true((piece->data != NULL) == (size > 0));
        assert_int_equal((uintptr_t)piece->data % TS_POOL_GRAIN, 0);
        piece->size = kept;
        piece_check(piece);
        piece->size = size;
        piece->mark = (unsigned char)next(&seed);
        if (size > 0) {
            memset(piece->data, piece->mark, size);
        }
    }
    for (size_t i = 0; i < COUNT; i++) {
        piece_check(&pieces[i]);
        ts_pool_resize(&pool, pieces[i].data, pieces[i].size, 0);
    }
    ts_pool_fini(&pool);
    ts_pool_fini(&pool);
}

#ifndef __SANITIZE_ADDRESS__
static void what_is_released_is_clear(void **state)
{
    (void)state;
    struct ts_pool pool;
    ts_pool_init(&pool);
    for (size_t size = 40; size <= TS_POOL_BLOCK_MAX; size += 59) {
        char *block = ts_pool_resize(&pool, NULL, 0, size);
        memset(block, 's', size);
        ts_pool_resize(&pool, block, size, 0);
        assert_null(memchr(block, 's', size)); // the pool's memory still
        assert_ptr_equal(ts_pool_resize(&pool, NULL, 0, size), block);
    }
    char *block = ts_pool_resize(&pool, NULL, 0, 100);
    memset(block, 's', 100);
    char *moved = ts_pool_resize(&pool, block, 100, 300);
    assert_ptr_not_equal(moved, block);
    assert_null(memchr(block, 's', 100));
    ts_pool_fini(&pool);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_keep_what_is_in_them),
#ifndef __SANITIZE_ADDRESS__
        cmocka_unit_test(what_is_released_is_clear),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
