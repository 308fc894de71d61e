// SPDX-License-Identifier: MIT
// The choice of the trust store: who wins, that two are never set where one will do, and that an
// incomplete directory is not taken for the bundle.
#include "host/net/ca.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

struct place {
    char dir[64];
    char bundle[96];
};

static void place_path(const struct place *place, const char *name, char *out, size_t size)
{
    snprintf(out, size, "%s/%s", place->dir, name);
}

static void place_write(const struct place *place, const char *name, const char *text)
{
    char path[96];
    place_path(place, name, path, sizeof path);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static const char *const names[] = {"bundle.pem", "0123abcd.0", "0123abcd.1", "README", "abc.0"};

static int setup(void **state)
{
    struct place *place = calloc(1, sizeof *place);
    assert_non_null(place);
    snprintf(place->dir, sizeof place->dir, "%s/tshost-ca-XXXXXX", P_tmpdir);
    assert_non_null(mkdtemp(place->dir));
    place_path(place, "bundle.pem", place->bundle, sizeof place->bundle);
    unsetenv("SSL_CERT_FILE");
    unsetenv("SSL_CERT_DIR");
    *state = place;
    return 0;
}

static int teardown(void **state)
{
    struct place *place = *state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[96];
        place_path(place, names[i], path, sizeof path);
        unlink(path);
    }
    rmdir(place->dir);
    free(place);
    unsetenv("SSL_CERT_FILE");
    unsetenv("SSL_CERT_DIR");
    return 0;
}

static void expect(const char *asked, const char *file, const char *dir)
{
    struct ts_ca ca = {0};
    assert_int_equal(ts_ca_choose(&ca, asked), TS_OK);
    if (file) {
        assert_string_equal(ca.file, file);
    } else {
        assert_null(ca.file);
    }
    if (dir) {
        assert_string_equal(ca.dir, dir);
    } else {
        assert_null(ca.dir);
    }
    ts_ca_fini(&ca);
    ts_ca_fini(&ca);
}

static void what_is_asked_for_wins_over_the_environment(void **state)
{
    (void)state;
    setenv("SSL_CERT_FILE", "/made-up/env.pem", 1);
    setenv("SSL_CERT_DIR", "/made-up/env", 1);
    expect("/made-up/asked.pem", "/made-up/asked.pem", NULL);
    expect(NULL, "/made-up/env.pem", "/made-up/env");
    unsetenv("SSL_CERT_DIR");
    expect(NULL, "/made-up/env.pem", NULL);
    unsetenv("SSL_CERT_FILE");
    setenv("SSL_CERT_DIR", "/made-up/env", 1);
    expect(NULL, NULL, "/made-up/env");
}

static void the_systems_store_is_one_of_two_however_it_is_named(void **state)
{
    (void)state;
    struct ts_ca plain = {0};
    assert_int_equal(ts_ca_choose(&plain, NULL), TS_OK);
    assert_true(!plain.file || !plain.dir);
    setenv("SSL_CERT_FILE", "", 1);
    expect(NULL, plain.file, plain.dir);
    const char *system_file = curl_version_info(CURLVERSION_NOW)->cainfo;
    if (system_file) {
        setenv("SSL_CERT_FILE", system_file, 1);
        expect(NULL, plain.file, plain.dir);
    }
    ts_ca_fini(&plain);
}

static void a_directory_must_be_hashed_and_complete(void **state)
{
    struct place *place = *state;
    assert_false(ts_ca_covers(place->dir, place->bundle));
    place_write(place, "README", "");
    place_write(place, "abc.0", "");
    assert_false(ts_ca_covers(place->dir, place->bundle));
    place_write(place, "0123abcd.0", "");
    assert_true(ts_ca_covers(place->dir, place->bundle)); // there is no bundle
    place_write(place, "bundle.pem",
        "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n"
        "-----BEGIN TRUSTED CERTIFICATE-----\nAA==\n-----END TRUSTED CERTIFICATE-----\n");
    assert_false(ts_ca_covers(place->dir, place->bundle));
    place_write(place, "0123abcd.1", "");
    assert_true(ts_ca_covers(place->dir, place->bundle));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            what_is_asked_for_wins_over_the_environment, setup, teardown),
        cmocka_unit_test_setup_teardown(
            the_systems_store_is_one_of_two_however_it_is_named, setup, teardown),
        cmocka_unit_test_setup_teardown(a_directory_must_be_hashed_and_complete, setup, teardown),
    };
    return cmocka_run_group_tests_name("net/ca", tests, NULL, NULL);
}
