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
void *__real_realloc(void *block, size_t size);
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

void *__wrap_malloc(size_t size)
{
    return fails_now() ? NULL : counted(__real_malloc(size));
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails_now() ? NULL : counted(__real_calloc(count, size));
}

void *__wrap_realloc(void *block, size_t size)
{
    if (fails_now()) {
        return NULL;
    }
    void *moved = __real_realloc(block, size);
    return block ? moved : counted(moved);
}

void *__wrap_reallocarray(void *block, size_t count, size_t size)
{
    return __wrap_realloc(block, count * size);
}

char *__wrap_strndup(const char *text, size_t len)
{
    size_t kept = strnlen(text, len);
    char *copy = __wrap_malloc(kept + 1);
    if (copy) {
        memcpy(copy, text, kept);
        copy[kept] = '\0';
    }
    return copy;
}

char *__wrap_strdup(const char *text)
{
    return __wrap_strndup(text, SIZE_MAX);
}

void __wrap_free(void *block)
{
    size_t len = strlen(STARVE_CREDENTIAL);
    live -= block ? 1 : 0;
    if (block && malloc_usable_size(block) >= len && memcmp(block, STARVE_CREDENTIAL, len) == 0) {
        unwiped++;
    }
    __real_free(block);
}

void starve_init(void)
{
    assert_int_equal(curl_global_init_mem(CURL_GLOBAL_DEFAULT, __wrap_malloc, __wrap_free,
                         __wrap_realloc, __wrap_strdup, __wrap_calloc),
        CURLE_OK);
}
