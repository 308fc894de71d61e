// SPDX-License-Identifier: MIT
// Secrets into files: private, complete or not there at all, never over something else.
// System calls that a test machine does not fail by itself are failed by wrapping them.
#include "host/ops/deliver.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define SECRET "sandbox-secret-not-a-secret"
#define OLD "what-was-there-before"

struct fixture {
    struct ts_secret_pool *pool;
    struct ts_secret *secret;
    char dir[64];
    char path[96];
};

// What the wrapped calls answer: 0 lets them through.
static struct {
    int tmpfile;
    int link;
    int fsync;
    bool dies; // right after a link
} faults;

int __real_openat(int dir, const char *path, int flags, ...);
int __wrap_openat(int dir, const char *path, int flags, ...);
int __real_linkat(int from, const char *old, int to, const char *name, int flags);
int __wrap_linkat(int from, const char *old, int to, const char *name, int flags);
int __real_fsync(int fd);
int __wrap_fsync(int fd);

int __wrap_openat(int dir, const char *path, int flags, ...)
{
    if ((flags & O_TMPFILE) == O_TMPFILE && faults.tmpfile) {
        errno = faults.tmpfile;
        return -1;
    }
    return __real_openat(dir, path, flags, 0600);
}

int __wrap_linkat(int from, const char *old, int to, const char *name, int flags)
{
    if (faults.link) {
        errno = faults.link;
        return -1;
    }
    int rc = __real_linkat(from, old, to, name, flags);
    if (faults.dies && rc == 0) {
        _exit(0);
    }
    return rc;
}

int __wrap_fsync(int fd)
{
    if (faults.fsync) {
        errno = faults.fsync;
        return -1;
    }
    return __real_fsync(fd);
}

static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    memset(&faults, 0, sizeof faults);
    if (!fixture || ts_secret_pool_create(&fixture->pool, NULL)) {
        return -1;
    }
    snprintf(fixture->dir, sizeof fixture->dir, "/tmp/deliver-file-XXXXXX");
    if (!mkdtemp(fixture->dir)) {
        return -1;
    }
    snprintf(fixture->path, sizeof fixture->path, "%s/acme", fixture->dir);
    *state = fixture;
    return (int)ts_secret_create(fixture->pool, SECRET, strlen(SECRET), &fixture->secret, NULL);
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    DIR *dir = opendir(fixture->dir);
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        if (entry->d_name[0] != '.') {
            unlinkat(dirfd(dir), entry->d_name, 0);
        }
    }
    closedir(dir);
    int rc = rmdir(fixture->dir); // fails when a temporary file was left
    ts_secret_destroy(fixture->secret);
    ts_secret_pool_destroy(fixture->pool);
    free(fixture);
    return rc;
}

static size_t count_files(const char *path)
{
    size_t count = 0;
    DIR *dir = opendir(path);
    assert_non_null(dir);
    for (struct dirent *entry; (entry = readdir(dir));) {
        count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    }
    closedir(dir);
    return count;
}

static void put_old(const char *path)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(OLD, file);
    fclose(file);
}

static void check_file(const char *path, const char *content)
{
    char text[128] = "";
    struct stat st;
    assert_int_equal(lstat(path, &st), 0);
    assert_true(S_ISREG(st.st_mode));
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    size_t len = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    assert_int_equal(len, strlen(content));
    assert_string_equal(text, content);
}

static void check_mode(const char *path)
{
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(st.st_nlink, 1);
}

// A refusal names the path and the cause, and shows nothing of the secret.
static void check_refused(
    struct fixture *fixture, bool is_replace, enum ts_err code, const char *part)
{
    struct ts_error err = {0};
    size_t before = count_files(fixture->dir);
    assert_int_equal(ts_deliver_file(fixture->secret, fixture->path, is_replace, &err), code);
    assert_int_equal(err.code, code);
    assert_non_null(strstr(err.message, fixture->path));
    if (!strstr(err.message, part)) {
        fail_msg("\"%s\" does not say \"%s\"", err.message, part);
    }
    assert_null(strstr(err.message, SECRET));
    assert_int_equal(count_files(fixture->dir), before);
}

static void test_new_file(void **state)
{
    struct fixture *fixture = *state;
    static const mode_t masks[] = {0, 022, 0777};
    for (size_t i = 0; i < sizeof masks / sizeof masks[0]; i++) {
        mode_t old = umask(masks[i]);
        assert_int_equal(ts_deliver_file(fixture->secret, fixture->path, false, NULL), TS_OK);
        umask(old);
        check_file(fixture->path, SECRET);
        check_mode(fixture->path);
        assert_int_equal(count_files(fixture->dir), 1);
        unlink(fixture->path);
    }
}

