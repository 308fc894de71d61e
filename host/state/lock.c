// SPDX-License-Identifier: MIT
// A lock of the open file description (fcntl(2), F_OFD_SETLK): closing another descriptor of the
// file does not end it, the end of the process does. Its descriptor is close-on-exec, so that the
// commands that a run starts do not carry it on. The file stays: removing it would let a second
// process lock a new one of the same name.
#include "host/state/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "host/base/clock.h"
#include "host/base/str.h"
#include "host/base/text.h"
#include "host/state/directory.h"

#define TEXT_MAX 1024
#define LOOKS 10
#define LOOK_STEP_NS 2000000

// What the file holds, a line each. The last is the mark that the text is whole.
enum { VERSION, PID, START, SPACE, SINCE, HOST, RUN, WHAT, END, LINES };

static const char *const labels[LINES] = {[VERSION] = "tshost-lock",
    [PID] = "pid",
    [START] = "start",
    [SPACE] = "space",
    [SINCE] = "since",
    [HOST] = "host",
    [RUN] = "run",
    [WHAT] = "what",
    [END] = "end"};

struct ts_lock {
    int fd;
    bool is_held;
    char path[TS_STATE_PATH_MAX + 64];
};

static void host_find(char host[TS_LOCK_HOST_MAX])
{
    if (gethostname(host, TS_LOCK_HOST_MAX)) {
        host[0] = '\0';
    }
    host[TS_LOCK_HOST_MAX - 1] = '\0';
}

void ts_lock_holder_self(struct ts_lock_holder *holder, const char *what, const char *run)
{
    *holder =
        (struct ts_lock_holder){.since_us = ts_clock_wall(ts_clock_system()), .is_known = true};
    ts_str_copy(holder->what, sizeof holder->what, what);
    ts_text_clean(holder->what, strlen(holder->what));
    ts_str_copy(holder->run, sizeof holder->run, run);
    host_find(holder->host);
    ts_process_self(&holder->process);
}

// A disk without room is no reason to have no lock: it is then one that names nobody.
static void text_write(struct ts_lock *lock, const char *text, size_t len)
{
    bool is_said = ftruncate(lock->fd, 0) == 0 && pwrite(lock->fd, text, len, 0) == (ssize_t)len;
    (void)is_said;
}

enum ts_err ts_lock_open(
    const char *directory, const char *name, struct ts_lock **out, struct ts_error *err)
{
    *out = NULL;
    struct ts_lock *lock = calloc(1, sizeof *lock);
    if (!lock) {
        return ts_error_set(err, TS_ERR_NOMEM, "out of memory");
    }
    enum ts_err code = ts_directory_open_file(directory, name, lock->path, &lock->fd, err);
    if (code) {
        free(lock);
        return code;
    }
    *out = lock;
    return TS_OK;
}

void ts_lock_close(struct ts_lock *lock)
{
    if (!lock) {
        return;
    }
    if (lock->is_held) {
        text_write(lock, "", 0); // the next holder is not to be taken for this one
    }
    close(lock->fd);
    free(lock);
}

enum ts_err ts_lock_take(
    struct ts_lock *lock, const struct ts_lock_holder *self, struct ts_error *err)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (fcntl(lock->fd, F_OFD_SETLK, &whole)) {
        if (errno == EAGAIN || errno == EACCES) {
            return ts_error_set(err, TS_ERR_LOCKED, "%s is locked", lock->path);
        }
        return ts_error_set_errno(err, errno, "cannot lock %s", lock->path);
    }
    lock->is_held = true;
    ts_lock_tell(lock, self);
    return TS_OK;
}

void ts_lock_tell(struct ts_lock *lock, const struct ts_lock_holder *self)
{
    char text[TEXT_MAX];
    int len = snprintf(text, sizeof text,
        "%s 1\n%s %" PRIu32 "\n%s %" PRIu64 "\n%s %" PRIu32 "\n%s %" PRId64
        "\n%s %s\n%s %s\n%s %s\n%s .\n",
        labels[VERSION], labels[PID], self->process.pid, labels[START], self->process.start,
        labels[SPACE], self->process.space, labels[SINCE], self->since_us, labels[HOST], self->host,
        labels[RUN], self->run, labels[WHAT], self->what, labels[END]);
    text_write(lock, text, (size_t)len);
}

// Cuts the text into its lines; false when it is not whole or not of this version.
static bool text_split(char *text, char *values[LINES])
{
    for (int i = 0; i < LINES; i++) {
        size_t len = strlen(labels[i]);
        char *end = strchr(text, '\n');
        if (!end || strncmp(text, labels[i], len) != 0 || text[len] != ' ') {
            return false;
        }
        *end = '\0';
        values[i] = text + len + 1;
        text = end + 1;
    }
    return ts_str_is(values[VERSION], "1");
}

static void value_copy(char *out, size_t size, char *value)
{
    ts_text_clean(value, strlen(value));
    ts_str_copy(out, size, value);
}

static bool text_read(const struct ts_lock *lock, struct ts_lock_holder *out)
{
    char text[TEXT_MAX], *values[LINES];
    int64_t pid, start, space;
    *out = (struct ts_lock_holder){.is_known = false};
    ssize_t len = pread(lock->fd, text, sizeof text - 1, 0);
    text[len > 0 ? len : 0] = '\0';
    if (!text_split(text, values) || !ts_str_to_int(values[PID], &pid) ||
        !ts_str_to_int(values[START], &start) || !ts_str_to_int(values[SPACE], &space) ||
        !ts_str_to_int(values[SINCE], &out->since_us)) {
        return false;
    }
    out->process = (struct ts_process_id){
        .pid = (uint32_t)pid, .start = (uint64_t)start, .space = (uint32_t)space};
    value_copy(out->host, sizeof out->host, values[HOST]);
    value_copy(out->run, sizeof out->run, values[RUN]);
    value_copy(out->what, sizeof out->what, values[WHAT]);
    char host[TS_LOCK_HOST_MAX];
    host_find(host);
    out->is_far = !ts_str_is(host, out->host);
    out->is_gone = !out->is_far && ts_process_is_gone(&out->process);
    out->is_known = true;
    return true;
}

void ts_lock_look(struct ts_lock *lock, struct ts_lock_holder *out)
{
    // What is there may also be of a holder that was killed, until the next one has written.
    for (int look = 0; look < LOOKS; look++) {
        if (look > 0) {
            nanosleep(&(struct timespec){.tv_nsec = LOOK_STEP_NS}, NULL);
        }
        if (text_read(lock, out) && !out->is_gone) {
            return;
        }
    }
}
