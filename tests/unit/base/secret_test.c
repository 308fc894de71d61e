// SPDX-License-Identifier: MIT
// Secret memory: what is kept, who can read it and when, and that a fleet of 100,000 fits.
// The reads that must fault happen in a forked child.
#include "host/base/secret.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/base/alloc.h"

#define TOKEN "sandbox-token-not-a-secret"
#define OTHER "another-token-not-a-secret"
#define FLEET 100000

static int pool_setup(void **state)
{
    struct ts_secret_pool *pool = NULL;
    enum ts_err code = ts_secret_pool_create(&pool, NULL);
    *state = pool;
    return (int)code;
}

static int pool_teardown(void **state)
{
    size_t left = ts_secret_pool_count(*state);
    ts_secret_pool_destroy(*state);
    return (int)left;
}

static struct ts_secret *make(struct ts_secret_pool *pool, const char *text)
{
    struct ts_secret *secret = NULL;
    struct ts_error err = {0};
    if (ts_secret_create(pool, text, strlen(text), &secret, &err)) {
        fail_msg("%s", err.message);
    }
    return secret;
}

static void check_content(struct ts_secret *secret, const char *text)
{
    size_t len = 0;
    const char *bytes = ts_secret_borrow(secret, &len);
    assert_int_equal(len, strlen(text));
    assert_string_equal(bytes, text);
    ts_secret_return(secret);
}

// Whether touching *bytes ends a child by SIGSEGV.
static bool is_fatal(char *bytes, bool write)
{
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct rlimit no_core = {0};
        setrlimit(RLIMIT_CORE, &no_core);
        signal(SIGSEGV, SIG_DFL); // cmocka's and the sanitizers' handlers out of the way
        volatile char *spot = bytes;
        if (write) {
            *spot = 'x';
        } else {
            (void)*spot;
        }
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV;
}

static size_t mapping_count(void)
{
    FILE *file = fopen("/proc/self/maps", "r");
    assert_non_null(file);
    size_t count = 0;
    for (int c = fgetc(file); c != EOF; c = fgetc(file)) {
        count += c == '\n';
    }
    fclose(file);
    return count;
}

static void keeps_what_it_was_given(void **state)
{
    char source[] = TOKEN;
    struct ts_secret *secret = make(*state, source);
    memset(source, 'x', strlen(source));
    check_content(secret, TOKEN);
    ts_secret_destroy(secret);
}

static void keeps_nul_bytes_and_nothing(void **state)
{
    struct ts_secret *binary = NULL;
    struct ts_secret *empty = NULL;
    assert_int_equal(ts_secret_create(*state, "a\0b", 3, &binary, NULL), TS_OK);
    assert_int_equal(ts_secret_create(*state, NULL, 0, &empty, NULL), TS_OK);
    size_t len = 0;
    assert_memory_equal(ts_secret_borrow(binary, &len), "a\0b", 4);
    assert_int_equal(len, 3);
    ts_secret_return(binary);
    check_content(empty, "");
    ts_secret_destroy(binary);
    ts_secret_destroy(empty);
}

static void unborrowed_is_unreadable(void **state)
{
    struct ts_secret *secret = make(*state, TOKEN);
    char *bytes = (char *)ts_secret_borrow(secret, NULL);
    assert_false(is_fatal(bytes, false)); // so that the next line means something
    ts_secret_return(secret);
    assert_true(is_fatal(bytes, false));
    ts_secret_destroy(secret);
}

static void borrowed_is_unwritable(void **state)
{
    struct ts_secret *secret = make(*state, TOKEN);
    char *bytes = (char *)ts_secret_borrow(secret, NULL);
    assert_true(is_fatal(bytes, true));
    ts_secret_return(secret);
    ts_secret_destroy(secret);
}

