// SPDX-License-Identifier: MIT
// A secret onto a command's standard input: a pipe, a child without a shell, a deadline.
// The loop waits for both ends of it; nothing here blocks while the command runs.
#include "host/ops/deliver.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/net/loop.h"
#include "host/net/timer.h"
#include "host/net/watch.h"

struct ts_delivery {
    struct ts_loop *loop;
    struct ts_secret *secret; // borrowed from the caller until the command has ended
    char *command;            // argv[0], for messages
    size_t written;           // bytes of the secret that are in the pipe or read
    // We keep the reading end too. The bytes left in it when the command has ended are those it
    // did not read, and a command that closes its input early is no EPIPE.
    int pipe[2];
    int pidfd;
    pid_t pid; // 0 once reaped
    int status;
    bool is_late;   // told to die at the deadline
    bool is_unread; // the command did not read all of it
    bool is_done;
    struct ts_watch exit_watch;
    struct ts_watch pipe_watch;
    struct ts_timer deadline;
    ts_deliver_fn on_done;
    void *owner;
};

static struct ts_delivery *delivery_of(void *member, size_t offset)
{
    return (struct ts_delivery *)((char *)member - offset);
}

static void fd_close(int *fd)
{
    if (*fd >= 0) {
        close(*fd);
    }
    *fd = -1;
}

// Closing our end is what tells the command that the secret is complete.
static void delivery_end_input(struct ts_delivery *delivery)
{
    ts_watch_remove(&delivery->pipe_watch);
    fd_close(&delivery->pipe[1]);
}

static void delivery_feed(struct ts_delivery *delivery)
{
    size_t len;
    const char *bytes = ts_secret_borrow(delivery->secret, &len);
    ssize_t n = 0;
    while (delivery->written < len) {
        n = write(delivery->pipe[1], bytes + delivery->written, len - delivery->written);
        if (n > 0) {
            delivery->written += (size_t)n;
        } else if (n < 0 && errno != EINTR) {
            break;
        }
    }
    bool is_waiting = n < 0 && errno == EAGAIN;
    ts_secret_return(delivery->secret);
    if (!is_waiting) {
        delivery_end_input(delivery);
    }
}

static void on_pipe_ready(struct ts_watch *watch, short revents)
{
    (void)revents;
    delivery_feed(delivery_of(watch, offsetof(struct ts_delivery, pipe_watch)));
}

static void delivery_reap(struct ts_delivery *delivery)
{
    pid_t pid;
    do {
        pid = waitpid(delivery->pid, &delivery->status, 0);
    } while (pid < 0 && errno == EINTR);
    if (pid < 0) {
        delivery->status = -1; // SIGCHLD is ignored, the kernel kept nothing for us
    }
    delivery->pid = 0;
}

static void delivery_stop(struct ts_delivery *delivery)
{
    ts_timer_disarm(&delivery->deadline);
    ts_watch_remove(&delivery->exit_watch);
    delivery_end_input(delivery);
    fd_close(&delivery->pipe[0]);
    fd_close(&delivery->pidfd);
}

static void on_exit_ready(struct ts_watch *watch, short revents)
{
    (void)revents;
    struct ts_delivery *delivery = delivery_of(watch, offsetof(struct ts_delivery, exit_watch));
    delivery_reap(delivery);
    size_t len;
    int unread = 0;
    ts_secret_borrow(delivery->secret, &len);
    ts_secret_return(delivery->secret);
    ioctl(delivery->pipe[0], FIONREAD, &unread);
    delivery->is_unread = delivery->written < len || unread > 0;
    delivery_stop(delivery);
    delivery->secret = NULL;
    delivery->is_done = true;
    delivery->on_done(delivery->owner, delivery); // may cancel: nothing after it
}

static void on_deadline(struct ts_timer *timer)
{
    struct ts_delivery *delivery = delivery_of(timer, offsetof(struct ts_delivery, deadline));
    delivery->is_late = true;
    kill(delivery->pid, SIGKILL); // not reaped yet, so the number is still its own
}

// posix_spawn's objects, each to be destroyed only if it was made.
static int spawn_with(struct ts_delivery *delivery, posix_spawn_file_actions_t *actions,
    posix_spawnattr_t *attr, const char *const *argv)
{
    // A handler is reset by exec, what is ignored stays ignored: a command that is fed wants
    // SIGPIPE, the others (as from nohup) were the caller's wish.
    sigset_t none, defaults;
    sigemptyset(&none);
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    int errnum = posix_spawnattr_setflags(attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    if (errnum == 0) {
        errnum = posix_spawnattr_setsigmask(attr, &none);
    }
    if (errnum == 0) {
        errnum = posix_spawnattr_setsigdefault(attr, &defaults);
    }
    if (errnum == 0) {
        errnum = posix_spawn_file_actions_adddup2(actions, delivery->pipe[0], STDIN_FILENO);
    }
    if (errnum == 0) {
        errnum = posix_spawn_file_actions_adddup2(actions, STDERR_FILENO, STDOUT_FILENO);
    }
    if (errnum == 0) {
        // Lua's io.open and some libraries do not set close-on-exec.
        errnum = posix_spawn_file_actions_addclosefrom_np(actions, STDERR_FILENO + 1);
    }
    if (errnum == 0) {
        // exec's argv is not const for historical reasons only.
        errnum = posix_spawnp(
            &delivery->pid, argv[0], actions, attr, (char *const *)(uintptr_t)argv, environ);
    }
    return errnum;
}

static int delivery_spawn(struct ts_delivery *delivery, const char *const *argv)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attr;
    int errnum = posix_spawn_file_actions_init(&actions);
    if (errnum != 0) {
        return errnum;
    }
    errnum = posix_spawnattr_init(&attr);
    if (errnum == 0) {
        errnum = spawn_with(delivery, &actions, &attr, argv);
        posix_spawnattr_destroy(&attr);
    }
    posix_spawn_file_actions_destroy(&actions);
    if (errnum != 0) {
        delivery->pid = 0;
    }
    return errnum;
}

