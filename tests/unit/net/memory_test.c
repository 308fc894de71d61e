// SPDX-License-Identifier: MIT
// libcurl's memory, by way of what libcurl makes with it: lists and escaped text keep what is in
// them, whichever thread makes and releases them, and leave nothing behind.
#include "host/net/memory.h"

#include <malloc.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <curl/curl.h>

#include "tests/unit/base/heap_scan.h"

#define LISTS 200
#define ROUNDS 50
#define TEXT_MAX 5000 // more than what is pooled

// A text that tells its number, of a length of its own.
static void text_of(unsigned number, char text[TEXT_MAX])
{
    size_t len = number % 7 == 0 ? number * 37 % TEXT_MAX : number % 200;
    memset(text, 'a' + (int)(number % 26), len);
    text[len] = '\0';
}

static struct curl_slist *list_make(unsigned number)
{
    char text[TEXT_MAX];
    text_of(number, text);
    return curl_slist_append(curl_slist_append(NULL, text), text);
}

static bool list_is_whole(const struct curl_slist *list, unsigned number)
{
    char text[TEXT_MAX];
    text_of(number, text);
    return list && list->next && strcmp(list->data, text) == 0 &&
           strcmp(list->next->data, text) == 0;
}

// What one thread makes, another one releases, while the first goes on making.
struct exchange {
    struct curl_slist *given[LISTS]; // made by the test's thread
    struct curl_slist *taken[LISTS]; // made by the other
    bool is_whole;
};

static void *other_thread(void *self)
{
    struct exchange *exchange = self;
    exchange->is_whole = true;
    for (unsigned i = 0; i < LISTS; i++) {
        exchange->taken[i] = list_make(i);
        exchange->is_whole = exchange->is_whole && list_is_whole(exchange->given[i], i);
        curl_slist_free_all(exchange->given[i]);
    }
    return NULL;
}

static void exchange_run(void)
{
    static struct exchange exchange;
    for (unsigned i = 0; i < LISTS; i++) {
        exchange.given[i] = list_make(i);
    }
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, other_thread, &exchange), 0);
    for (unsigned i = 0; i < LISTS; i++) {
        struct curl_slist *own = list_make(i + LISTS);
        assert_true(list_is_whole(own, i + LISTS));
        curl_slist_free_all(own);
    }
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_true(exchange.is_whole);
    for (unsigned i = 0; i < LISTS; i++) {
        assert_true(list_is_whole(exchange.taken[i], i));
        curl_slist_free_all(exchange.taken[i]);
    }
}

static void any_thread_makes_and_releases(void **state)
{
    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        exchange_run();
    }
}

static void what_grows_is_kept(void **state)
{
    (void)state;
    for (size_t len = 1; len < TEXT_MAX / 3; len += 13) {
        char text[TEXT_MAX];
        char expected[TEXT_MAX];
        memset(text, '/', len);
        for (size_t i = 0; i < 3 * len; i++) {
            expected[i] = "%2F"[i % 3];
        }
        char *escaped = curl_easy_escape(NULL, text, (int)len); // begins small and is enlarged
        assert_non_null(escaped);
        assert_int_equal(strlen(escaped), 3 * len);
        assert_memory_equal(escaped, expected, 3 * len);
        curl_free(escaped);
    }
}

// Below, the executable's free is part of it, and no sanitizer has an allocator of its own.
#ifdef HAS_WIPING_FREE
static void what_other_threads_release_is_used_again(void **state)
{
    (void)state;
    size_t before = mallinfo2().uordblks;
    for (int round = 0; round < ROUNDS; round++) {
        exchange_run(); // gives away 250 kB
    }
    assert_true(mallinfo2().uordblks < before + 1000000);
}

static void *release(void *list)
{
    curl_slist_free_all(list);
    return NULL;
}

static void what_is_released_is_clear(void **state)
{
    (void)state;
    char token[] = "sandbox-token-not-a-secret-1";
    struct curl_slist *list = curl_slist_append(NULL, token);
    char *grown = curl_easy_escape(NULL, token, 0);
    assert_true(heap_scan(token) >= 2); // the scan does see it
    curl_slist_free_all(list);
    curl_free(grown);
    assert_int_equal(heap_scan(token), 0);
}

static void what_another_thread_releases_is_clear(void **state)
{
    (void)state;
    char token[] = "sandbox-token-not-a-secret-2";
    struct curl_slist *list = curl_slist_append(NULL, token);
    assert_int_equal(heap_scan(token), 1);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, release, list), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(heap_scan(token), 0);
}
#endif

static int start(void **state)
{
    (void)state;
    return ts_memory_start() ? 0 : -1;
}

static int stop(void **state)
{
    (void)state;
    curl_global_cleanup();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_thread_makes_and_releases),
        cmocka_unit_test(what_grows_is_kept),
#ifdef HAS_WIPING_FREE
        cmocka_unit_test(what_other_threads_release_is_used_again),
        cmocka_unit_test(what_is_released_is_clear),
        cmocka_unit_test(what_another_thread_releases_is_clear),
#endif
    };
    return cmocka_run_group_tests(tests, start, stop);
}
