// SPDX-License-Identifier: MIT
// Which endpoints are writes, and that none passes as a read: only the door may start it.
#include "host/api/endpoint.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "host/api/call.h"

static void whatever_is_not_get_is_a_write(void **state)
{
    (void)state;
    for (int op = 0; op < TS_OP_COUNT; op++) {
        const struct ts_endpoint *endpoint = ts_endpoint_of((enum ts_op)op);
        // siteverify asks by POST whether a visitor's token is good, and changes no widget.
        bool is_read = strcmp(endpoint->method, "GET") == 0 || op == TS_OP_SITEVERIFY;
        assert_int_equal(endpoint->op, op);
        assert_int_equal(endpoint->is_write, !is_read);
    }
}

static void on_done(void *owner, struct ts_call *call)
{
    (void)owner;
    (void)call;
    fail();
}

static void a_write_does_not_pass_as_a_read(void **state)
{
    (void)state;
    for (int op = 0; op < TS_OP_COUNT; op++) {
        struct ts_call_spec spec = {.op = (enum ts_op)op, .sitekey = "0x4", .body = "{}"};
        struct ts_call *call;
        struct ts_error err;
        if (ts_endpoint_of(spec.op)->is_write) { // refused before the client is looked at
            assert_int_equal(
                ts_call_read(NULL, &spec, on_done, NULL, &call, &err), TS_ERR_INTERNAL);
            assert_null(call);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whatever_is_not_get_is_a_write),
        cmocka_unit_test(a_write_does_not_pass_as_a_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