static enum ts_err delivery_open(
    struct ts_delivery *delivery, const char *const *argv, struct ts_error *err)
{
    if (pipe2(delivery->pipe, O_CLOEXEC) != 0) {
        return ts_error_set_errno(err, errno, "%s: no pipe to it", argv[0]);
    }
    // Only our end: the flag belongs to the open file, and the two ends are two of them.
    if (fcntl(delivery->pipe[1], F_SETFL, O_NONBLOCK) != 0) {
        return ts_error_set_errno(err, errno, "%s: no pipe to it", argv[0]);
    }
    int errnum = delivery_spawn(delivery, argv);
    if (errnum == ENOENT) {
        return ts_error_set(err, TS_ERR_SYSTEM, "%s: command not found", argv[0]);
    }
    if (errnum != 0) {
        return ts_error_set_errno(err, errnum, "%s: cannot be run", argv[0]);
    }
    delivery->pidfd = pidfd_open(delivery->pid, 0);
    if (delivery->pidfd < 0) {
        return ts_error_set_errno(err, errno, "%s: cannot be watched", argv[0]);
    }
    return TS_OK;
}

// One of which nothing has begun; NULL: no memory.
static struct ts_delivery *delivery_make(
    struct ts_loop *loop, const char *command, ts_deliver_fn on_done, void *owner)
{
    struct ts_delivery *delivery = calloc(1, sizeof *delivery);
    char *name = delivery ? strdup(command) : NULL;
    if (!name) {
        free(delivery);
        return NULL;
    }
    *delivery = (struct ts_delivery){.loop = loop,
        .command = name,
        .pipe = {-1, -1},
        .pidfd = -1,
        .on_done = on_done,
        .owner = owner};
    return delivery;
}

enum ts_err ts_deliver_command(struct ts_loop *loop, struct ts_secret *secret,
    const char *const *argv, int64_t deadline_us, ts_deliver_fn on_done, void *owner,
    struct ts_delivery **out, struct ts_error *err)
{
    struct ts_delivery *delivery = delivery_make(loop, argv[0], on_done, owner);
    if (!delivery) {
        return ts_error_set_errno(err, ENOMEM, "%s", argv[0]);
    }
    delivery->secret = secret;
    // The timer first: it can fail, and nothing has happened yet.
    enum ts_err code = ts_timer_arm(loop, &delivery->deadline, deadline_us, on_deadline, err);
    if (!code) {
        code = delivery_open(delivery, argv, err);
    }
    if (code) {
        ts_delivery_cancel(delivery);
        return code;
    }
    ts_watch_add(loop, &delivery->exit_watch, delivery->pidfd, POLLIN, on_exit_ready);
    ts_watch_add(loop, &delivery->pipe_watch, delivery->pipe[1], POLLOUT, on_pipe_ready);
    delivery_feed(delivery);
    *out = delivery;
    return TS_OK;
}

static void on_rehearsed(struct ts_timer *timer)
{
    struct ts_delivery *delivery = delivery_of(timer, offsetof(struct ts_delivery, deadline));
    delivery->is_done = true;
    delivery->on_done(delivery->owner, delivery); // may cancel: nothing after it
}

enum ts_err ts_delivery_rehearse(struct ts_loop *loop, const char *command, ts_deliver_fn on_done,
    void *owner, struct ts_delivery **out, struct ts_error *err)
{
    struct ts_delivery *delivery = delivery_make(loop, command, on_done, owner);
    if (!delivery) {
        return ts_error_set_errno(err, ENOMEM, "%s", command);
    }
    enum ts_err code =
        ts_timer_arm(loop, &delivery->deadline, ts_loop_now(loop), on_rehearsed, err);
    if (code) {
        ts_delivery_cancel(delivery);
        return code;
    }
    *out = delivery;
    return TS_OK;
}

enum ts_err ts_delivery_result(const struct ts_delivery *delivery, struct ts_error *err)
{
    int status = delivery->status;
    if (status == -1) {
        return ts_error_set(
            err, TS_ERR_SYSTEM, "%s: its exit status is not known", delivery->command);
    }
    if (delivery->is_late && WIFSIGNALED(status)) {
        return ts_error_set(
            err, TS_ERR_TIMEOUT, "%s: killed, it had not ended in time", delivery->command);
    }
    if (WIFSIGNALED(status)) {
        return ts_error_set(err, TS_ERR_SYSTEM, "%s: ended by signal %d (%s)", delivery->command,
            WTERMSIG(status), strsignal(WTERMSIG(status)));
    }
    if (WEXITSTATUS(status) != 0) {
        return ts_error_set(err, TS_ERR_SYSTEM, "%s: exited with status %d", delivery->command,
            WEXITSTATUS(status));
    }
    if (delivery->is_unread) {
        return ts_error_set(err, TS_ERR_SYSTEM,
            "%s: exited with status 0 without reading the whole secret", delivery->command);
    }
    return TS_OK;
}

void ts_delivery_cancel(struct ts_delivery *delivery)
{
    if (!delivery) {
        return;
    }
    if (delivery->pid > 0) {
        kill(delivery->pid, SIGKILL);
        delivery_reap(delivery);
    }
    delivery_stop(delivery);
    free(delivery->command);
    free(delivery);
}
