// SPDX-License-Identifier: MIT
// What to type next: one command line after another, and what became of it.
#include "host/runtime/next_step.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define RUN "20260102-030405-7f3a"
#define TOKEN "cfut_made-up-made-up-made-up-made-up-made-up"

struct bed {
    struct ts_config config;
    struct ts_door door;
    struct ts_next_facts facts;
    struct ts_next_steps steps;
    char *words[8];
};

static void bed_type(struct bed *bed, const char *const *words)
{
    bed->config.word_count = 0;
    for (; *words; words++) {
        bed->words[bed->config.word_count++] = (char *)*words;
    }
}

static int bed_setup(void **state)
{
    static const char *const words[] = {"tshost", "job.lua", "it's", NULL};
    struct bed *bed = calloc(1, sizeof *bed);
    if (!bed) {
        return -1;
    }
    unsetenv("CLOUDFLARE_ACCOUNT_ID");
    unsetenv("CLOUDFLARE_BASE_URL");
    ts_config_init(&bed->config);
    ts_door_init(&bed->door);
    bed->config.program = "tshost";
    bed->config.words = bed->words;
    bed->config.option_at = 1;
    bed_type(bed, words);
    bed->facts = (struct ts_next_facts){.config = &bed->config, .door = &bed->door, .run = ""};
    *state = bed;
    return 0;
}

static int bed_teardown(void **state)
{
    struct bed *bed = *state;
    ts_door_fini(&bed->door);
    free(bed);
    return 0;
}

static void note(struct bed *bed, enum ts_entry_kind kind, unsigned wanted, long status)
{
    struct ts_facts facts = {.kind = kind, .wanted = wanted, .status = status, .message = "why"};
    assert_int_not_equal(ts_ledger_add(&bed->door.ledger, &facts), 0);
}

// The commands, one after the other; those that are told in words in brackets.
static void check(struct bed *bed, const char *expected)
{
    char all[2048] = "";
    ts_next_steps_find(&bed->facts, &bed->steps);
    for (size_t i = 0; i < bed->steps.count; i++) {
        const struct ts_next_step *step = &bed->steps.steps[i];
        size_t len = strlen(all);
        bool is_told = step->command[0] == '\0';
        snprintf(all + len, sizeof all - len, is_told ? "%s(%s)" : "%s%s", i > 0 ? "\n" : "",
            is_told ? step->why : step->command);
    }
    assert_string_equal(all, expected);
}

static void nothing_to_do(void **state)
{
    struct bed *bed = *state;
    check(bed, "");
    bed->facts.run = RUN;
    check(bed, "");
    bed->facts.is_wordy = true;
    check(bed, "tshost log " RUN);
    bed->door.ledger.done[TS_OP_DELETE] = 1; // has no inverse
    check(bed, "tshost log " RUN);
    bed->door.ledger.done[TS_OP_CREATE] = 1;
    check(bed, "tshost log " RUN "\ntshost undo " RUN);
}

static void in_doubt(void **state)
{
    struct bed *bed = *state;
    note(bed, TS_ENTRY_REFUSED, TS_PERMISSION_BIT(TS_ALLOW_DELETE), 0);
    note(bed, TS_ENTRY_WRITE_UNKNOWN, 0, 0);
    bed->facts.run = RUN;
    check(bed, "tshost resume " RUN "\ntshost log --failed " RUN);
    bed->facts.run = "";
    ts_next_steps_find(&bed->facts, &bed->steps);
    assert_int_equal(bed->steps.count, 1);
    assert_string_equal(bed->steps.steps[0].command, "");
    assert_non_null(strstr(bed->steps.steps[0].why, "makes a twin"));
    bed->config.is_sandbox = true; // and it is gone
    check(bed, "");
}

static void refused(void **state)
{
    struct bed *bed = *state;
    note(bed, TS_ENTRY_REFUSED, TS_PERMISSION_BIT(TS_ALLOW_DELETE), 0);
    note(bed, TS_ENTRY_REFUSED, TS_PERMISSION_BIT(TS_ALLOW_ROTATE), 0);
    note(bed, TS_ENTRY_REFUSED, TS_PERMISSION_BIT(TS_ALLOW_DELETE), 0);
    check(bed, "tshost --allow delete=2,rotate=1 job.lua 'it'\\''s'");
    bed->door.permissions.is_read_only = true;
    check(bed, "");
}

