// SPDX-License-Identifier: MIT
// JSON that is written: any bytes come out as a valid string, members are parted by commas, and an
// error stays.
#include "host/base/json_write.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "host/base/text.h"

static void check_text(const char *bytes, size_t len, const char *expected)
{
    struct ts_buf buf;
    ts_buf_init(&buf, 4096);
    assert_int_equal(ts_json_add_text(&buf, bytes, len), TS_OK);
    assert_string_equal(ts_buf_text(&buf), expected);
    ts_buf_fini(&buf);
}

static void texts_of_strangers(void **state)
{
    (void)state;
    check_text("", 0, "\"\"");
    check_text("a\"b\\c/", 6, "\"a\\\"b\\\\c/\"");
    check_text("\0\n\x1b\x7f", 4, "\"\\u0000\\u000a\\u001b\\u007f\"");
    check_text("\xc2\x9b", 2, "\"\\u009b\"");                          // CSI in one character
    check_text("\xe2\x80\xae!\xe2\x80\xa8", 7, "\"\\u202e!\\u2028\""); // reorders; ends a line
    check_text("Zo\xc3\xab \xf0\x9f\x98\x80", 9, "\"Zo\xc3\xab \xf0\x9f\x98\x80\"");
    check_text("\xff"
               "a\xe2\x82",
        4,
        "\"\xef\xbf\xbd"
        "a\xef\xbf\xbd\xef\xbf\xbd\"");
    check_text("\xed\xa0\x80\xc0\x8a", 5,
        "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
}

// A string as JSON has it: quoted, well-formed UTF-8, nothing in it that ends it or drives a
// terminal, and escapes only of the kinds that there are.
static void check_string(const char *text, size_t len)
{
    assert_true(len >= 2 && text[0] == '"' && text[len - 1] == '"');
    for (size_t at = 1; at < len - 1;) {
        uint32_t point = 0;
        size_t size = ts_text_read(text + at, len - 1 - at, &point);
        assert_int_not_equal(size, 0);
        assert_false(ts_text_is_harmful(point));
        assert_int_not_equal(point, '"');
        if (point == '\\') {
            assert_non_null(strchr("\"\\u", text[at + 1]));
            size += text[at + 1] == 'u' ? 5 : 1;
        }
        at += size;
    }
}

static void any_bytes_are_a_string(void **state)
{
    (void)state;
    static const char pieces[] = "a\"\\\x1b\x80\xbf\xc2\xe2\xed\xf0\xf5\xff\x9b\xae\xa0\n";
    uint64_t dice = 0x9e3779b97f4a7c15;
    for (int run = 0; run < 20000; run++) {
        char bytes[24];
        struct ts_buf buf;
        ts_buf_init(&buf, 4096);
        for (size_t i = 0; i < sizeof bytes; i++) {
            dice ^= dice << 13, dice ^= dice >> 7, dice ^= dice << 17;
            bytes[i] = pieces[dice % (sizeof pieces)]; // its NUL, too
        }
        assert_int_equal(ts_json_add_text(&buf, bytes, dice % sizeof bytes), TS_OK);
        check_string(buf.data, buf.len);
        ts_buf_fini(&buf);
    }
}

static void strings_for_the_api(void **state)
{
    (void)state;
    struct ts_buf buf;
    ts_buf_init(&buf, 4096);
    assert_int_equal(ts_json_add_string(&buf, false, "plain", 5), TS_OK);
    assert_int_equal(ts_json_add_string(&buf, true, "a\"\\\n\0", 5), TS_OK);
    assert_int_equal(ts_json_add_string(&buf, true, "", 0), TS_OK);
    assert_string_equal(ts_buf_text(&buf), "\"plain\",\"a\\\"\\\\\\u000a\\u0000\",\"\"");
    ts_buf_fini(&buf);
}

static void members(void **state)
{
    (void)state;
    struct ts_buf buf;
    struct ts_json_writer json;
    ts_buf_init(&buf, 4096);
    ts_json_writer_init(&json, &buf);
    ts_json_open(&json, NULL, '{');
    ts_json_text(&json, "text", "");
    ts_json_word(&json, "word", "");
    ts_json_text(&json, "none", NULL);
    ts_json_open(&json, "list", '[');
    ts_json_open(&json, NULL, '{');
    ts_json_close(&json, '}');
    ts_json_int(&json, NULL, INT64_MIN);
    ts_json_open(&json, NULL, '[');
    ts_json_close(&json, ']');
    ts_json_close(&json, ']');
    ts_json_bool(&json, "true", true);
    ts_json_null(&json, "null");
    ts_json_close(&json, '}');
    assert_int_equal(json.code, TS_OK);
    assert_string_equal(ts_buf_text(&buf),
        "{\"text\":\"\",\"word\":null,\"none\":null,\"list\":[{},-9223372036854775808,[]],"
        "\"true\":true,\"null\":null}");
    ts_buf_fini(&buf);
}

static void an_error_stays(void **state)
{
    (void)state;
    for (size_t max = 0; max < 40; max++) {
        struct ts_buf buf;
        struct ts_json_writer json;
        ts_buf_init(&buf, max);
        ts_json_writer_init(&json, &buf);
        ts_json_open(&json, NULL, '{');
        ts_json_text(&json, "name", "a text that is too long");
        size_t len = buf.len;
        enum ts_err code = json.code;
        ts_json_int(&json, "n", 1);
        ts_json_close(&json, '}');
        if (code) {
            assert_int_equal(code, TS_ERR_TOO_LARGE);
            assert_int_equal(json.code, code);
            assert_int_equal(buf.len, len); // nothing behind what is missing
        }
        ts_buf_fini(&buf);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_of_strangers),
        cmocka_unit_test(any_bytes_are_a_string),
        cmocka_unit_test(strings_for_the_api),
        cmocka_unit_test(members),
        cmocka_unit_test(an_error_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
