// SPDX-License-Identifier: MIT
// Hostnames: what is taken, what is refused, what is made of them.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "host/sandbox/domains.h"

static void assert_becomes(const char *text, const char *expected)
{
    char name[TS_SANDBOX_DOMAIN_MAX + 1];
    const char *why = ts_sandbox_domain_normalise(text, strlen(text), name);
    if (!expected) {
        assert_non_null(why);
        return;
    }
    assert_null(why);
    assert_string_equal(name, expected);
}

static void hostnames_and_addresses_are_taken(void **state)
{
    (void)state;
    assert_becomes("acme.example", "acme.example");
    assert_becomes("ACME.Example.", "acme.example");
    assert_becomes("localhost", "localhost");
    assert_becomes("127.0.0.1", "127.0.0.1");
    assert_becomes("::1", "::1");
    assert_becomes("2001:DB8::A", "2001:db8::a");
    assert_becomes("xn--bcher-kva.example", "xn--bcher-kva.example");
    assert_becomes("under_score.example", "under_score.example");
}

static void what_is_no_hostname_is_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {"", ".", "*.acme.example", "https://acme.example",
        "acme.example:443", "acme.example/login", "stra\xc3\x9f\x65.example", "a..example",
        "acme.example..", "-acme.example", "acme-.example", "acme example", "300.1.1.1", "1.2.3",
        "[::1]", "::1%lo", "a@b", "\"", "acme.example?"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_becomes(wrong[i], NULL);
    }
}

static void a_name_has_at_most_253_characters_and_a_label_63(void **state)
{
    (void)state;
    char text[300];
    memset(text, 'a', sizeof text);
    for (size_t i = 60; i < sizeof text; i += 61) {
        text[i] = '.';
    }
    text[253] = '\0';
    assert_becomes(text, text);
    text[253] = 'a';
    text[254] = '\0';
    assert_becomes(text, NULL);
    memset(text, 'a', 64);
    text[63] = '\0';
    assert_becomes(text, text);
    text[63] = 'a';
    text[64] = '\0';
    assert_becomes(text, NULL);
}

static void a_set_is_sorted_and_without_duplicates(void **state)
{
    (void)state;
    static const char *const names[] = {
        "staging-2.example", "staging-10.example", "staging-1.example", "staging-2.example"};
    struct ts_sandbox_domains domains = {0};
    struct ts_buf json;
    ts_buf_init(&json, 1024);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        assert_int_equal(ts_sandbox_domains_add(&domains, names[i]), TS_OK);
    }
    assert_int_equal(ts_sandbox_domains_json(&domains, &json), TS_OK);
    assert_string_equal(
        ts_buf_text(&json), "[\"staging-1.example\",\"staging-10.example\",\"staging-2.example\"]");
    ts_buf_fini(&json);
    ts_sandbox_domains_fini(&domains);
    ts_sandbox_domains_fini(&domains);
}

static void a_domain_covers_itself_and_what_is_below_it(void **state)
{
    (void)state;
    assert_true(ts_sandbox_domain_covers("www.acme.example", "www.acme.example"));
    assert_true(ts_sandbox_domain_covers("www.acme.example", "a.b.www.acme.example"));
    assert_false(ts_sandbox_domain_covers("www.acme.example", "acme.example"));
    assert_false(ts_sandbox_domain_covers("www.acme.example", "xwww.acme.example"));
    assert_false(ts_sandbox_domain_covers("www.acme.example", "dash.acme.example"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hostnames_and_addresses_are_taken),
        cmocka_unit_test(what_is_no_hostname_is_refused),
        cmocka_unit_test(a_name_has_at_most_253_characters_and_a_label_63),
        cmocka_unit_test(a_set_is_sorted_and_without_duplicates),
        cmocka_unit_test(a_domain_covers_itself_and_what_is_below_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
