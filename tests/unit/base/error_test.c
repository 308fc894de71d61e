// SPDX-License-Identifier: MIT
// The error struct: one clean line whatever was put into it.
// Hostile text is what an API answer or a file name may hold.
#include "host/base/error.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void says_what_was_formatted(void **state)
{
    (void)state;
    struct ts_error err = {0};
    assert_int_equal(ts_error_set(&err, TS_ERR_INVALID, "%s: %d", "mode", 7), TS_ERR_INVALID);
    assert_int_equal(err.code, TS_ERR_INVALID);
    assert_string_equal(err.message, "mode: 7");
}

static void wants_no_struct(void **state)
{
    (void)state;
    assert_int_equal(ts_error_set(NULL, TS_ERR_TIMEOUT, "unseen"), TS_ERR_TIMEOUT);
    assert_int_equal(ts_error_set_errno(NULL, ENOENT, "unseen"), TS_ERR_SYSTEM);
    assert_int_equal(ts_error_set_errno(NULL, ENOMEM, "unseen"), TS_ERR_NOMEM);
}

static void ends_in_the_cause(void **state)
{
    (void)state;
    struct ts_error err = {0};
    assert_int_equal(ts_error_set_errno(&err, ENOENT, "open %s", "a.csv"), TS_ERR_SYSTEM);
    assert_int_equal(err.code, TS_ERR_SYSTEM);
    assert_string_equal(err.message, "open a.csv: No such file or directory");
    assert_int_equal(ts_error_set_errno(&err, ENOMEM, "open"), TS_ERR_NOMEM);
    assert_string_equal(err.message, "open: Cannot allocate memory");
    ts_error_set_errno(&err, 99999, "open");
    assert_string_equal(err.message, "open: Unknown error 99999");
}

static void control_characters_become_spaces(void **state)
{
    (void)state;
    struct ts_error err = {0};
    ts_error_set(&err, TS_ERR_INVALID, "%s", "a\033[2Jb\r\nc\td\177e\001f");
    assert_string_equal(err.message, "a [2Jb  c d e f");
    ts_error_set_errno(&err, EACCES, "open %s", "x\ny");
    assert_string_equal(err.message, "open x y: Permission denied");
    ts_error_set(&err, TS_ERR_INVALID, "%s", "Bücher & Söhne");
    assert_string_equal(err.message, "Bücher & Söhne");
}

static void long_text_is_cut(void **state)
{
    (void)state;
    char text[2 * TS_ERROR_MESSAGE_MAX];
    memset(text, 'a', sizeof text);
    text[sizeof text - 1] = '\0';
    struct {
        struct ts_error err;
        char behind[16];
    } box;
    memset(&box, '#', sizeof box);
    ts_error_set(&box.err, TS_ERR_INVALID, "%s", text);
    assert_int_equal(strlen(box.err.message), TS_ERROR_MESSAGE_MAX - 1);
    ts_error_set_errno(&box.err, ENOENT, "%s", text);
    assert_int_equal(strlen(box.err.message), TS_ERROR_MESSAGE_MAX - 1);
    assert_memory_equal(box.behind, "################", sizeof box.behind);
}

static void may_quote_what_it_replaces(void **state)
{
    (void)state;
    struct ts_error err = {0};
    ts_error_set(&err, TS_ERR_TRANSPORT, "connection reset");
    ts_error_set(&err, err.code, "widgets.get: %s", err.message);
    assert_string_equal(err.message, "widgets.get: connection reset");
    assert_int_equal(err.code, TS_ERR_TRANSPORT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(says_what_was_formatted),
        cmocka_unit_test(wants_no_struct),
        cmocka_unit_test(ends_in_the_cause),
        cmocka_unit_test(control_characters_become_spaces),
        cmocka_unit_test(long_text_is_cut),
        cmocka_unit_test(may_quote_what_it_replaces),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
