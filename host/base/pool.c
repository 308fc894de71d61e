// SPDX-License-Identifier: MIT
// Blocks of a size are cut from slabs and never joined again: what a script's rows used serves the
// next rows. Under the sanitizers every block is malloc's, so that they see each of them.
#include "host/base/pool.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define SLAB_BYTES (16 * 1024) // all of it is wiped in the end, used or not

#if defined(__SANITIZE_ADDRESS__)
#define POOLED_MAX 0
#else
#define POOLED_MAX TS_POOL_BLOCK_MAX
#endif

struct ts_pool_slab {
    struct ts_pool_slab *next;
    _Alignas(max_align_t) char bytes[SLAB_BYTES];
};

static size_t class_of(size_t size)
{
    return (size - 1) / TS_POOL_GRAIN;
}

static size_t class_size(size_t number)
{
    return (number + 1) * TS_POOL_GRAIN;
}

static bool is_pooled(size_t size)
{
    return size <= POOLED_MAX;
}

void ts_pool_init(struct ts_pool *pool)
{
    *pool = (struct ts_pool){0};
}

void ts_pool_fini(struct ts_pool *pool)
{
    for (struct ts_pool_slab *slab = pool->slabs; slab;) {
        struct ts_pool_slab *next = slab->next;
        free(slab);
        slab = next;
    }
    *pool = (struct ts_pool){0};
}

// Puts a free block, clear but for the link, into the list of its class.
static void list_add(struct ts_pool *pool, size_t number, void *block)
{
    memcpy(block, &pool->free[number], sizeof(void *));
    pool->free[number] = block;
}

static bool slab_add(struct ts_pool *pool)
{
    struct ts_pool_slab *slab = malloc(sizeof *slab);
    if (!slab) {
        return false;
    }
    if (pool->rest_len > 0) { // what is left of the last one is a block of some size
        list_add(pool, class_of(pool->rest_len), pool->rest);
    }
    slab->next = pool->slabs;
    pool->slabs = slab;
    pool->rest = slab->bytes;
    pool->rest_len = sizeof slab->bytes;
    return true;
}

void *ts_pool_take(struct ts_pool *pool, size_t size)
{
    if (!is_pooled(size)) {
        return malloc(size);
    }
    size_t number = class_of(size);
    void *block = pool->free[number];
    if (block) {
        memcpy(&pool->free[number], block, sizeof(void *));
        return block;
    }
    if (pool->rest_len < class_size(number) && !slab_add(pool)) {
        return NULL;
    }
    block = pool->rest;
    pool->rest += class_size(number);
    pool->rest_len -= class_size(number);
    return block;
}

void ts_pool_release(struct ts_pool *pool, void *block, size_t size)
{
    if (!is_pooled(size)) {
        if (size <= TS_POOL_BLOCK_MAX) { // only under the sanitizers, whose free clears nothing
            explicit_bzero(block, size);
        }
        free(block); // cleared by the free of the executable
        return;
    }
    size_t number = class_of(size);
    explicit_bzero(block, class_size(number));
    list_add(pool, number, block);
}

void *ts_pool_resize(struct ts_pool *pool, void *block, size_t old_size, size_t new_size)
{
    if (!block) {
        return new_size > 0 ? ts_pool_take(pool, new_size) : NULL;
    }
    if (new_size == 0) {
        ts_pool_release(pool, block, old_size);
        return NULL;
    }
    if (!is_pooled(old_size) && !is_pooled(new_size)) {
        return realloc(block, new_size);
    }
    if (is_pooled(old_size) && is_pooled(new_size) && class_of(old_size) == class_of(new_size)) {
        return block;
    }
    void *moved = ts_pool_take(pool, new_size);
    if (!moved) {
        return new_size < old_size ? block : NULL; // Lua does not expect that shrinking fails
    }
    memcpy(moved, block, old_size < new_size ? old_size : new_size);
    ts_pool_release(pool, block, old_size);
    return moved;
}