// The content has a name beside the target for a moment. A process killed then leaves it, and the
// next delivery takes it away.
static void test_killed_while_replacing(void **state)
{
    struct fixture *fixture = *state;
    int status;
    put_old(fixture->path);
    for (int i = 0; i < 2; i++) {
        pid_t child = fork();
        if (child == 0) {
            faults.dies = true;
            ts_deliver_file(fixture->secret, fixture->path, true, NULL);
            _exit(1);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(status, 0);
        check_file(fixture->path, OLD);
        assert_int_equal(count_files(fixture->dir), 2); // not one more each time
    }
    assert_int_equal(ts_deliver_file(fixture->secret, fixture->path, true, NULL), TS_OK);
    check_file(fixture->path, SECRET);
    check_mode(fixture->path);
    assert_int_equal(count_files(fixture->dir), 1);
}

static void test_relative_path(void **state)
{
    struct fixture *fixture = *state;
    int home = open(".", O_RDONLY | O_DIRECTORY);
    assert_int_equal(chdir(fixture->dir), 0);
    enum ts_err code = ts_deliver_file(fixture->secret, "acme", false, NULL);
    assert_int_equal(fchdir(home), 0);
    close(home);
    assert_int_equal(code, TS_OK);
    check_file(fixture->path, SECRET);
}

static void test_never_over_a_file(void **state)
{
    struct fixture *fixture = *state;
    put_old(fixture->path);
    check_refused(fixture, false, TS_ERR_EXISTS, "replace = true");
    check_file(fixture->path, OLD);
}

static void test_made_meanwhile(void **state)
{
    struct fixture *fixture = *state;
    faults.link = EEXIST;
    check_refused(fixture, false, TS_ERR_EXISTS, "meanwhile");
}

static void test_replace(void **state)
{
    struct fixture *fixture = *state;
    put_old(fixture->path);
    assert_int_equal(ts_deliver_file(fixture->secret, fixture->path, true, NULL), TS_OK);
    check_file(fixture->path, SECRET);
    check_mode(fixture->path);
    assert_int_equal(count_files(fixture->dir), 1);
}

static void test_no_link_followed(void **state)
{
    struct fixture *fixture = *state;
    char target[128];
    snprintf(target, sizeof target, "%s/target", fixture->dir);
    assert_int_equal(symlink(target, fixture->path), 0);
    check_refused(fixture, false, TS_ERR_EXISTS, "symbolic link");
    check_refused(fixture, true, TS_ERR_SYSTEM, "symbolic link");
    put_old(target);
    check_refused(fixture, true, TS_ERR_SYSTEM, "symbolic link");
    check_file(target, OLD);
}

static void test_no_regular_file(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(mkfifo(fixture->path, 0600), 0);
    check_refused(fixture, true, TS_ERR_SYSTEM, "FIFO");
    unlink(fixture->path);
    assert_int_equal(mkdir(fixture->path, 0700), 0);
    check_refused(fixture, false, TS_ERR_EXISTS, "a directory");
    check_refused(fixture, true, TS_ERR_SYSTEM, "a directory");
    rmdir(fixture->path);
}

static void test_bad_paths(void **state)
{
    struct fixture *fixture = *state;
    static const struct {
        const char *tail;
        const char *part;
    } rows[] = {
        {"/", "names a directory"},
        {"/.", "names a directory"},
        {"/..", "names a directory"},
        {"/none/acme", "make the directory"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        snprintf(fixture->path, sizeof fixture->path, "%s%s", fixture->dir, rows[i].tail);
        check_refused(fixture, false, TS_ERR_SYSTEM, rows[i].part);
    }
    snprintf(fixture->path, sizeof fixture->path, "/proc/acme");
    check_refused(fixture, false, TS_ERR_SYSTEM, "cannot make a file in /proc");
}

static void test_long_name(void **state)
{
    struct fixture *fixture = *state;
    char path[512];
    int len = snprintf(path, sizeof path, "%s/", fixture->dir);
    memset(path + len, 'a', 300);
    path[len + 300] = '\0';
    struct ts_error err;
    assert_int_equal(ts_deliver_file(fixture->secret, path, false, &err), TS_ERR_SYSTEM);
    assert_int_equal(count_files(fixture->dir), 0);
}

// Filesystems without O_TMPFILE, without hard links, without either.
static void test_lesser_filesystems(void **state)
{
    struct fixture *fixture = *state;
    for (int lacking = 1; lacking <= 3; lacking++) {
        for (int is_replace = 0; is_replace <= 1; is_replace++) {
            faults.tmpfile = lacking & 1 ? EOPNOTSUPP : 0;
            faults.link = lacking & 2 ? EPERM : 0;
            if (is_replace) {
                put_old(fixture->path);
            }
            assert_int_equal(
                ts_deliver_file(fixture->secret, fixture->path, is_replace, NULL), TS_OK);
            check_file(fixture->path, SECRET);
            check_mode(fixture->path);
            assert_int_equal(count_files(fixture->dir), 1);
            check_refused(fixture, false, TS_ERR_EXISTS, "already");
            unlink(fixture->path);
        }
    }
}

static void test_sync_fails(void **state)
{
    struct fixture *fixture = *state;
    faults.fsync = EIO;
    check_refused(fixture, false, TS_ERR_SYSTEM, strerror(EIO));
    faults.tmpfile = EOPNOTSUPP;
    check_refused(fixture, false, TS_ERR_SYSTEM, strerror(EIO));
    put_old(fixture->path);
    check_refused(fixture, true, TS_ERR_SYSTEM, strerror(EIO));
    check_file(fixture->path, OLD);
}

// As when the disk is full: only some of the bytes can be written.
static void test_disk_full(void **state)
{
    struct fixture *fixture = *state;
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    struct rlimit small = {.rlim_cur = 10, .rlim_max = limit.rlim_max};
    signal(SIGXFSZ, SIG_IGN);
    for (int is_named = 0; is_named <= 1; is_named++) {
        faults.tmpfile = is_named ? EOPNOTSUPP : 0;
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
        check_refused(fixture, false, TS_ERR_SYSTEM, strerror(EFBIG));
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    }
    signal(SIGXFSZ, SIG_DFL);
    assert_int_equal(count_files(fixture->dir), 0);
}

static void put(const char *path, const char *text)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void test_what_is_there(void **state)
{
    struct fixture *fixture = *state;
    char mark[TS_SECRET_MARK], found[TS_SECRET_MARK], other[128];
    char longer[2048];
    ts_secret_mark(fixture->secret, mark);
    assert_false(ts_deliver_is_there(fixture->secret, fixture->path));
    assert_false(ts_deliver_mark(fixture->pool, fixture->path, found));
    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    const char *const others[] = {
        "", "sandbox-secret-not-a-secret\n", "sandbox-secret-not-a-secreT", "s", longer};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        put(fixture->path, others[i]);
        assert_false(ts_deliver_is_there(fixture->secret, fixture->path));
        assert_true(
            !ts_deliver_mark(fixture->pool, fixture->path, found) || strcmp(found, mark) != 0);
    }
    assert_false(ts_deliver_mark(fixture->pool, fixture->path, found)); // too long for one
    put(fixture->path, SECRET);
    assert_true(ts_deliver_is_there(fixture->secret, fixture->path));
    assert_true(ts_deliver_mark(fixture->pool, fixture->path, found));
    assert_string_equal(found, mark);
    snprintf(other, sizeof other, "%s/link", fixture->dir);
    assert_int_equal(symlink(fixture->path, other), 0);
    assert_false(ts_deliver_is_there(fixture->secret, other));
    assert_false(ts_deliver_mark(fixture->pool, other, found));
    assert_false(ts_deliver_is_there(fixture->secret, fixture->dir));
    assert_int_equal(unlink(other), 0);
    assert_int_equal(mkfifo(other, 0600), 0);
    assert_false(ts_deliver_is_there(fixture->secret, other));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_new_file, setup, teardown),
        cmocka_unit_test_setup_teardown(test_killed_while_replacing, setup, teardown),
        cmocka_unit_test_setup_teardown(test_relative_path, setup, teardown),
        cmocka_unit_test_setup_teardown(test_never_over_a_file, setup, teardown),
        cmocka_unit_test_setup_teardown(test_made_meanwhile, setup, teardown),
        cmocka_unit_test_setup_teardown(test_replace, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_link_followed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_regular_file, setup, teardown),
        cmocka_unit_test_setup_teardown(test_bad_paths, setup, teardown),
        cmocka_unit_test_setup_teardown(test_long_name, setup, teardown),
        cmocka_unit_test_setup_teardown(test_lesser_filesystems, setup, teardown),
        cmocka_unit_test_setup_teardown(test_sync_fails, setup, teardown),
        cmocka_unit_test_setup_teardown(test_disk_full, setup, teardown),
        cmocka_unit_test_setup_teardown(test_what_is_there, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