static void borrows_nest(void **state)
{
    struct ts_secret *secret = make(*state, TOKEN);
    struct ts_secret *neighbour = make(*state, OTHER);
    char *bytes = (char *)ts_secret_borrow(secret, NULL);
    ts_secret_borrow(secret, NULL);
    ts_secret_borrow(neighbour, NULL);
    ts_secret_return(secret);
    ts_secret_return(neighbour);
    assert_string_equal(bytes, TOKEN);
    ts_secret_return(secret);
    assert_true(is_fatal(bytes, false));
    ts_secret_destroy(secret);
    ts_secret_destroy(neighbour);
}

static void borrow_survives_the_life_of_neighbours(void **state)
{
    struct ts_secret *secret = make(*state, TOKEN);
    char *bytes = (char *)ts_secret_borrow(secret, NULL);
    struct ts_secret *neighbour = make(*state, OTHER);
    assert_string_equal(bytes, TOKEN);
    assert_true(is_fatal(bytes, true));
    ts_secret_destroy(neighbour);
    assert_string_equal(bytes, TOKEN);
    ts_secret_return(secret);
    ts_secret_destroy(secret);
}

static void life_of_neighbours_opens_nothing(void **state)
{
    struct ts_secret *secret = make(*state, TOKEN);
    char *bytes = (char *)ts_secret_borrow(secret, NULL);
    ts_secret_return(secret);
    struct ts_secret *neighbour = make(*state, OTHER);
    assert_true(is_fatal(bytes, false));
    ts_secret_destroy(neighbour);
    assert_true(is_fatal(bytes, false));
    ts_secret_destroy(secret);
}

// A borrowed neighbour keeps the slab readable, which lets the test look at the freed slot.
static void destroyed_is_wiped(void **state)
{
    struct ts_secret *neighbour = make(*state, OTHER);
    struct ts_secret *secret = make(*state, TOKEN);
    ts_secret_borrow(neighbour, NULL);
    const char *bytes = ts_secret_borrow(secret, NULL);
    assert_string_equal(bytes, TOKEN);
    ts_secret_return(secret);
    ts_secret_destroy(secret);
    for (size_t i = 0; i < strlen(TOKEN); i++) {
        assert_int_equal(bytes[i], 0);
    }
    ts_secret_return(neighbour);
    ts_secret_destroy(neighbour);
}

static void slabs_are_used_again(void **state)
{
    enum { FULL = 31 + 511 }; // what the first slab, which is small, and another hold
    struct ts_secret *secrets[FULL];
    ts_secret_destroy(make(*state, TOKEN)); // leaves the spare
    size_t slabs = alloc_guarded();
    for (size_t round = 0; round < 3; round++) {
        ts_secret_destroy(make(*state, TOKEN));
    }
    assert_int_equal(alloc_guarded(), slabs);
    for (size_t i = 0; i < FULL; i++) {
        secrets[i] = make(*state, TOKEN);
    }
    assert_int_equal(alloc_guarded(), slabs + 1);
    for (size_t i = FULL - 17; i < FULL; i -= 511) { // a gap in either full slab is found
        ts_secret_destroy(secrets[i]);
        secrets[i] = make(*state, OTHER);
        check_content(secrets[i - 1], TOKEN);
        check_content(secrets[i], OTHER);
    }
    assert_int_equal(alloc_guarded(), slabs + 1);
    for (size_t i = 0; i < FULL; i++) {
        ts_secret_destroy(secrets[i]);
    }
}

