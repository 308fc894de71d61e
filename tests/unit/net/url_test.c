// SPDX-License-Identifier: MIT
// Which URLs may become a base, what their refusals say, and what escaping leaves alone.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "host/net/xfer.h"

static void accepts_https_anywhere_and_http_to_this_machine(void **state)
{
    (void)state;
    static const char *const urls[] = {
        "https://api.cloudflare.com/client/v4",
        "https://api.cloudflare.com",
        "https://[2001:db8::1]:8443/x",
        "HTTPS://API.example/",
        "http://127.0.0.1:8080/client/v4",
        "http://127.255.255.254",
        "http://[::1]:1/",
        "http://localhost:8080/client/v4",
        "http://LocalHost",
    };
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        struct ts_error err = {0};
        enum ts_err code = ts_url_check(urls[i], &err);
        if (code) {
            fail_msg("%s: %s", urls[i], err.message);
        }
    }
}

static void refuses_with_the_reason(void **state)
{
    (void)state;
    static const struct {
        const char *url;
        const char *reason;
    } cases[] = {
        {"", "empty"},
        {"api.cloudflare.com", "must begin with https://"},
        {"ftp://api.example/", "must begin with https://"},
        {"file:///etc/passwd", "must begin with https://"},
        {"https:/api.example/", ""},
        {"https://", ""},
        {"https://api.example:99999/", ""},
        {"http://api.example/", "only for this machine"},
        {"http://api.example/", "api.example:80"},
        {"http://10.0.0.1/", "only for this machine"},
        {"http://128.0.0.1/", "only for this machine"},
        {"http://[::2]/", "only for this machine"},
        {"http://[::ffff:127.0.0.1]/", "only for this machine"},
        {"http://localhost.example/", "only for this machine"},
        {"http://127.0.0.1.example/", "only for this machine"},
        {"https://user:made-up-password@api.example/", "user name"},
        {"http://127.0.0.1@api.example/", "user name"},
        {"https://api.example/a b", "space"},
        {"https://api.example/\r\nX: y", "control"},
        {"https://api.example\\@other.example/", "backslash"},
        {"https://\xc3\xa4pi.example/", "non-ASCII"},
        {"https://api.example/\x7f", "control"},
        {"https://api.example/\xff", "non-ASCII"},
        {"https://api.example/?x=1", "query"},
        {"https://api.example/#x", "fragment"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ts_error err = {0};
        if (ts_url_check(cases[i].url, &err) != TS_ERR_USAGE) {
            fail_msg("%s was accepted", cases[i].url);
        }
        if (!strstr(err.message, cases[i].reason) || strstr(err.message, "made-up-password")) {
            fail_msg("%s: %s", cases[i].url, err.message);
        }
    }
}

static void an_origin_has_one_spelling(void **state)
{
    (void)state;
    static const struct {
        const char *url;
        const char *origin;
    } cases[] = {
        {"https://api.cloudflare.com/client/v4", "https://api.cloudflare.com:443"},
        {"HTTPS://API.Cloudflare.COM:443", "https://api.cloudflare.com:443"},
        {"https:///api.cloudflare.com/client/v4/", "https://api.cloudflare.com:443"},
        {"https://[2001:DB8::1]:8443/x", "https://[2001:db8::1]:8443"},
        {"http://LocalHost", "http://localhost:80"},
        {"http://127.1:8080/client/v4", "http://127.0.0.1:8080"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char origin[TS_URL_ORIGIN_MAX];
        struct ts_error err;
        assert_int_equal(ts_url_origin(cases[i].url, origin, &err), TS_OK);
        assert_string_equal(origin, cases[i].origin);
    }
    char origin[TS_URL_ORIGIN_MAX];
    struct ts_error err;
    assert_int_equal(ts_url_origin("ftp://api.example/", origin, &err), TS_ERR_USAGE);
}

static void escapes_all_but_the_unreserved(void **state)
{
    (void)state;
    struct ts_buf out;
    ts_buf_init(&out, 1000);
    assert_int_equal(ts_url_escape(&out, "AZaz09-._~", 10), TS_OK);
    assert_string_equal(ts_buf_text(&out), "AZaz09-._~");
    ts_buf_clear(&out);
    assert_int_equal(ts_url_escape(&out, "a b/?&=+%\xc3\xa9\0#", 12), TS_OK);
    assert_string_equal(ts_buf_text(&out), "a%20b%2F%3F%26%3D%2B%25%C3%A9%00");
    ts_buf_clear(&out);
    assert_int_equal(
        ts_url_escape(&out, "/:@[`{\x01\x1a\x7f\xc1\xda\xfa", 12), TS_OK); // next to them
    assert_string_equal(ts_buf_text(&out), "%2F%3A%40%5B%60%7B%01%1A%7F%C1%DA%FA");
    ts_buf_clear(&out);
    assert_int_equal(ts_url_escape(&out, "", 0), TS_OK);
    assert_int_equal(out.len, 0);
    ts_buf_fini(&out);
}

static void escaping_respects_the_ceiling(void **state)
{
    (void)state;
    struct ts_buf out;
    ts_buf_init(&out, 5);
    assert_int_equal(ts_url_escape(&out, "a  ", 3), TS_ERR_TOO_LARGE);
    ts_buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepts_https_anywhere_and_http_to_this_machine),
        cmocka_unit_test(refuses_with_the_reason),
        cmocka_unit_test(an_origin_has_one_spelling),
        cmocka_unit_test(escapes_all_but_the_unreserved),
        cmocka_unit_test(escaping_respects_the_ceiling),
    };
    return cmocka_run_group_tests_name("net/url", tests, NULL, NULL);
}
