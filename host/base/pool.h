// SPDX-License-Identifier: MIT
// Small blocks for one thread, for an owner who knows how large each was, as Lua does. Free ones
// are cleared and kept in a list for each size, which costs fewer instructions than malloc.
#ifndef TS_BASE_POOL_H
#define TS_BASE_POOL_H

#include <stddef.h>

// The largest block that is pooled; larger ones come from malloc.
#define TS_POOL_BLOCK_MAX 2048
#define TS_POOL_GRAIN 16

struct ts_pool_slab;

struct ts_pool {
    void *free[TS_POOL_BLOCK_MAX / TS_POOL_GRAIN]; // a list for each size, through the blocks
    char *rest;                                    // of the newest slab, never used so far
    size_t rest_len;
    struct ts_pool_slab *slabs;
};

// Makes an empty pool.
void ts_pool_init(struct ts_pool *pool);

// Releases the slabs; what was not released before is cleared by the executable's free, like all
// else. Accepts a zeroed struct, may run twice.
void ts_pool_fini(struct ts_pool *pool);

// Takes a block of size bytes, at least 1, aligned for anything. NULL when there is no memory.
void *ts_pool_take(struct ts_pool *pool, size_t size);

// Clears and releases a block; size is what was asked for.
void ts_pool_release(struct ts_pool *pool, void *block, size_t size);

// What lua_Alloc is to do (see the manual of Lua): new_size 0 releases and returns NULL; a NULL
// block is made; else the block is resized and perhaps moved. old_size is the block's size, ignored
// for a NULL block. NULL when there is no memory; the block is then as it was. What is released is
// cleared.
void *ts_pool_resize(struct ts_pool *pool, void *block, size_t old_size, size_t new_size);

#endif
