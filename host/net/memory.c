// SPDX-License-Identifier: MIT
// The callbacks of curl_global_init_mem. They carry no argument to reach an owner by, so that the
// pool is static, against the rule, and lives as long as the process: a thread that resolves a name
// for a transfer that was cancelled may release its blocks after the last loop is gone.
#include "host/net/memory.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#include "host/base/pool.h"

// Stands before what libcurl gets.
struct block {
    size_t size; // of both together
    union {
        struct ts_pool *pool; // NULL: it is malloc's
        struct block *next;   // among the strays
    };
    _Alignas(max_align_t) char data[];
};

static struct ts_pool pool;
static atomic_flag is_taken = ATOMIC_FLAG_INIT;
static _Thread_local bool is_owner;  // of the pool, which no other thread touches
static struct block *_Atomic strays; // the pool's blocks that other threads have released

static struct block *block_of(void *data)
{
    return (struct block *)(void *)((char *)data - offsetof(struct block, data));
}

static void stray_add(struct block *block)
{
    explicit_bzero(block->data, block->size - sizeof *block);
    block->next = atomic_load(&strays);
    while (!atomic_compare_exchange_weak(&strays, &block->next, block)) {
    }
}

// Takes all of them at once, so that none can be taken and come back in between.
static void strays_release(void)
{
    struct block *block = atomic_exchange(&strays, NULL);
    while (block) {
        struct block *next = block->next;
        ts_pool_release(&pool, block, block->size);
        block = next;
    }
}

static void *memory_malloc(size_t len)
{
    if (len > SIZE_MAX - sizeof(struct block)) {
        return NULL;
    }
    if (is_owner && atomic_load_explicit(&strays, memory_order_relaxed)) {
        strays_release();
    }
    size_t size = sizeof(struct block) + len;
    struct block *block = is_owner ? ts_pool_take(&pool, size) : malloc(size);
    if (!block) {
        return NULL;
    }
    block->size = size;
    block->pool = is_owner ? &pool : NULL;
    return block->data;
}

static void memory_free(void *data)
{
    if (!data) {
        return;
    }
    struct block *block = block_of(data);
    if (!block->pool) {
        free(block); // cleared by the free of the executable
    } else if (is_owner) {
        ts_pool_release(&pool, block, block->size);
    } else {
        stray_add(block);
    }
}

static void *memory_realloc(void *data, size_t len)
{
    struct block *block = data ? block_of(data) : NULL;
    if (block && block->pool && is_owner && len <= SIZE_MAX - sizeof *block) {
        size_t size = sizeof *block + len;
        block = ts_pool_resize(&pool, block, block->size, size);
        if (!block) {
            return NULL;
        }
        block->size = size;
        return block->data;
    }
    void *moved = memory_malloc(len);
    if (moved && block) {
        size_t old_len = block->size - sizeof *block;
        memcpy(moved, data, old_len < len ? old_len : len);
        memory_free(data);
    }
    return moved;
}

static void *memory_calloc(size_t count, size_t size)
{
    if (size > 0 && count > SIZE_MAX / size) {
        return NULL;
    }
    void *data = memory_malloc(count * size);
    return data ? memset(data, 0, count * size) : NULL;
}

static char *memory_strdup(const char *text)
{
    size_t size = strlen(text) + 1;
    void *data = memory_malloc(size);
    return data ? memcpy(data, text, size) : NULL;
}

bool ts_memory_start(void)
{
    if (!atomic_flag_test_and_set(&is_taken)) {
        is_owner = true;
    }
    return curl_global_init_mem(CURL_GLOBAL_DEFAULT, memory_malloc, memory_free, memory_realloc,
               memory_strdup, memory_calloc) == CURLE_OK;
}
