// SPDX-License-Identifier: MIT
// A secret into a file of its own. The content is complete and synced before it gets its name;
// until then it has none (O_TMPFILE), so that not even SIGKILL leaves a copy lying about. One that
// takes the place of another has a name for a moment; the next one there removes what that left.
#include "host/ops/deliver.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/base/digest.h"
#include "host/base/str.h"

#define PROC_PATH_MAX 40
#define TEMP_NAME_MAX 32
#define WIDGET_SECRET_MAX 1024 // the service's have 35 characters

struct drop {
    const char *path; // as the caller wrote it, for messages
    const char *name; // its last part
    char parent[PATH_MAX];
    int dir;
    int fd;
    char temp[TEMP_NAME_MAX]; // the temporary file's name, "" while it has none
    bool is_named;            // a file without a name will not do here
};

// Splits the path and opens the directory, so that everything after happens in that one place.
static enum ts_err drop_open_dir(struct drop *drop, struct ts_error *err)
{
    const char *slash = strrchr(drop->path, '/');
    drop->name = slash ? slash + 1 : drop->path;
    if (!*drop->name || ts_str_is(drop->name, ".") || ts_str_is(drop->name, "..")) {
        return ts_error_set(
            err, TS_ERR_SYSTEM, "%s: names a directory; add the name of a file", drop->path);
    }
    size_t len = slash ? (size_t)(slash - drop->path) : 0;
    if (len >= sizeof drop->parent) {
        return ts_error_set_errno(err, ENAMETOOLONG, "%s: cannot be written", drop->path);
    }
    if (!slash) {
        ts_str_copy(drop->parent, sizeof drop->parent, ".");
    } else if (len == 0) {
        ts_str_copy(drop->parent, sizeof drop->parent, "/");
    } else {
        memcpy(drop->parent, drop->path, len);
        drop->parent[len] = '\0';
    }
    drop->dir = open(drop->parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (drop->dir < 0 && errno == ENOENT) {
        return ts_error_set_errno(
            err, ENOENT, "%s: make the directory %s first", drop->path, drop->parent);
    }
    if (drop->dir < 0) {
        return ts_error_set_errno(
            err, errno, "%s: cannot open the directory %s", drop->path, drop->parent);
    }
    return TS_OK;
}

static const char *kind_of(mode_t mode)
{
    return S_ISDIR(mode)    ? "a directory"
           : S_ISLNK(mode)  ? "a symbolic link, which is never followed"
           : S_ISFIFO(mode) ? "a FIFO; pipe the secret to a command instead"
                            : "no regular file";
}

// What the last step would refuse anyway, said early and plainly.
static enum ts_err drop_check_target(struct drop *drop, bool is_replace, struct ts_error *err)
{
    struct stat st;
    if (fstatat(drop->dir, drop->name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
        return errno == ENOENT
                   ? TS_OK
                   : ts_error_set_errno(err, errno, "%s: cannot be written", drop->path);
    }
    if (!S_ISREG(st.st_mode)) {
        return ts_error_set(err, is_replace ? TS_ERR_SYSTEM : TS_ERR_EXISTS, "%s: is %s",
            drop->path, kind_of(st.st_mode));
    }
    if (!is_replace) {
        return ts_error_set(err, TS_ERR_EXISTS,
            "%s: is there already; nothing was written, replace = true would overwrite it",
            drop->path);
    }
    return TS_OK;
}

static bool drop_name_temp(struct drop *drop)
{
    uint64_t random;
    if (getrandom(&random, sizeof random, 0) != sizeof random) {
        return false;
    }
    snprintf(drop->temp, sizeof drop->temp, ".tshost-%016" PRIx64, random);
    return true;
}

// A file without a name where the filesystem has that, else one under a name nobody can guess.
static enum ts_err drop_open_temp(struct drop *drop, struct ts_error *err)
{
    if (!drop->is_named) {
        drop->fd = openat(drop->dir, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
    }
    bool is_hopeless = errno == EACCES || errno == EROFS || errno == ENOSPC || errno == EDQUOT;
    if (drop->fd < 0 && (drop->is_named || !is_hopeless) && drop_name_temp(drop)) {
        drop->fd = openat(
            drop->dir, drop->temp, O_CREAT | O_EXCL | O_NOFOLLOW | O_WRONLY | O_CLOEXEC, 0600);
    }
    if (drop->fd < 0) {
        drop->temp[0] = '\0';
        return ts_error_set_errno(
            err, errno, "%s: cannot make a file in %s", drop->path, drop->parent);
    }
    return TS_OK;
}

static int write_all(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, bytes, len);
        if (n < 0 && errno != EINTR) {
            return errno;
        }
        if (n > 0) {
            bytes += n;
            len -= (size_t)n;
        }
    }
    return 0;
}

// fsync where the filesystem knows it; some special ones answer EINVAL.
static int sync_fd(int fd)
{
    return fsync(fd) != 0 && errno != EINVAL ? errno : 0;
}

static enum ts_err drop_fill(struct drop *drop, struct ts_secret *secret, struct ts_error *err)
{
    // The umask can only have taken bits away; a filesystem without modes keeps them all.
    struct stat st;
    if (fchmod(drop->fd, 0600) != 0 || fstat(drop->fd, &st) != 0) {
        return ts_error_set_errno(err, errno, "%s: cannot be made private", drop->path);
    }
    if ((st.st_mode & 077) != 0) {
        return ts_error_set(err, TS_ERR_SYSTEM,
            "%s: the filesystem cannot keep a file private; choose a directory on another",
            drop->path);
    }
    size_t len;
    const char *bytes = ts_secret_borrow(secret, &len);
    int errnum = write_all(drop->fd, bytes, len);
    ts_secret_return(secret);
    if (errnum == 0) {
        errnum = sync_fd(drop->fd);
    }
    return errnum == 0 ? TS_OK : ts_error_set_errno(err, errnum, "%s: cannot write", drop->path);
}

// Names the file. One without a name gets it through /proc, which may be missing, and a security
// policy may forbid just that: then all is done again with a name from the start.
static int drop_link(struct drop *drop, const char *name)
{
    if (drop->temp[0]) {
        return linkat(drop->dir, drop->temp, drop->dir, name, 0);
    }
    char proc[PROC_PATH_MAX];
    snprintf(proc, sizeof proc, "/proc/self/fd/%d", drop->fd);
    int rc = linkat(AT_FDCWD, proc, drop->dir, name, AT_SYMLINK_FOLLOW);
    drop->is_named = rc != 0 && errno != EEXIST && errno != ENOSPC && errno != EDQUOT;
    return rc;
}

// Gives the finished file its name, which must be free.
static int drop_publish_new(struct drop *drop)
{
    if (drop_link(drop, drop->name) == 0) {
        return 0; // a named temporary file is removed by drop_fini
    }
    if (!drop->temp[0] || errno == EEXIST) {
        return errno;
    }
    // No hard links here (FAT, some network filesystems): rename, if it can be told not to replace.
    if (renameat2(drop->dir, drop->temp, drop->dir, drop->name, RENAME_NOREPLACE) != 0) {
        return errno;
    }
    drop->temp[0] = '\0';
    return 0;
}

// Gives the file that has no name the one from which it is renamed. It follows from that of the
// target, so that what a killed process left is in the way, and goes; where that is somebody
// else's, a name that nobody can guess does as well.
static bool drop_link_temp(struct drop *drop)
{
    struct drop named = *drop;
    char digest[TS_DIGEST_MAX];
    size_t len = strlen(drop->name);
    ts_digest(&drop->name, &len, 1, digest);
    snprintf(named.temp, sizeof named.temp, ".tshost-%.16s", digest);
    bool is_linked = drop_link(drop, named.temp) == 0;
    if (!is_linked && errno == EEXIST && unlinkat(drop->dir, named.temp, 0) == 0) {
        is_linked = drop_link(drop, named.temp) == 0;
    }
    if (!is_linked && (errno == EEXIST || errno == EPERM || errno == EACCES || errno == EISDIR)) {
        is_linked = drop_name_temp(&named) && drop_link(drop, named.temp) == 0;
    }
    if (is_linked) {
        memcpy(drop->temp, named.temp, sizeof drop->temp);
    }
    return is_linked;
}

// Puts the finished file in the place of what has the name. A rename needs a name to start from.
// Another process that delivers to the same place may take that away: then all is done again with a
// name of its own from the start.
static int drop_publish_over(struct drop *drop)
{
    bool is_unnamed = !drop->temp[0];
    if (is_unnamed && !drop_link_temp(drop)) {
        return errno;
    }
    if (renameat(drop->dir, drop->temp, drop->dir, drop->name) != 0) {
        if (is_unnamed && errno == ENOENT) {
            drop->is_named = true;
            drop->temp[0] = '\0';
        }
        return errno;
    }
    drop->temp[0] = '\0';
    return 0;
}

static enum ts_err drop_publish(struct drop *drop, bool is_replace, struct ts_error *err)
{
    int errnum = is_replace ? drop_publish_over(drop) : drop_publish_new(drop);
    if (errnum == EEXIST) {
        return ts_error_set(
            err, TS_ERR_EXISTS, "%s: somebody made it meanwhile; nothing was written", drop->path);
    }
    if (errnum != 0) {
        return ts_error_set_errno(err, errnum, "%s: cannot be put in place", drop->path);
    }
    return TS_OK;
}

static void drop_fini(struct drop *drop)
{
    if (drop->temp[0]) {
        unlinkat(drop->dir, drop->temp, 0);
    }
    if (drop->fd >= 0) {
        close(drop->fd);
    }
    if (drop->dir >= 0) {
        close(drop->dir);
    }
}

static enum ts_err drop_write(
    struct drop *drop, struct ts_secret *secret, bool is_replace, struct ts_error *err)
{
    enum ts_err code = drop_open_temp(drop, err);
    if (!code) {
        code = drop_fill(drop, secret, err);
    }
    return code ? code : drop_publish(drop, is_replace, err);
}

enum ts_err ts_deliver_file(
    struct ts_secret *secret, const char *path, bool is_replace, struct ts_error *err)
{
    struct drop drop = {.path = path, .dir = -1, .fd = -1};
    enum ts_err code = drop_open_dir(&drop, err);
    if (!code) {
        code = drop_check_target(&drop, is_replace, err);
    }
    if (!code) {
        code = drop_write(&drop, secret, is_replace, err);
        if (code && drop.is_named) {
            close(drop.fd);
            drop.fd = -1;
            code = drop_write(&drop, secret, is_replace, err);
        }
    }
    int errnum = code ? 0 : sync_fd(drop.dir);
    if (errnum != 0) {
        code = ts_error_set_errno(
            err, errnum, "%s: is written, but its directory could not be synced", path);
    }
    drop_fini(&drop);
    return code;
}

// Whether what is left of the file is just these bytes.
static bool is_rest(int fd, const char *bytes, size_t len)
{
    char block[512];
    size_t at = 0;
    bool is_same = true;
    ssize_t n;
    while (is_same && (n = read(fd, block, sizeof block)) != 0) {
        is_same = n > 0 && (size_t)n <= len - at && memcmp(block, bytes + at, (size_t)n) == 0;
        at += is_same ? (size_t)n : 0;
    }
    explicit_bzero(block, sizeof block);
    return is_same && at == len;
}

// -1 when it is no regular file.
static int regular_open(const char *path)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd >= 0 && (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))) {
        close(fd);
        fd = -1;
    }
    return fd;
}

bool ts_deliver_is_there(struct ts_secret *secret, const char *path)
{
    size_t len;
    int fd = regular_open(path);
    if (fd < 0) {
        return false;
    }
    const char *bytes = ts_secret_borrow(secret, &len);
    bool is_there = is_rest(fd, bytes, len);
    ts_secret_return(secret);
    close(fd);
    return is_there;
}

bool ts_deliver_mark(struct ts_secret_pool *pool, const char *path, char mark[TS_SECRET_MARK])
{
    char bytes[WIDGET_SECRET_MAX + 1];
    struct ts_secret *secret = NULL;
    struct ts_error err;
    int fd = regular_open(path);
    ssize_t len = fd < 0 ? -1 : read(fd, bytes, sizeof bytes);
    bool is_marked = len > 0 && (size_t)len < sizeof bytes &&
                     ts_secret_create(pool, bytes, (size_t)len, &secret, &err) == TS_OK;
    explicit_bzero(bytes, sizeof bytes);
    if (is_marked) {
        ts_secret_mark(secret, mark);
        ts_secret_destroy(secret);
    }
    if (fd >= 0) {
        close(fd);
    }
    return is_marked;
}
