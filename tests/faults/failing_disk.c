// SPDX-License-Identifier: MIT
// Loaded before the C library: from the FAIL_FROM-th on, calls of a kind ("sync" or "write") that
// go to files whose path begins with FAIL_BELOW fail with FAIL_ERRNO. Syncs of them wait for
// somebody who writes to the FIFO HOLD, if there is one. Everything else is passed on.
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static long made; // calls of that kind so far

static bool is_below(int fd, const char *prefix)
{
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t len = readlink(link, path, sizeof path - 1);
    path[len > 0 ? len : 0] = '\0';
    return strncmp(path, prefix, strlen(prefix)) == 0;
}

static bool is_to_fail(const char *kind, int fd)
{
    const char *wanted = getenv("FAIL_CALL"), *from = getenv("FAIL_FROM");
    const char *number = getenv("FAIL_ERRNO"), *prefix = getenv("FAIL_BELOW");
    if (!wanted || !from || !number || !prefix || strcmp(kind, wanted) != 0 ||
        !is_below(fd, prefix) || ++made < strtol(from, NULL, 10)) {
        return false;
    }
    errno = (int)strtol(number, NULL, 10);
    return true;
}

static void hold(int fd)
{
    const char *fifo = getenv("HOLD"), *prefix = getenv("FAIL_BELOW");
    int held = fifo && prefix && is_below(fd, prefix) ? open(fifo, O_RDONLY | O_CLOEXEC) : -1;
    if (held >= 0) {
        close(held);
    }
}

int fsync(int fd)
{
    return is_to_fail("sync", fd) ? -1 : (int)syscall(SYS_fsync, fd);
}

int fdatasync(int fildes)
{
    hold(fildes);
    return is_to_fail("sync", fildes) ? -1 : (int)syscall(SYS_fdatasync, fildes);
}

ssize_t pwrite64(int fd, const void *buf, size_t n, off64_t offset)
{
    return is_to_fail("write", fd) ? -1 : syscall(SYS_pwrite64, fd, buf, n, offset);
}

ssize_t pwrite(int fd, const void *buf, size_t n, off_t offset)
{
    return pwrite64(fd, buf, n, offset);
}
