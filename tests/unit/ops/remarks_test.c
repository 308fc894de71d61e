// SPDX-License-Identifier: MIT
// Remarks: the same one of the same place is kept once, and no list grows without end.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "host/ops/remarks.h"

static void the_same_remark_is_counted(void **state)
{
    struct ts_remarks remarks = {0};
    (void)state;
    ts_remarks_add(&remarks, "a.lua:1", "one");
    ts_remarks_add(&remarks, "a.lua:2", "one");
    ts_remarks_add(&remarks, "a.lua:1", "two");
    ts_remarks_add(&remarks, "a.lua:1", "one");
    assert_int_equal(remarks.len, 3);
    assert_int_equal(remarks.items[0].count, 2);
    assert_int_equal(remarks.items[1].count, 1);
    assert_string_equal(remarks.items[1].place, "a.lua:2");
    assert_string_equal(remarks.items[2].text, "two");
    ts_remarks_fini(&remarks);
    ts_remarks_fini(&remarks);
    assert_int_equal(remarks.len, 0);
}

static void too_many_are_only_counted(void **state)
{
    struct ts_remarks remarks = {0};
    char text[32];
    (void)state;
    for (int i = 0; i < TS_REMARKS_MAX + 7; i++) {
        snprintf(text, sizeof text, "remark %d", i);
        ts_remarks_add(&remarks, "", text);
    }
    ts_remarks_add(&remarks, "", "remark 3"); // is kept already
    assert_int_equal(remarks.len, TS_REMARKS_MAX);
    assert_int_equal(remarks.more, 7);
    assert_int_equal(remarks.items[3].count, 2);
    ts_remarks_fini(&remarks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_remark_is_counted),
        cmocka_unit_test(too_many_are_only_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
