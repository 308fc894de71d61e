// SPDX-License-Identifier: MIT
// Links may lead to the directory (a home on another disk) but not out of it: the path is resolved
// once, and the files in it are opened without following links.
#include "host/state/directory.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum ts_err path_choose(char path[TS_STATE_PATH_MAX], struct ts_error *err)
{
    const char *own = getenv("TSHOST_STATE");
    const char *base = getenv("XDG_STATE_HOME");
    const char *home = getenv("HOME");
    int len;
    if (own && *own) {
        len = snprintf(path, TS_STATE_PATH_MAX, "%s", own);
    } else if (base && base[0] == '/') { // relative ones are to be ignored, says the specification
        len = snprintf(path, TS_STATE_PATH_MAX, "%s/tshost", base);
    } else if (home && home[0] == '/') {
        len = snprintf(path, TS_STATE_PATH_MAX, "%s/.local/state/tshost", home);
    } else {
        return ts_error_set(err, TS_ERR_SYSTEM,
            "no place for state: none of TSHOST_STATE, XDG_STATE_HOME and HOME is set");
    }
    if (len < 0 || len >= TS_STATE_PATH_MAX) {
        return ts_error_set(err, TS_ERR_SYSTEM, "the path of the state directory is too long");
    }
    return TS_OK;
}

// mkdir -p, each new directory with mode 0700.
static enum ts_err path_make(char *path, struct ts_error *err)
{
    if (access(path, F_OK) == 0) {
        return TS_OK;
    }
    size_t len = strlen(path);
    for (size_t i = 1; i <= len; i++) {
        char saved = path[i];
        if (saved != '/' && saved != '\0') {
            continue;
        }
        path[i] = '\0';
        bool is_made = mkdir(path, 0700) == 0;
        bool is_fine = is_made ? chmod(path, 0700) == 0 // whatever the umask is
                               : errno == EEXIST || saved;
        if (!is_fine) {
            return ts_error_set_errno(err, errno, "cannot make the state directory %s", path);
        }
        path[i] = saved;
    }
    return TS_OK;
}

enum ts_err ts_directory_open(char path[TS_STATE_PATH_MAX], struct ts_error *err)
{
    char wish[TS_STATE_PATH_MAX] = "", real[PATH_MAX];
    enum ts_err code = path_choose(wish, err);
    if (!code) {
        code = path_make(wish, err);
    }
    if (code) {
        return code;
    }
    struct stat status;
    if (!realpath(wish, real) || stat(real, &status)) {
        return ts_error_set_errno(err, errno, "cannot use the state directory %s", wish);
    }
    if (!S_ISDIR(status.st_mode)) {
        return ts_error_set(err, TS_ERR_SYSTEM, "%s is not a directory", wish);
    }
    if (status.st_uid != geteuid()) {
        return ts_error_set(
            err, TS_ERR_SYSTEM, "the state directory %s belongs to another user", wish);
    }
    if (status.st_mode & (S_IWGRP | S_IWOTH)) {
        return ts_error_set(err, TS_ERR_SYSTEM,
            "others may write to the state directory %s; run: chmod 700 %s", wish, wish);
    }
    if (strlen(real) >= TS_STATE_PATH_MAX) {
        return ts_error_set(err, TS_ERR_SYSTEM, "the path of the state directory is too long");
    }
    memcpy(path, real, strlen(real) + 1);
    return TS_OK;
}

enum ts_err ts_directory_find(
    struct ts_directory *directory, const char **path, struct ts_error *err)
{
    if (!directory->is_tried) {
        directory->is_tried = true;
        directory->err.code = TS_OK;
        directory->err.code = ts_directory_open(directory->path, &directory->err);
    }
    *path = directory->path;
    if (directory->err.code) {
        *err = directory->err;
    }
    return directory->err.code;
}

enum ts_err ts_directory_open_file(const char *directory, const char *name,
    char out[TS_STATE_PATH_MAX + 64], int *fd_out, struct ts_error *err)
{
    *fd_out = -1;
    snprintf(out, TS_STATE_PATH_MAX + 64, "%s/%s", directory, name);
    int fd = open(out, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0600);
    struct stat status;
    if (fd < 0 || fstat(fd, &status)) {
        enum ts_err code = ts_error_set_errno(err, errno, "cannot open %s", out);
        if (fd >= 0) {
            close(fd);
        }
        return code;
    }
    enum ts_err code = TS_OK;
    if (!S_ISREG(status.st_mode) || status.st_uid != geteuid() || status.st_nlink != 1) {
        code = ts_error_set(err, TS_ERR_SYSTEM, "%s is not a plain file of yours; remove it", out);
    } else if ((status.st_mode & 0777) != 0600 && fchmod(fd, 0600)) {
        code = ts_error_set_errno(err, errno, "cannot change the mode of %s", out);
    }
    if (code) {
        close(fd);
        return code;
    }
    *fd_out = fd;
    return TS_OK;
}

enum ts_err ts_directory_file(
    const char *directory, const char *name, char out[TS_STATE_PATH_MAX + 64], struct ts_error *err)
{
    int fd;
    enum ts_err code = ts_directory_open_file(directory, name, out, &fd, err);
    if (!code) {
        close(fd);
    }
    return code;
}