static void refused_by_a_command(void **state)
{
    static const char *const words[] = {"tshost", "apply", "plan.json", NULL};
    struct bed *bed = *state;
    bed_type(bed, words);
    bed->config.option_at = 2;
    note(bed, TS_ENTRY_REFUSED, TS_PERMISSION_BIT(TS_ALLOW_DELETE), 0);
    check(bed, "tshost apply --allow delete=1 plan.json");
}

static void a_command_line_that_is_not_shown(void **state)
{
    static const char *const words[][4] = {
        {"tshost", "--token-file", TOKEN, NULL},
        {"tshost", "--token-file=" TOKEN, "x.lua", NULL},
        {"tshost", "-e", "turnstile.siteverify { secret = '0x4AAAAAAAmade-up-made-up-made-up' }"},
        {"tshost", "a\nb", NULL, NULL},
    };
    struct bed *bed = *state;
    note(bed, TS_ENTRY_REFUSED, TS_PERMISSION_BIT(TS_ALLOW_DELETE), 0);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        bed_type(bed, words[i]);
        check(bed, "(the same command with --allow delete=1)");
    }
    static const char *const shown[] = {
        "tshost", "--account", "0123456789abcdef0123456789abcdef", NULL};
    bed_type(bed, shown);
    check(bed, "tshost --allow delete=1 --account 0123456789abcdef0123456789abcdef");
    bed->config.words = NULL;
    check(bed, "");
}

static void stale_and_locked(void **state)
{
    struct bed *bed = *state;
    note(bed, TS_ENTRY_STALE, 0, 0);
    check(bed, "tshost job.lua 'it'\\''s'");
    note(bed, TS_ENTRY_LOCKED, 0, 0);
    check(bed, "tshost --if-locked wait=10m job.lua 'it'\\''s'");
    bed->config.if_locked = TS_IF_LOCKED_WAIT; // it has waited
    check(bed, "");
}

static void credentials(void **state)
{
    struct bed *bed = *state;
    bed->config.token_file = "token";
    bed->config.account = "0123456789abcdef0123456789abcdef";
    note(bed, TS_ENTRY_CREDENTIALS, 0, 0); // none were found: the message says what to do
    check(bed, "");
    note(bed, TS_ENTRY_CREDENTIALS, 0, 403);
    check(bed, "tshost doctor --account 0123456789abcdef0123456789abcdef --token-file token");
    assert_int_equal(setenv("CLOUDFLARE_ACCOUNT_ID", bed->config.account, 1), 0);
    check(bed, "tshost doctor --token-file token");
}

static void broken_off(void **state)
{
    struct bed *bed = *state;
    bed->facts.is_broken_off = true;
    check(bed, "");
    bed->facts.run = RUN;
    check(bed, "tshost resume " RUN);
    bed->facts.is_broken_off = false;
    note(bed, TS_ENTRY_WRITE_FAILED, 0, 404);
    check(bed, "tshost log --failed " RUN);
    note(bed, TS_ENTRY_WRITE_UNSENT, 0, 0);
    check(bed, "tshost resume " RUN "\ntshost log --failed " RUN);
}

static void not_recorded(void **state)
{
    struct bed *bed = *state;
    note(bed, TS_ENTRY_JOURNAL, 0, 0);
    check(bed, ""); // nothing was done that could be gone on with
    bed->facts.run = RUN;
    note(bed, TS_ENTRY_STALE, 0, 0);
    check(bed, "tshost resume " RUN "\ntshost log --failed " RUN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nothing_to_do, bed_setup, bed_teardown),
        cmocka_unit_test_setup_teardown(in_doubt, bed_setup, bed_teardown),
        cmocka_unit_test_setup_teardown(refused, bed_setup, bed_teardown),
        cmocka_unit_test_setup_teardown(refused_by_a_command, bed_setup, bed_teardown),
        cmocka_unit_test_setup_teardown(a_command_line_that_is_not_shown, bed_setup, bed_teardown),
        cmocka_unit_test_setup_teardown(stale_and_locked, bed_setup, bed_teardown),
        cmocka_unit_test_setup_teardown(credentials, bed_setup, bed_teardown),
        cmocka_unit_test_setup_teardown(broken_off, bed_setup, bed_teardown),
        cmocka_unit_test_setup_teardown(not_recorded, bed_setup, bed_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
