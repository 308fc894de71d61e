// SPDX-License-Identifier: MIT
// Permissions: what options grant and cap, what a refusal says, what a whole plan lacks, and that a
// run which is resumed goes on where it stopped.
#include "host/ops/permission.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define BIT(kind) TS_PERMISSION_BIT(TS_ALLOW_##kind)

// What options have made of permissions, in the order in which they are given: name, value, ...
// NULL.
static struct ts_permissions given(const char *option, ...)
{
    struct ts_permissions permissions;
    struct ts_error err;
    va_list args;
    ts_permissions_init(&permissions);
    va_start(args, option);
    for (; option; option = va_arg(args, const char *)) {
        const char *value = va_arg(args, const char *);
        if (strcmp(option, "--allow") == 0) {
            assert_int_equal(ts_permissions_add(&permissions, value, &err), TS_OK);
        } else {
            enum ts_permission kind =
                strcmp(option, "--max-create") == 0 ? TS_ALLOW_CREATE : TS_ALLOW_UPDATE;
            assert_int_equal(ts_permissions_cap(&permissions, kind, value, &err), TS_OK);
        }
    }
    va_end(args);
    return permissions;
}

static void expect_refused(
    const struct ts_permissions *permissions, unsigned kinds, const char *message)
{
    struct ts_error err;
    assert_int_equal(ts_permissions_check(permissions, kinds, &err), TS_ERR_REFUSED);
    assert_string_equal(err.message, message);
}

static void expect_allowed(const struct ts_permissions *permissions, unsigned kinds)
{
    struct ts_error err;
    assert_int_equal(ts_permissions_check(permissions, kinds, &err), TS_OK);
}

static void expect_all_refused(
    const struct ts_permissions *permissions, const struct ts_needs *needs, const char *message)
{
    struct ts_error err;
    assert_int_equal(ts_permissions_check_all(permissions, needs, &err), TS_ERR_REFUSED);
    assert_string_equal(err.message, message);
}

static void expect_options(const struct ts_permissions *permissions, const char *options)
{
    char text[TS_PERMISSIONS_TEXT_MAX];
    ts_permissions_options(permissions, text);
    assert_string_equal(text, options);
}

static void expect_missing(
    const struct ts_permissions *permissions, const struct ts_needs *needs, const char *options)
{
    char text[TS_PERMISSIONS_TEXT_MAX];
    ts_permissions_options_missing(permissions, needs, text);
    assert_string_equal(text, options);
}

static void without_options_only_what_can_be_undone_is_allowed(void **state)
{
    (void)state;
    struct ts_permissions permissions = given(NULL);
    expect_allowed(&permissions, BIT(CREATE) | BIT(UPDATE));
    expect_refused(
        &permissions, BIT(DELETE), "not allowed without --allow delete (or --allow delete=N)");
    expect_refused(
        &permissions, BIT(ROTATE), "not allowed without --allow rotate (or --allow rotate=N)");
    expect_refused(
        &permissions, BIT(REVEAL), "not allowed without --allow reveal (or --allow reveal=N)");
    expect_refused(&permissions, BIT(UPDATE) | BIT(ANY_HOSTNAME),
        "empty `domains` would admit any hostname: not allowed without --allow any-hostname (or "
        "--allow any-hostname=N)");
    assert_int_equal(ts_permissions_left(&permissions, TS_ALLOW_CREATE), INT64_MAX);
    assert_int_equal(ts_permissions_left(&permissions, TS_ALLOW_DELETE), 0);
}

static void zeroed_permissions_allow_nothing(void **state)
{
    (void)state;
    struct ts_permissions permissions = {0};
    for (int kind = 0; kind < TS_ALLOW_COUNT; kind++) {
        struct ts_error err;
        assert_int_equal(
            ts_permissions_check(&permissions, TS_PERMISSION_BIT(kind), &err), TS_ERR_REFUSED);
    }
}