static void size_limits(void **state)
{
    static const size_t sizes[] = {1, 126, 127, 128, 129, 4096, TS_SECRET_MAX - 1, TS_SECRET_MAX};
    char *text = malloc(TS_SECRET_MAX + 2);
    assert_non_null(text);
    memset(text, 'k', TS_SECRET_MAX + 1);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        text[sizes[i]] = '\0';
        struct ts_secret *secret = make(*state, text);
        check_content(secret, text);
        char *bytes = (char *)ts_secret_borrow(secret, NULL);
        ts_secret_return(secret);
        assert_true(is_fatal(bytes, false));
        ts_secret_destroy(secret);
        text[sizes[i]] = 'k';
    }
    struct ts_secret *secret = NULL;
    struct ts_error err = {0};
    enum ts_err code = ts_secret_create(*state, text, TS_SECRET_MAX + 1, &secret, &err);
    assert_int_equal(code, TS_ERR_TOO_LARGE);
    assert_int_equal(err.code, TS_ERR_TOO_LARGE);
    assert_null(secret);
    assert_null(strstr(err.message, "kkk"));
    free(text);
}

static void equality(void **state)
{
    struct ts_secret *secret = make(*state, TOKEN);
    struct ts_secret *same = make(*state, TOKEN);
    struct ts_secret *other = make(*state, OTHER);
    struct ts_secret *shorter = make(*state, "sandbox-token");
    assert_true(ts_secret_is_equal(secret, same));
    assert_true(ts_secret_is_equal(secret, secret));
    assert_int_equal(strlen(TOKEN), strlen(OTHER));
    assert_false(ts_secret_is_equal(secret, other));
    assert_false(ts_secret_is_equal(secret, shorter));
    assert_false(ts_secret_is_equal(shorter, secret)); // a prefix is not the whole
    char *bytes = (char *)ts_secret_borrow(secret, NULL);
    ts_secret_return(secret);
    assert_true(is_fatal(bytes, false)); // comparing gave back what it borrowed
    ts_secret_destroy(secret);
    ts_secret_destroy(same);
    ts_secret_destroy(other);
    ts_secret_destroy(shorter);
}

static void deferred_memory_is_sealed_on_demand(void **state)
{
    ts_secret_pool_defer(*state);
    struct ts_secret *lent = make(*state, TOKEN);
    struct ts_secret *kept = make(*state, OTHER);
    char *bytes = (char *)ts_secret_borrow(kept, NULL);
    ts_secret_return(kept);
    assert_false(is_fatal(bytes, false)); // still open
    ts_secret_pool_seal(*state);
    assert_true(is_fatal(bytes, false));
    ts_secret_borrow(lent, NULL);
    ts_secret_pool_seal(*state);
    check_content(lent, TOKEN); // sealing does not take away what is lent
    ts_secret_return(lent);
    ts_secret_pool_seal(*state);
    assert_true(is_fatal(bytes, false));
    ts_secret_destroy(lent);
    ts_secret_destroy(kept);
    ts_secret_pool_seal(*state);
}

static void fleet_fits(void **state)
{
    struct ts_secret **fleet = calloc(FLEET, sizeof(struct ts_secret *));
    assert_non_null(fleet);
    size_t before = mapping_count();
    for (size_t i = 0; i < FLEET; i++) {
        char text[64];
        snprintf(text, sizeof text, "%s-%zu", TOKEN, i);
        fleet[i] = make(*state, text);
    }
    assert_int_equal(ts_secret_pool_count(*state), FLEET);
    assert_true(mapping_count() - before < 2000);
    for (size_t i = 0; i < FLEET; i++) {
        char text[64];
        snprintf(text, sizeof text, "%s-%zu", TOKEN, i);
        check_content(fleet[i], text);
    }
    // Odd ones first: slabs thin out before they empty.
    for (size_t i = 1; i < FLEET; i += 2) {
        ts_secret_destroy(fleet[i]);
    }
    for (size_t i = 0; i < FLEET; i += 2) {
        ts_secret_destroy(fleet[i]);
    }
    assert_int_equal(ts_secret_pool_count(*state), 0);
    assert_true(mapping_count() - before < 50); // all but a spare slab went back
    free(fleet);
}

