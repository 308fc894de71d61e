// SPDX-License-Identifier: MIT
// The file of a plan: what stands in its way, and that a failure leaves neither half of it nor less
// than was there before.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/runtime/plan_file.h"

#define PLAN TS_PLAN_FILE_MARK ",\n\"steps\":[]}\n"

int __real_fsync(int fd);
int __wrap_fsync(int fd);
int __real_link(const char *from, const char *to);
int __wrap_link(const char *from, const char *to);

// What goes wrong next, once: set by the test, read by the wrapped functions.
struct fault {
    bool is_sync;      // the disk fails
    const char *rival; // somebody makes this file in the last moment
};

static struct fault *fault_of(void)
{
    static struct fault fault; // a wrapped function has no argument to find it by
    return &fault;
}

int __wrap_fsync(int fd)
{
    if (fault_of()->is_sync) {
        errno = EIO;
        return -1;
    }
    return __real_fsync(fd);
}

int __wrap_link(const char *from, const char *to)
{
    if (fault_of()->rival) {
        int fd = open(fault_of()->rival, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        assert_true(fd >= 0);
        close(fd);
        fault_of()->rival = NULL;
    }
    return __real_link(from, to);
}

static char *text_read(const char *path, char text[256])
{
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    size_t len = fread(text, 1, 255, file);
    text[len] = '\0';
    fclose(file);
    return text;
}

static void text_write(const char *path, const char *text)
{
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    fclose(file);
}

static int entries_count(void)
{
    int count = 0;
    DIR *directory = opendir(".");
    assert_non_null(directory);
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    }
    closedir(directory);
    return count;
}

static int directory_enter(void **state)
{
    char *directory = strdup("/tmp/tshost-plan-file-XXXXXX");
    *state = directory;
    *fault_of() = (struct fault){.is_sync = false};
    return directory && mkdtemp(directory) && chdir(directory) == 0 ? 0 : -1;
}

static int directory_leave(void **state)
{
    static const char *const names[] = {"plan.json", "other", "link"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        unlink(names[i]);
    }
    int code = chdir("/") == 0 ? rmdir(*state) : -1; // it is empty: nothing else was left behind
    free(*state);
    return code;
}

static enum ts_err plan_write(const char *path, struct ts_error *err)
{
    return ts_plan_file_write(path, PLAN, strlen(PLAN), err);
}

static void it_is_private_whatever_the_umask(void **state)
{
    struct ts_error err;
    struct stat st;
    char text[256];
    (void)state;
    mode_t mask = umask(0);
    assert_int_equal(ts_plan_file_check("plan.json", &err), TS_OK);
    assert_int_equal(plan_write("plan.json", &err), TS_OK);
    umask(mask);
    assert_int_equal(stat("plan.json", &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_string_equal(text_read("plan.json", text), PLAN);
    assert_int_equal(entries_count(), 1);
}

static void only_a_plan_is_replaced(void **state)
{
    struct ts_error err;
    char text[256];
    (void)state;
    text_write("plan.json", TS_PLAN_FILE_MARK ",\n\"old\":1}\n");
    assert_int_equal(plan_write("plan.json", &err), TS_OK);
    assert_string_equal(text_read("plan.json", text), PLAN);
    text_write("other", "{\"format\":\"tshost pla");
    assert_int_equal(ts_plan_file_check("other", &err), TS_ERR_USAGE);
    assert_int_equal(plan_write("other", &err), TS_ERR_USAGE);
    assert_string_equal(text_read("other", text), "{\"format\":\"tshost pla");
    assert_int_equal(symlink("plan.json", "link"), 0);
    assert_int_equal(plan_write("link", &err), TS_ERR_USAGE);
    assert_int_equal(plan_write("/dev/null", &err), TS_ERR_USAGE);
    assert_int_equal(entries_count(), 3);
}

static void names_that_are_none(void **state)
{
    struct ts_error err;
    char longest[PATH_MAX + 10];
    (void)state;
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    assert_int_equal(ts_plan_file_check("", &err), TS_ERR_USAGE);
    assert_int_equal(ts_plan_file_check("./", &err), TS_ERR_USAGE);
    assert_int_equal(ts_plan_file_check(".", &err), TS_ERR_USAGE);
    assert_int_equal(ts_plan_file_check("none/plan.json", &err), TS_ERR_SYSTEM);
    assert_int_equal(ts_plan_file_check(longest, &err), TS_ERR_SYSTEM);
    longest[PATH_MAX + 2] = '/';
    assert_int_equal(ts_plan_file_check(longest, &err), TS_ERR_USAGE);
}

static void a_disk_that_fails_leaves_the_old_plan(void **state)
{
    struct ts_error err;
    char text[256];
    (void)state;
    text_write("plan.json", TS_PLAN_FILE_MARK ",\n\"old\":1}\n");
    fault_of()->is_sync = true;
    assert_int_equal(plan_write("plan.json", &err), TS_ERR_SYSTEM);
    assert_non_null(strstr(err.message, "the plan cannot be saved"));
    assert_non_null(strstr(text_read("plan.json", text), "old"));
    assert_int_equal(unlink("plan.json"), 0);
    assert_int_equal(plan_write("plan.json", &err), TS_ERR_SYSTEM);
    assert_int_equal(entries_count(), 0);
}

static void a_file_that_appears_meanwhile_is_not_overwritten(void **state)
{
    struct ts_error err;
    char text[256];
    (void)state;
    fault_of()->rival = "plan.json";
    assert_int_equal(plan_write("plan.json", &err), TS_ERR_SYSTEM);
    assert_string_equal(text_read("plan.json", text), "");
    assert_int_equal(entries_count(), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, directory_enter, directory_leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(it_is_private_whatever_the_umask),
        TEST(only_a_plan_is_replaced),
        TEST(names_that_are_none),
        TEST(a_disk_that_fails_leaves_the_old_plan),
        TEST(a_file_that_appears_meanwhile_is_not_overwritten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