static void a_cap_that_is_reached_tells_the_number_it_takes(void **state)
{
    (void)state;
    struct ts_permissions permissions =
        given("--allow", "delete=2", "--max-update", "10", "--max-create", "0", NULL);
    expect_refused(&permissions, BIT(CREATE),
        "the cap of --max-create 0 is reached; --max-create 1 or more would allow it");
    for (int i = 0; i < 10; i++) {
        expect_allowed(&permissions, BIT(UPDATE));
        ts_permissions_use(&permissions, BIT(UPDATE), 1);
    }
    expect_refused(&permissions, BIT(UPDATE),
        "the cap of --max-update 10 is reached; --max-update 11 or more would allow it");
    ts_permissions_use(&permissions, BIT(UPDATE), -1);
    expect_allowed(&permissions, BIT(UPDATE));
    ts_permissions_use(&permissions, BIT(UPDATE) | BIT(DELETE), 1);
    expect_allowed(&permissions, BIT(DELETE));
    ts_permissions_use(&permissions, BIT(DELETE), 1);
    expect_refused(&permissions, BIT(DELETE),
        "the cap of --allow delete=2 is reached; --allow delete=3 or more would allow it");
    assert_int_equal(ts_permissions_left(&permissions, TS_ALLOW_DELETE), 0);
}

static void a_refusal_names_all_that_is_short(void **state)
{
    (void)state;
    struct ts_permissions permissions = given("--max-update", "0", NULL);
    expect_refused(&permissions, BIT(UPDATE) | BIT(ANY_HOSTNAME),
        "the cap of --max-update 0 is reached; --max-update 1 or more would allow it; empty "
        "`domains` would admit any hostname: not allowed without --allow any-hostname (or --allow "
        "any-hostname=N)");
}

static void grants_add_up(void **state)
{
    (void)state;
    struct ts_permissions permissions =
        given("--allow", "delete=2,rotate", "--allow", "delete=3", "--allow", "rotate=1", NULL);
    assert_int_equal(ts_permissions_left(&permissions, TS_ALLOW_DELETE), 5);
    assert_int_equal(ts_permissions_left(&permissions, TS_ALLOW_ROTATE), INT64_MAX);
    expect_options(&permissions, "--allow delete=5,rotate");
    permissions.is_read_only = true;
    assert_int_equal(ts_permissions_left(&permissions, TS_ALLOW_ROTATE), 0);
}

static void what_options_say_must_make_sense(void **state)
{
    (void)state;
    static const struct {
        const char *value;
        const char *message;
    } grants[] = {
        {"everything", "--allow: \"everything\" is not a permission; there are delete, rotate, "
                       "any-hostname, reveal"},
        {"delete=0", "--allow delete=0: the cap must be a whole number from 1"},
        {"delete=-1", "--allow delete=-1: the cap must be a whole number from 1"},
        {"delete=", "--allow delete=: the cap must be a whole number from 1"},
        {"create", "--allow create: that needs no permission; --max-create N caps how many"},
        {"update=3", "--allow update: that needs no permission; --max-update N caps how many"},
    };
    struct ts_error err;
    struct ts_permissions permissions = given("--max-create", "3", NULL);
    for (size_t i = 0; i < sizeof grants / sizeof grants[0]; i++) {
        assert_int_equal(ts_permissions_add(&permissions, grants[i].value, &err), TS_ERR_USAGE);
        assert_string_equal(err.message, grants[i].message);
    }
    static const char *const numbers[] = {"", "-1", "many", "1.5", "3x", "99999999999999999999"};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        assert_int_equal(
            ts_permissions_cap(&permissions, TS_ALLOW_UPDATE, numbers[i], &err), TS_ERR_USAGE);
        assert_non_null(strstr(err.message, "--max-update "));
        assert_non_null(strstr(err.message, "a whole number expected"));
    }
    expect_options(&permissions, "--max-create 3");
    assert_int_equal(ts_permissions_cap(&permissions, TS_ALLOW_CREATE, "4", &err), TS_OK);
    expect_options(&permissions, "--max-create 4"); // the last one holds
}

static void a_plan_is_told_all_that_it_lacks_at_once(void **state)
{
    (void)state;
    struct ts_permissions permissions =
        given("--allow", "delete=1,reveal", "--max-update", "10", "--max-create", "5", NULL);
    struct ts_needs needs = {.count = {[TS_ALLOW_CREATE] = 5,
                                 [TS_ALLOW_UPDATE] = 40,
                                 [TS_ALLOW_DELETE] = 3,
                                 [TS_ALLOW_ROTATE] = 2}};
    // Each option in full: what it granted beside is not lost when it is pasted over the old one.
    expect_all_refused(&permissions, &needs,
        "update: 40 wanted, 10 allowed; delete: 3 wanted, 1 allowed; rotate: 2 wanted, 0 allowed; "
        "all of it passes with --allow delete=3,rotate=2,reveal --max-update 40");
    permissions = given(
        "--allow", "delete=3,rotate=2,reveal", "--max-update", "40", "--max-create", "5", NULL);
    struct ts_error err;
    assert_int_equal(ts_permissions_check_all(&permissions, &needs, &err), TS_OK);
    // What is used already is counted.
    ts_permissions_use(&permissions, BIT(UPDATE), 1);
    expect_all_refused(
        &permissions, &needs, "update: 40 wanted, 39 left; all of it passes with --max-update 41");
}

