// SPDX-License-Identifier: MIT
// The linker sends our calls of the allocators here; see the header.
// A countdown of -1 is at rest.
#include "tests/unit/base/alloc.h"

#include <malloc.h>
#include <stdbool.h>
#include <string.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_sodium_malloc(size_t size);
void __real_free(void *block);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_sodium_malloc(size_t size);
void __wrap_free(void *block);

static int countdown = -1;
static size_t guarded;
static const char *watched;
static size_t unwiped;

void alloc_fail_arm(int after)
{
    countdown = after;
}

size_t alloc_guarded(void)
{
    return guarded;
}

void alloc_watch(const char *text)
{
    watched = text;
    unwiped = 0;
}

size_t alloc_unwiped(void)
{
    return unwiped;
}

static bool fails_now(void)
{
    return countdown >= 0 && countdown-- == 0;
}

void *__wrap_malloc(size_t size)
{
    return fails_now() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails_now() ? NULL : __real_calloc(count, size);
}

void *__wrap_sodium_malloc(size_t size)
{
    guarded++;
    return fails_now() ? NULL : __real_sodium_malloc(size);
}

void __wrap_free(void *block)
{
    if (block && watched && memmem(block, malloc_usable_size(block), watched, strlen(watched))) {
        unwiped++;
    }
    __real_free(block);
}
