// SPDX-License-Identifier: MIT
// Where state lies, and that it is the user's alone.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "host/state/directory.h"

struct bed {
    char root[64];
    char path[TS_STATE_PATH_MAX];
};

static int bed_make(void **state)
{
    struct bed *bed = calloc(1, sizeof *bed);
    *state = bed;
    snprintf(bed->root, sizeof bed->root, "/tmp/tshost-state-XXXXXX");
    unsetenv("TSHOST_STATE");
    unsetenv("XDG_STATE_HOME");
    unsetenv("HOME");
    return mkdtemp(bed->root) ? 0 : -1;
}

static int bed_drop(void **state)
{
    struct bed *bed = *state;
    char path[512];
    static const char *const names[] = {"a/b/c", "a/b/file", "a/b", "a", "x/tshost", "x",
        ".local/state/tshost", ".local/state", ".local", "link", "file"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", bed->root, names[i]);
        remove(path);
    }
    int left = rmdir(bed->root);
    free(bed);
    return left;
}

static const char *below(struct bed *bed, const char *name, char out[512])
{
    snprintf(out, 512, "%s/%s", bed->root, name);
    return out;
}

static unsigned mode_of(const char *path)
{
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    return status.st_mode & 07777;
}

static void the_first_that_is_set_is_taken(void **state)
{
    struct bed *bed = *state;
    char wish[512];
    struct ts_error err;
    assert_int_equal(ts_directory_open(bed->path, &err), TS_ERR_SYSTEM);
    assert_non_null(strstr(err.message, "HOME"));
    setenv("HOME", bed->root, 1);
    assert_int_equal(ts_directory_open(bed->path, &err), TS_OK);
    assert_string_equal(bed->path, below(bed, ".local/state/tshost", wish));
    setenv("XDG_STATE_HOME", "relative", 1);
    assert_int_equal(ts_directory_open(bed->path, &err), TS_OK);
    assert_string_equal(bed->path, wish);
    setenv("XDG_STATE_HOME", below(bed, "x", wish), 1);
    assert_int_equal(ts_directory_open(bed->path, &err), TS_OK);
    assert_string_equal(bed->path, below(bed, "x/tshost", wish));
    setenv("TSHOST_STATE", below(bed, "a", wish), 1);
    assert_int_equal(ts_directory_open(bed->path, &err), TS_OK);
    assert_string_equal(bed->path, wish);
}

static void modes_do_not_depend_on_the_umask(void **state)
{
    struct bed *bed = *state;
    static const mode_t masks[] = {0, 0777};
    for (size_t i = 0; i < 2; i++) {
        char wish[512], file[TS_STATE_PATH_MAX + 64];
        struct ts_error err;
        setenv("TSHOST_STATE", below(bed, "a/b", wish), 1);
        mode_t old = umask(masks[i]);
        enum ts_err code = ts_directory_open(bed->path, &err);
        enum ts_err file_code = ts_directory_file(bed->path, "file", file, &err);
        umask(old);
        assert_int_equal(code, TS_OK);
        assert_int_equal(file_code, TS_OK);
        assert_int_equal(mode_of(bed->path), 0700);
        assert_int_equal(mode_of(below(bed, "a", wish)), 0700);
        assert_int_equal(mode_of(file), 0600);
        remove(file);
        rmdir(bed->path);
    }
}

static void what_others_can_change_is_refused(void **state)
{
    struct bed *bed = *state;
    char wish[512], file[TS_STATE_PATH_MAX + 64];
    struct ts_error err;
    setenv("TSHOST_STATE", below(bed, "a", wish), 1);
    assert_int_equal(ts_directory_open(bed->path, &err), TS_OK);
    assert_int_equal(chmod(bed->path, 0770), 0);
    assert_int_equal(ts_directory_open(bed->path, &err), TS_ERR_SYSTEM);
    assert_non_null(strstr(err.message, "chmod 700"));
    assert_int_equal(chmod(bed->path, 0755), 0); // to be read is harmless: the files are not
    assert_int_equal(ts_directory_open(bed->path, &err), TS_OK);
    assert_int_equal(symlink("/etc/passwd", below(bed, "link", wish)), 0);
    assert_int_equal(ts_directory_file(bed->root, "link", file, &err), TS_ERR_SYSTEM);
    assert_int_equal(mkfifo(below(bed, "file", wish), 0600), 0);
    assert_int_equal(ts_directory_file(bed->root, "file", file, &err), TS_ERR_SYSTEM);
    assert_non_null(strstr(err.message, "not a plain file"));
}

static void a_file_that_was_too_open_is_closed(void **state)
{
    struct bed *bed = *state;
    char wish[512], file[TS_STATE_PATH_MAX + 64];
    struct ts_error err;
    FILE *made = fopen(below(bed, "file", wish), "w");
    assert_non_null(made);
    fclose(made);
    assert_int_equal(chmod(wish, 0666), 0);
    assert_int_equal(ts_directory_file(bed->root, "file", file, &err), TS_OK);
    assert_int_equal(mode_of(file), 0600);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_first_that_is_set_is_taken, bed_make, bed_drop),
        cmocka_unit_test_setup_teardown(modes_do_not_depend_on_the_umask, bed_make, bed_drop),
        cmocka_unit_test_setup_teardown(what_others_can_change_is_refused, bed_make, bed_drop),
        cmocka_unit_test_setup_teardown(a_file_that_was_too_open_is_closed, bed_make, bed_drop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