static void a_plan_that_only_needs_no_grant_passes(void **state)
{
    (void)state;
    struct ts_permissions permissions = given(NULL);
    struct ts_needs needs = {
        .count = {[TS_ALLOW_CREATE] = 1000, [TS_ALLOW_UPDATE] = 1000}, .deliveries = 1000};
    struct ts_error err;
    assert_int_equal(ts_permissions_check_all(&permissions, &needs, &err), TS_OK);
}

static void read_only_refuses_every_plan_that_does_something(void **state)
{
    (void)state;
    struct ts_permissions permissions = given("--allow", "delete", NULL);
    permissions.is_read_only = true;
    struct ts_error err;
    struct ts_needs needs = {.deliveries = 1};
    expect_all_refused(&permissions, &needs, "refused by --read-only");
    needs = (struct ts_needs){.count = {[TS_ALLOW_DELETE] = 1}};
    expect_all_refused(&permissions, &needs, "refused by --read-only");
    needs.count[TS_ALLOW_ROTATE] = 1;
    expect_all_refused(&permissions, &needs,
        "refused by --read-only; rotate: 1 wanted, 0 allowed; all of it passes with --allow "
        "delete,rotate=1 and without --read-only");
    needs = (struct ts_needs){0};
    assert_int_equal(ts_permissions_check_all(&permissions, &needs, &err), TS_OK);
}

static void what_is_missing_is_told_as_options_to_be_added(void **state)
{
    (void)state;
    struct ts_permissions permissions =
        given("--allow", "delete=3,reveal", "--max-update", "1", NULL);
    struct ts_needs needs = {0};
    expect_missing(&permissions, &needs, "");
    ts_permissions_use(&permissions, BIT(DELETE), 3);
    needs.count[TS_ALLOW_DELETE] = 7;
    expect_missing(&permissions, &needs, "--allow delete=7");
    needs.count[TS_ALLOW_UPDATE] = 1; // which the cap lets pass
    needs.count[TS_ALLOW_ANY_HOSTNAME] = 1;
    expect_missing(&permissions, &needs, "--allow delete=7,any-hostname=1");
    needs.count[TS_ALLOW_UPDATE] = 2;
    expect_missing(&permissions, &needs, "--allow delete=7,any-hostname=1 --max-update 2");
    // Given after the others, they let it pass.
    permissions = given("--allow", "delete=3,reveal", "--max-update", "1", "--allow",
        "delete=7,any-hostname=1", "--max-update", "2", NULL);
    ts_permissions_use(&permissions, BIT(DELETE), 3);
    struct ts_error err;
    assert_int_equal(ts_permissions_check_all(&permissions, &needs, &err), TS_OK);
    expect_missing(&permissions, &needs, "");
}

static void permissions_are_kept_as_text(void **state)
{
    (void)state;
    static const char everything[] =
        "--allow delete=5,rotate=1,any-hostname,reveal=7 --max-create 3 --max-update 4 --used "
        "create=3,update=1,delete=2,rotate=1,any-hostname=9,reveal=1";
    const char *const texts[] = {
        "",
        "--allow delete",
        "--read-only",
        "--read-only --allow delete=5,rotate",
        "--max-create 0 --max-update 10",
        everything,
        "--used create=1000000",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct ts_permissions permissions;
        struct ts_error err;
        char text[TS_PERMISSIONS_TEXT_MAX];
        assert_int_equal(ts_permissions_load(&permissions, texts[i], &err), TS_OK);
        ts_permissions_save(&permissions, text);
        assert_string_equal(text, texts[i]);
    }
}

