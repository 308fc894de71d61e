// SPDX-License-Identifier: MIT
// The wrapped allocators. The counters are static because malloc has no argument to carry them,
// and one to a thread because the server of the test allocates too.
#include "tests/unit/net/starve.h"

#include <errno.h>
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <curl/curl.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void __real_free(void *block);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *block, size_t size);
void *__wrap_reallocarray(void *block, size_t count, size_t size);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t len);
void __wrap_free(void *block);

static _Thread_local long countdown = -1;
static _Thread_local bool has_failed;
static _Thread_local long live;
static _Thread_local long unwiped;

void starve_after(long count)
{
    countdown = count;
    has_failed = false;
}

bool starve_has_failed(void)
{
    return has_failed;
}

long starve_live(void)
{
    return live;
}

long starve_unwiped(void)
{
    return unwiped;
}

static bool fails_now(void)
{
    if (countdown < 0 || countdown-- > 0) {
        return false;
    }
    has_failed = true;
    errno = ENOMEM;
    return true;
}

static void *counted(void *block)
{
    live += block ? 1 : 0;
    return block;
}

// Cleared, so that what a block of libcurl held is not found in one of ours.
void *__wrap_malloc(size_t size)
{
    void *block = fails_now() ? NULL : counted(__real_malloc(size));
    return block ? memset(block, 0, malloc_usable_size(block)) : NULL;
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails_now() ? NULL : counted(__real_calloc(count, size));
}

// libcurl's own, which leaves the wiping to the executable.
static void unlooked_free(void *block)
{
    live -= block ? 1 : 0;
    __real_free(block);
}

void *__wrap_realloc(void *block, size_t size)
{
    void *moved = __wrap_malloc(size);
    if (moved && block) {
        size_t old_size = malloc_usable_size(block);
        memcpy(moved, block, old_size < size ? old_size : size);
        unlooked_free(block);
    }
    return moved;
}

void *__wrap_reallocarray(void *block, size_t count, size_t size)
{
    return __wrap_realloc(block, count * size);
}

static char *text_copy(const char *text, size_t len)
{
    char *copy = __wrap_malloc(len + 1);
    if (copy) {
        memcpy(copy, text, len);
        copy[len] = '\0';
    }
    return copy;
}

char *__wrap_strndup(const char *text, size_t len)
{
    return text_copy(text, strnlen(text, len));
}

char *__wrap_strdup(const char *text)
{
    return text_copy(text, strlen(text));
}

void __wrap_free(void *block)
{
    size_t len = strlen(STARVE_CREDENTIAL);
    if (block && memmem(block, malloc_usable_size(block), STARVE_CREDENTIAL, len)) {
        unwiped++;
    }
    unlooked_free(block);
}

void starve_init(void)
{
    assert_int_equal(curl_global_init_mem(CURL_GLOBAL_DEFAULT, __wrap_malloc, unlooked_free,
                         __wrap_realloc, __wrap_strdup, __wrap_calloc),
        CURLE_OK);
}
