// SPDX-License-Identifier: MIT
// Reads /proc. Where it is hidden, only the process id is left to go by.
#include "host/base/process.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// Of /proc/PID/stat, see proc(5).
#define STATE_FIELD 3
#define START_FIELD 22

// Reads the beginning of a small file as text; false when it cannot be read.
static bool text_read(const char *path, char *text, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return false;
    }
    ssize_t got = read(fd, text, size - 1);
    close(fd);
    text[got > 0 ? got : 0] = '\0';
    return got > 0;
}

// The third field of /proc/PID/stat, the state, and what follows; NULL when it is not told.
static const char *stat_read(uint32_t pid, char *text, size_t size)
{
    char path[32];
    snprintf(path, sizeof path, "/proc/%u/stat", (unsigned)pid);
    if (!text_read(path, text, size)) {
        return NULL;
    }
    // The second field is the command in parentheses and may hold anything.
    const char *p = strrchr(text, ')');
    return p && p[1] == ' ' ? p + 2 : NULL;
}

// 0 when it is not told.
static uint64_t start_of(uint32_t pid)
{
    char text[1024];
    const char *p = stat_read(pid, text, sizeof text);
    for (int field = STATE_FIELD; p && field < START_FIELD; field++) {
        p = strchr(p, ' ');
        p = p ? p + 1 : NULL;
    }
    return p ? strtoull(p, NULL, 10) : 0;
}

// Whether it has ended and nobody has asked for its status yet.
static bool is_zombie(uint32_t pid)
{
    char text[1024];
    const char *state = stat_read(pid, text, sizeof text);
    return state && (*state == 'Z' || *state == 'X');
}

static uint32_t space_of_self(void)
{
    struct stat status;
    return stat("/proc/self/ns/pid", &status) ? 0 : (uint32_t)status.st_ino;
}

void ts_process_self(struct ts_process_id *out)
{
    out->pid = (uint32_t)getpid();
    out->start = start_of(out->pid);
    out->space = space_of_self();
}

bool ts_process_is_gone(const struct ts_process_id *process)
{
    if (process->space != space_of_self()) {
        return false;
    }
    if (kill((pid_t)process->pid, 0) && errno == ESRCH) {
        return true;
    }
    uint64_t start = start_of(process->pid);
    return start && process->start && start != process->start;
}

// Ticks count from the boot, so which boot it is goes into it: 63 bits of the two.
int64_t ts_process_start(int64_t pid)
{
    uint64_t start = pid > 0 && pid <= INT32_MAX ? start_of((uint32_t)pid) : 0;
    uint8_t boot[TS_BOOT_ID_LEN];
    uint64_t salt;
    if (start == 0) {
        return 0;
    }
    ts_process_boot(boot);
    memcpy(&salt, boot, sizeof salt);
    int64_t mixed = (int64_t)((salt ^ start) & INT64_MAX);
    return mixed ? mixed : 1;
}

bool ts_process_is_running(int64_t pid, int64_t start)
{
    if (pid <= 0 || pid > INT32_MAX || (kill((pid_t)pid, 0) && errno == ESRCH) ||
        is_zombie((uint32_t)pid)) {
        return false;
    }
    int64_t now = ts_process_start(pid);
    return !now || !start || now == start;
}

void ts_process_boot(uint8_t out[TS_BOOT_ID_LEN])
{
    char text[64];
    memset(out, 0, TS_BOOT_ID_LEN);
    if (!text_read("/proc/sys/kernel/random/boot_id", text, sizeof text)) {
        return;
    }
    size_t digits = 0;
    for (const char *p = text; *p && digits < 2 * TS_BOOT_ID_LEN; p++) {
        int value = *p >= '0' && *p <= '9' ? *p - '0' : *p >= 'a' && *p <= 'f' ? *p - 'a' + 10 : -1;
        if (value >= 0) {
            out[digits / 2] = (uint8_t)(out[digits / 2] << 4 | value);
            digits++;
        }
    }
}

int ts_process_processors(void)
{
    cpu_set_t set;
    bool is_told = sched_getaffinity(0, sizeof set, &set) == 0;
    return is_told && CPU_COUNT(&set) > 0 ? CPU_COUNT(&set) : 1;
}