static void the_longest_text_fits(void **state)
{
    (void)state;
    struct ts_permissions permissions, again;
    struct ts_error err;
    char text[TS_PERMISSIONS_TEXT_MAX];
    ts_permissions_init(&permissions);
    permissions.is_read_only = true;
    for (int kind = 0; kind < TS_ALLOW_COUNT; kind++) {
        permissions.cap[kind] = INT64_MAX - 1;
        permissions.used[kind] = INT64_MAX - 1;
    }
    ts_permissions_save(&permissions, text);
    assert_int_equal(ts_permissions_load(&again, text, &err), TS_OK);
    assert_memory_equal(permissions.cap, again.cap, sizeof permissions.cap);
    assert_memory_equal(permissions.used, again.used, sizeof permissions.used);
}

static void a_damaged_text_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {"--allow", "--allow everything", "--allow delete=x",
        "--max-create", "--max-create x", "--used", "--used delete",
        "--used delete=", "--used everything=1", "--used delete=-1", "delete", "--allow  delete",
        " ", "--read-only=1"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct ts_permissions permissions;
        struct ts_error err;
        assert_int_equal(ts_permissions_load(&permissions, texts[i], &err), TS_ERR_INVALID);
        assert_non_null(strstr(err.message, "the permissions of the run"));
    }
    char text[TS_PERMISSIONS_TEXT_MAX + 1];
    memset(text, ' ', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    struct ts_permissions permissions;
    struct ts_error err;
    assert_int_equal(ts_permissions_load(&permissions, text, &err), TS_ERR_INVALID);
}

static struct ts_permissions loaded(const char *text)
{
    struct ts_permissions permissions;
    struct ts_error err;
    assert_int_equal(ts_permissions_load(&permissions, text, &err), TS_OK);
    return permissions;
}

static void expect_inherited(
    struct ts_permissions permissions, const char *before, const char *expected)
{
    struct ts_permissions old = loaded(before);
    char text[TS_PERMISSIONS_TEXT_MAX];
    ts_permissions_inherit(&permissions, &old);
    ts_permissions_save(&permissions, text);
    assert_string_equal(text, expected);
}

static void a_resume_goes_on_with_what_is_left(void **state)
{
    (void)state;
    static const char before[] =
        "--allow delete=5,rotate --max-update 10 --used create=2,update=9,delete=4";
    expect_inherited(given(NULL), before, before);
    // An option that is given again replaces the old one; what was used stays used.
    expect_inherited(given("--allow", "delete=6", NULL), before,
        "--allow delete=6,rotate --max-update 10 --used create=2,update=9,delete=4");
    expect_inherited(given("--max-update", "12", "--max-create", "2", NULL), before,
        "--allow delete=5,rotate --max-create 2 --max-update 12 --used "
        "create=2,update=9,delete=4");
    struct ts_permissions permissions = given("--allow", "delete=3", NULL);
    struct ts_permissions old = loaded(before);
    ts_permissions_inherit(&permissions, &old);
    assert_int_equal(ts_permissions_left(&permissions, TS_ALLOW_DELETE), 0);
    expect_refused(&permissions, BIT(DELETE),
        "the cap of --allow delete=3 is reached; --allow delete=5 or more would allow it");
    permissions = given(NULL);
    old.is_read_only = true;
    ts_permissions_inherit(&permissions, &old);
    assert_true(permissions.is_read_only);
}

static void names_and_kinds_belong_together(void **state)
{
    (void)state;
    for (int kind = 0; kind < TS_ALLOW_COUNT; kind++) {
        assert_int_equal(ts_permission_find(ts_permission_name((enum ts_permission)kind)), kind);
    }
    assert_int_equal(ts_permission_find("everything"), TS_ALLOW_COUNT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_options_only_what_can_be_undone_is_allowed),
        cmocka_unit_test(zeroed_permissions_allow_nothing),
        cmocka_unit_test(a_cap_that_is_reached_tells_the_number_it_takes),
        cmocka_unit_test(a_refusal_names_all_that_is_short),
        cmocka_unit_test(grants_add_up),
        cmocka_unit_test(what_options_say_must_make_sense),
        cmocka_unit_test(a_plan_is_told_all_that_it_lacks_at_once),
        cmocka_unit_test(a_plan_that_only_needs_no_grant_passes),
        cmocka_unit_test(read_only_refuses_every_plan_that_does_something),
        cmocka_unit_test(what_is_missing_is_told_as_options_to_be_added),
        cmocka_unit_test(permissions_are_kept_as_text),
        cmocka_unit_test(the_longest_text_fits),
        cmocka_unit_test(a_damaged_text_is_refused),
        cmocka_unit_test(a_resume_goes_on_with_what_is_left),
        cmocka_unit_test(names_and_kinds_belong_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
