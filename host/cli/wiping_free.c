// SPDX-License-Identifier: MIT
// Replaces free and realloc for the whole process with ones that clear what they release: libcurl,
// OpenSSL, Lua and lua-cjson leave tokens and secrets in freed heap otherwise.
//
// Linked as an object into the executable, whose symbols every shared library then binds to. The
// rest of the allocator stays glibc's and is reached by names that need no dlsym, which may
// allocate, and no set-up, so the first free before main is served like any other. Left out where
// a sanitizer brings its own allocator.
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define TSHOST_NO_WIPING_FREE
#endif
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define TSHOST_NO_WIPING_FREE
#endif
#endif

#ifndef TSHOST_NO_WIPING_FREE

#define EXPORTED __attribute__((visibility("default"))) // else the libraries keep glibc's

extern void __libc_free(void *block);
extern void *__libc_realloc(void *block, size_t size);

static void block_free(void *block)
{
    if (block) {
        // To the compiler __libc_free is a function like any other, which may read what this wrote:
        // it cannot leave it out, as it could before free.
        memset(block, 0, malloc_usable_size(block));
        __libc_free(block);
    }
}

static void *block_realloc(void *block, size_t size)
{
    if (!block) {
        return malloc(size);
    }
    if (size == 0) { // what glibc does
        block_free(block);
        return NULL;
    }
    size_t old_size = malloc_usable_size(block);
    if (size <= old_size) {
        // Shrinking happens in place; the tail goes back to the allocator.
        explicit_bzero((char *)block + size, old_size - size);
        return __libc_realloc(block, size);
    }
    // Growing may move, and glibc would leave the old block as it was.
    void *moved = malloc(size);
    if (moved) {
        memcpy(moved, block, old_size);
        block_free(block);
    }
    return moved;
}

EXPORTED void free(void *) __attribute__((alias("block_free")));
EXPORTED void *realloc(void *, size_t) __attribute__((alias("block_realloc")));

#endif
