// SPDX-License-Identifier: MIT
// A file under another name, synced, then linked: so a key that is there is whole, and of two that
// are made at once one is taken by all.
#include "host/state/key.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/state/directory.h"

#define NAME "fingerprint.key"
#define KEY_PATH_MAX (TS_STATE_PATH_MAX + 64)

// TS_OK with *is_there false when there is none.
static enum ts_err key_read(
    const char *path, unsigned char key[TS_STATE_KEY_SIZE], bool *is_there, struct ts_error *err)
{
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    *is_there = fd >= 0;
    if (fd < 0) {
        return errno == ENOENT ? TS_OK : ts_error_set_errno(err, errno, "cannot open %s", path);
    }
    struct stat status;
    ssize_t len = fstat(fd, &status) == 0 ? read(fd, key, TS_STATE_KEY_SIZE) : -1;
    int cause = errno;
    close(fd);
    if (len < 0) {
        return ts_error_set_errno(err, cause, "cannot read %s", path);
    }
    if (!S_ISREG(status.st_mode) || status.st_uid != geteuid() || len != TS_STATE_KEY_SIZE ||
        status.st_size != TS_STATE_KEY_SIZE) {
        return ts_error_set(err, TS_ERR_SYSTEM,
            "%s is not the key that tshost has made; move it away, and secrets of earlier runs "
            "cannot be recognised",
            path);
    }
    return TS_OK;
}

static enum ts_err directory_sync(const char *directory, struct ts_error *err)
{
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool is_synced = fd >= 0 && fsync(fd) == 0;
    int cause = errno;
    if (fd >= 0) {
        close(fd);
    }
    return is_synced ? TS_OK : ts_error_set_errno(err, cause, "cannot sync %s", directory);
}

// Writes a new key to the path and makes it durable.
static enum ts_err key_write(const char *path, struct ts_error *err)
{
    unsigned char key[TS_STATE_KEY_SIZE];
    if (getrandom(key, sizeof key, 0) != (ssize_t)sizeof key) {
        return ts_error_set_errno(err, errno, "cannot get random bytes");
    }
    unlink(path); // left by a process of the same id that was killed
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    bool is_written = fd >= 0 && fchmod(fd, 0600) == 0 &&
                      write(fd, key, sizeof key) == (ssize_t)sizeof key && fsync(fd) == 0;
    int cause = errno;
    if (fd >= 0) {
        close(fd);
    }
    explicit_bzero(key, sizeof key);
    return is_written ? TS_OK : ts_error_set_errno(err, cause, "cannot write %s", path);
}

enum ts_err ts_state_key(
    const char *directory, unsigned char key[TS_STATE_KEY_SIZE], struct ts_error *err)
{
    char path[KEY_PATH_MAX], draft[KEY_PATH_MAX];
    bool is_there;
    snprintf(path, sizeof path, "%s/" NAME, directory);
    snprintf(draft, sizeof draft, "%s/" NAME ".%ld", directory, (long)getpid());
    enum ts_err code = key_read(path, key, &is_there, err);
    if (code || is_there) {
        return code;
    }
    code = key_write(draft, err);
    if (!code && link(draft, path) != 0 && errno != EEXIST) {
        code = ts_error_set_errno(err, errno, "cannot make %s", path);
    }
    unlink(draft);
    code = code ? code : directory_sync(directory, err);
    code = code ? code : key_read(path, key, &is_there, err);
    if (!code && !is_there) {
        code = ts_error_set(err, TS_ERR_SYSTEM, "%s was removed as it was made", path);
    }
    return code;
}
