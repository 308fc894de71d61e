// SPDX-License-Identifier: MIT
// Written beside its place and moved there. What is not there yet is linked, not renamed, so that
// a file which appears meanwhile is not overwritten.
#include "host/runtime/plan_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MARK_LEN (sizeof TS_PLAN_FILE_MARK - 1)

struct place {
    bool is_there; // another plan
    char directory[PATH_MAX];
};

static enum ts_err place_find_directory(struct place *place, const char *path, struct ts_error *err)
{
    const char *slash = strrchr(path, '/');
    size_t len = slash ? (size_t)(slash - path) + (slash == path) : 0;
    if (!path[0] || (slash && !slash[1]) || len >= sizeof place->directory) {
        return ts_error_set(err, TS_ERR_USAGE, "-o \"%s\": the name of a file expected", path);
    }
    memcpy(place->directory, slash ? path : ".", slash ? len : 1); // the rest is zero
    struct stat st;
    if (stat(place->directory, &st) != 0) {
        return ts_error_set_errno(err, errno, "-o %s: no plan can be saved there", path);
    }
    return TS_OK;
}

static enum ts_err place_find(struct place *place, const char *path, struct ts_error *err)
{
    char mark[MARK_LEN] = "";
    struct stat st;
    *place = (struct place){.is_there = false};
    enum ts_err code = place_find_directory(place, path, err);
    if (code) {
        return code;
    }
    if (lstat(path, &st) != 0) {
        return errno == ENOENT ? TS_OK : ts_error_set_errno(err, errno, "-o %s", path);
    }
    int fd = S_ISREG(st.st_mode) ? open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) : -1;
    ssize_t got = fd >= 0 ? read(fd, mark, MARK_LEN) : 0;
    if (fd >= 0) {
        close(fd);
    }
    place->is_there = got == (ssize_t)MARK_LEN && memcmp(mark, TS_PLAN_FILE_MARK, MARK_LEN) == 0;
    return place->is_there ? TS_OK
                           : ts_error_set(err, TS_ERR_USAGE,
                                 "-o %s: is there and is no plan; give another name", path);
}

enum ts_err ts_plan_file_check(const char *path, struct ts_error *err)
{
    struct place place;
    enum ts_err code = place_find(&place, path, err);
    if (!code && access(place.directory, W_OK | X_OK) != 0) {
        code = ts_error_set_errno(err, errno, "-o %s: no plan can be saved there", path);
    }
    return code;
}

static bool fd_write(int fd, const char *text, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, text, len);
        if (n < 0 && errno != EINTR) {
            return false;
        }
        text += n > 0 ? n : 0;
        len -= n > 0 ? (size_t)n : 0;
    }
    return fsync(fd) == 0;
}

static void directory_sync(const char *directory)
{
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        fsync(fd); // a plan that a power cut takes back is made again
        close(fd);
    }
}

enum ts_err ts_plan_file_write(const char *path, const char *text, size_t len, struct ts_error *err)
{
    struct place place;
    char temp[PATH_MAX];
    enum ts_err code = place_find(&place, path, err);
    if (code) {
        return code;
    }
    int fits = snprintf(temp, sizeof temp, "%s/.tshost-plan-XXXXXX", place.directory);
    int fd = fits > 0 && (size_t)fits < sizeof temp ? mkostemp(temp, O_CLOEXEC) : -1;
    if (fd < 0) {
        return ts_error_set_errno(err, errno, "-o %s: the plan cannot be saved", path);
    }
    bool is_done = fd_write(fd, text, len);
    int errnum = errno;
    if (close(fd) == 0 && is_done) {
        is_done = (place.is_there ? rename(temp, path) : link(temp, path)) == 0;
        errnum = errno;
    }
    if (!is_done || !place.is_there) {
        unlink(temp);
    }
    if (!is_done) {
        return ts_error_set_errno(err, errnum, "-o %s: the plan cannot be saved", path);
    }
    directory_sync(place.directory);
    return TS_OK;
}
