// SPDX-License-Identifier: MIT
// The ledger: what is counted, what is kept, and how a failure stops being one.
#include "host/ops/ledger.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct ts_facts lost_create(void)
{
    return (struct ts_facts){
        .kind = TS_ENTRY_WRITE_UNKNOWN,
        .op = "create",
        .place = "a.lua:1",
        .name = "acme",
        .message = "no answer",
        .ray = "8f",
        .status = 502,
        .code = 10000,
    };
}

static void what_is_known_is_kept(void **state)
{
    (void)state;
    struct ts_ledger ledger;
    char place[] = "a.lua:1", message[] = "no answer";
    struct ts_facts facts = lost_create();
    facts.place = place;
    facts.message = message;
    ts_ledger_init(&ledger);
    assert_int_equal(ts_ledger_add(&ledger, &facts), 1);
    memset(place, 'x', sizeof place - 1);
    memset(message, 'x', sizeof message - 1);
    const struct ts_facts *kept = &ledger.entries[0].facts;
    assert_string_equal(kept->op, "create");
    assert_string_equal(kept->place, "a.lua:1");
    assert_string_equal(kept->sitekey, "");
    assert_string_equal(kept->name, "acme");
    assert_string_equal(kept->message, "no answer");
    assert_string_equal(kept->flag, "");
    assert_string_equal(kept->ray, "8f");
    assert_int_equal(kept->status, 502);
    assert_int_equal(kept->code, 10000);
    ts_ledger_explain(&ledger, 1, "looked twice");
    assert_string_equal(kept->message, "no answer; looked twice");
    assert_string_equal(kept->place, "a.lua:1");
    ts_ledger_fini(&ledger);
    ts_ledger_fini(&ledger);
}

static void forgiven(void **state)
{
    (void)state;
    struct ts_ledger ledger;
    struct ts_facts facts = {.kind = TS_ENTRY_WRITE_FAILED, .message = "no"};
    ts_ledger_init(&ledger);
    size_t number = ts_ledger_add(&ledger, &facts);
    ts_ledger_forgive(&ledger, number, "fine");
    ts_ledger_forgive(&ledger, number, "once more");
    ts_ledger_forgive(&ledger, 0, "none");
    ts_ledger_forgive(&ledger, 7, "none");
    assert_int_equal(ledger.forgiven, 1);
    assert_int_equal(ledger.counts[TS_ENTRY_WRITE_FAILED], 0);
    assert_string_equal(ledger.entries[0].reason, "fine");
    ts_ledger_fini(&ledger);
}

static void doubts_end(void **state)
{
    (void)state;
    struct ts_ledger ledger;
    struct ts_facts facts = lost_create();
    ts_ledger_init(&ledger);
    for (int i = 0; i < 3; i++) {
        ts_ledger_add(&ledger, &facts);
    }
    ts_ledger_resolve(&ledger, 1, TS_OP_CREATE, true);
    ts_ledger_refute(&ledger, 2);
    ts_ledger_forgive(&ledger, 3, "fine");
    ts_ledger_resolve(&ledger, 3, TS_OP_CREATE, true);
    assert_int_equal(ledger.counts[TS_ENTRY_WRITE_UNKNOWN], 0);
    assert_int_equal(ledger.counts[TS_ENTRY_WRITE_FAILED], 1);
    assert_int_equal(ledger.done[TS_OP_CREATE], 1);
    assert_int_equal(ledger.settled, 2);
    assert_int_equal(ledger.entries[1].facts.kind, TS_ENTRY_WRITE_FAILED);
    ts_ledger_fini(&ledger);
}

static void told_once(void **state)
{
    (void)state;
    struct ts_ledger ledger;
    struct ts_facts facts = {.kind = TS_ENTRY_WRITE_UNSENT, .message = "x: nobody there"};
    char reason[32] = "";
    ts_ledger_init(&ledger);
    ledger.once = reason;
    assert_int_equal(ts_ledger_add(&ledger, &facts), 1); // nothing is told once yet
    memcpy(reason, "nobody there", sizeof "nobody there");
    assert_int_equal(ts_ledger_add(&ledger, &facts), 0);
    assert_int_equal(ledger.counts[TS_ENTRY_WRITE_UNSENT], 2);
    assert_int_equal(ledger.len, 1);
    ts_ledger_fini(&ledger);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_known_is_kept),
        cmocka_unit_test(forgiven),
        cmocka_unit_test(doubts_end),
        cmocka_unit_test(told_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