static void failed_allocation_leaves_no_trace(void **state)
{
    (void)state;
    struct ts_secret_pool *pool = NULL;
    alloc_fail_arm(0);
    assert_int_equal(ts_secret_pool_create(&pool, NULL), TS_ERR_NOMEM);
    assert_null(pool);
    for (int step = 0; step < 3; step++) { // memory for handles, the slab's record, the slab
        struct ts_secret *secret = NULL;
        struct ts_error err = {0};
        assert_int_equal(ts_secret_pool_create(&pool, NULL), TS_OK);
        alloc_fail_arm(step);
        assert_int_equal(ts_secret_create(pool, TOKEN, strlen(TOKEN), &secret, &err), TS_ERR_NOMEM);
        assert_int_equal(err.code, TS_ERR_NOMEM);
        assert_null(secret);
        assert_int_equal(ts_secret_pool_count(pool), 0);
        secret = make(pool, TOKEN);
        check_content(secret, TOKEN);
        ts_secret_destroy(secret);
        ts_secret_pool_destroy(pool);
    }
}

static void no_lockable_memory_is_no_failure(void **state)
{
    (void)state;
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct rlimit none = {0};
        // Root may lock past the limit unless it gives the privilege up.
        bool ready = setrlimit(RLIMIT_MEMLOCK, &none) == 0 && (geteuid() != 0 || !setuid(65534));
        struct ts_secret_pool *pool = NULL;
        struct ts_secret *secret = NULL;
        bool made = ready && ts_secret_pool_create(&pool, NULL) == TS_OK &&
                    ts_secret_create(pool, TOKEN, strlen(TOKEN), &secret, NULL) == TS_OK;
        bool good = made && strcmp(ts_secret_borrow(secret, NULL), TOKEN) == 0;
        _exit(good ? 0 : 1);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void destroying_nothing_is_fine(void **state)
{
    (void)state;
    ts_secret_destroy(NULL);
    ts_secret_pool_destroy(NULL);
}

// Marks of one key can be compared, and those of another show that they cannot.
static void mark_tells_its_key(void **state)
{
    static const unsigned char keys[2][TS_SECRET_KEY] = {{1}, {2}};
    struct ts_secret *secrets[] = {make(*state, TOKEN), make(*state, OTHER)};
    char marks[2][2][TS_SECRET_MARK];
    for (int key = 0; key < 2; key++) {
        ts_secret_pool_set_key(*state, keys[key]);
        for (int i = 0; i < 2; i++) {
            ts_secret_mark(secrets[i], marks[key][i]);
            assert_int_equal(strspn(marks[key][i], "0123456789abcdef"), TS_SECRET_MARK - 1);
        }
        assert_string_not_equal(marks[key][0], marks[key][1]);
        assert_string_equal(marks[key][0] + 32, marks[key][1] + 32);
    }
    assert_string_not_equal(marks[0][0] + 32, marks[1][0] + 32);
    ts_secret_destroy(secrets[0]);
    ts_secret_destroy(secrets[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_what_it_was_given),
        cmocka_unit_test(keeps_nul_bytes_and_nothing),
        cmocka_unit_test(mark_tells_its_key),
        cmocka_unit_test(unborrowed_is_unreadable),
        cmocka_unit_test(borrowed_is_unwritable),
        cmocka_unit_test(borrows_nest),
        cmocka_unit_test(borrow_survives_the_life_of_neighbours),
        cmocka_unit_test(life_of_neighbours_opens_nothing),
        cmocka_unit_test(destroyed_is_wiped),
        cmocka_unit_test(slabs_are_used_again),
        cmocka_unit_test(size_limits),
        cmocka_unit_test(equality),
        cmocka_unit_test(deferred_memory_is_sealed_on_demand),
        cmocka_unit_test(fleet_fits),
        cmocka_unit_test(failed_allocation_leaves_no_trace),
        cmocka_unit_test(no_lockable_memory_is_no_failure),
        cmocka_unit_test(destroying_nothing_is_fine),
    };
    return cmocka_run_group_tests(tests, pool_setup, pool_teardown);
}
