// SPDX-License-Identifier: MIT
// Runs a program and counts the system calls by which it changes files, talks to others or starts
// something, over all its threads; kills it as it is about to make one of them.
//
//   killer REPORT PREFIX POINT PROGRAM [ARGUMENT]...
//
// Counted is from the first call on that names a path which begins with PREFIX. POINT says which
// call is not carried out any more: any:12, by its number, linkat:2, by that among those of its
// name, thread1:5, among those of the thread (thread0 is the first); any:0 for none. The REPORT has
// a line for each call, also for that one: number, thread, name, path. Ends as the program ended,
// with 125 when that cannot be seen. Processes that the program starts are not followed. When the
// killer itself is killed, so is the program. Needs Linux 5.3.
//
// Not counted is what depends on timing alone: waiting, the clock, memory, and how threads wake
// each other.
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define FAILED 125
#define CALL_STOP (SIGTRAP | 0x80) // because of PTRACE_O_TRACESYSGOOD

#define FD (-1)   // a call about the descriptor that is its first argument
#define NONE (-2) // a call about nothing that has a path

struct call {
    uint64_t number;
    const char *name;
    int path; // the argument that is the path which it is about, or one of these
};

static const struct call calls[] = {
    {SYS_openat, "openat", 1},
    {SYS_mkdirat, "mkdirat", 1},
    {SYS_linkat, "linkat", 3},
    {SYS_unlinkat, "unlinkat", 1},
    {SYS_renameat2, "renameat2", 3},
    {SYS_fchmodat, "fchmodat", 1},
    {SYS_fchmod, "fchmod", FD},
    {SYS_fchown, "fchown", FD},
    {SYS_ftruncate, "ftruncate", FD},
    {SYS_fallocate, "fallocate", FD},
    {SYS_fcntl, "fcntl", FD},
    {SYS_flock, "flock", FD},
    {SYS_close, "close", FD},
    {SYS_read, "read", FD},
    {SYS_readv, "readv", FD},
    {SYS_pread64, "pread64", FD},
    {SYS_write, "write", FD},
    {SYS_writev, "writev", FD},
    {SYS_pwrite64, "pwrite64", FD},
    {SYS_pwritev, "pwritev", FD},
    {SYS_fsync, "fsync", FD},
    {SYS_fdatasync, "fdatasync", FD},
    {SYS_socket, "socket", NONE},
    {SYS_connect, "connect", FD},
    {SYS_sendto, "sendto", FD},
    {SYS_sendmsg, "sendmsg", FD},
    {SYS_recvfrom, "recvfrom", FD},
    {SYS_recvmsg, "recvmsg", FD},
    {SYS_shutdown, "shutdown", FD},
    {SYS_pipe2, "pipe2", NONE},
    {SYS_clone, "clone", NONE},
    {SYS_clone3, "clone3", NONE},
    {SYS_wait4, "wait4", NONE},
    {SYS_waitid, "waitid", NONE},
#ifdef SYS_renameat
    {SYS_renameat, "renameat", 3},
#endif
#ifdef SYS_open // machines that have it have all of these
    {SYS_open, "open", 0},
    {SYS_mkdir, "mkdir", 0},
    {SYS_link, "link", 1},
    {SYS_unlink, "unlink", 0},
    {SYS_rename, "rename", 1},
    {SYS_chmod, "chmod", 0},
    {SYS_pipe, "pipe", NONE},
    {SYS_vfork, "vfork", NONE},
#endif
};

struct run {
    pid_t pid;
    const char *prefix;
    const char *kind; // of the calls that the point is a number of
    long point;
    FILE *report;
    pid_t threads[64];
    size_t thread_count;
    bool has_begun, is_killed;
    long counted, counted_of_kind;
};

static _Noreturn void fail(const char *what)
{
    fprintf(stderr, "killer: %s: %s\n", what, strerror(errno));
    exit(FAILED);
}

static const struct call *call_find(uint64_t number)
{
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        if (calls[i].number == number) {
            return &calls[i];
        }
    }
    return NULL;
}

static size_t thread_number(struct run *run, pid_t tid)
{
    size_t i = 0;
    while (i < run->thread_count && run->threads[i] != tid) {
        i++;
    }
    if (i == sizeof run->threads / sizeof *run->threads) {
        fail("too many threads");
    }
    if (i == run->thread_count) {
        run->threads[run->thread_count++] = tid;
    }
    return i;
}

// Reads the string at that address of the program, as far as there is room.
static void string_read(pid_t tid, uint64_t address, char *buf, size_t size)
{
    size_t len = 0;
    while (len + sizeof(long) < size) {
        errno = 0;
        long word = ptrace(PTRACE_PEEKDATA, tid, address + len, NULL);
        if (errno) {
            break;
        }
        memcpy(buf + len, &word, sizeof word);
        if (memchr(&word, '\0', sizeof word)) {
            return;
        }
        len += sizeof word;
    }
    buf[len] = '\0';
}

// What the descriptor is open on; empty for none.
static void descriptor_read(const struct run *run, int fd, char *buf, size_t size)
{
    char link[64];
    snprintf(link, sizeof link, "/proc/%d/fd/%d", (int)run->pid, fd);
    ssize_t len = readlink(link, buf, size - 1);
    buf[len > 0 ? len : 0] = '\0';
}

static void target_read(const struct run *run, pid_t tid, const struct call *call,
    const uint64_t *arguments, char *buf, size_t size)
{
    buf[0] = '\0';
    if (call->path >= 0) {
        string_read(tid, arguments[call->path], buf, size);
    } else if (call->path == FD) {
        descriptor_read(run, (int)arguments[0], buf, size);
    }
}

static bool is_of_kind(const char *kind, const struct call *call, size_t thread)
{
    char by_thread[32];
    snprintf(by_thread, sizeof by_thread, "thread%zu", thread);
    return strcmp(kind, "any") == 0 || strcmp(kind, call->name) == 0 ||
           strcmp(kind, by_thread) == 0;
}

// A thread is about to make a system call, or has made one.
static void on_call(struct run *run, pid_t tid)
{
    struct __ptrace_syscall_info info;
    if (ptrace(PTRACE_GET_SYSCALL_INFO, tid, sizeof info, &info) < 0 ||
        info.op != PTRACE_SYSCALL_INFO_ENTRY) {
        return;
    }
    const struct call *call = call_find(info.entry.nr);
    if (!call) {
        return;
    }
    char target[4096];
    target_read(run, tid, call, info.entry.args, target, sizeof target);
    run->has_begun |= strncmp(target, run->prefix, strlen(run->prefix)) == 0;
    if (!run->has_begun || strncmp(target, "anon_inode:", 11) == 0) {
        return;
    }
    size_t thread = thread_number(run, tid);
    fprintf(run->report, "%ld %zu %s %s\n", ++run->counted, thread, call->name, target);
    if (is_of_kind(run->kind, call, thread) && ++run->counted_of_kind == run->point) {
        run->is_killed = kill(run->pid, SIGKILL) == 0;
    }
}

// Lets a stopped thread go on, unless the program has been killed.
static void on_stop(struct run *run, pid_t tid, int status)
{
    int signal = WSTOPSIG(status), event = status >> 16;
    if (run->is_killed) {
        return;
    }
    if (event == PTRACE_EVENT_STOP && signal != SIGTRAP) {
        ptrace(PTRACE_LISTEN, tid, NULL, NULL); // the whole program was stopped
        return;
    }
    if (signal == CALL_STOP) {
        on_call(run, tid);
    }
    if (!run->is_killed) {
        bool is_sent = !event && signal != CALL_STOP; // to the program
        ptrace(PTRACE_SYSCALL, tid, NULL, (long)(is_sent ? signal : 0));
    }
}

// Starts the program, which waits until it is traced.
static void program_start(struct run *run, char **argv)
{
    int gate[2];
    char byte = 0;
    const long options = PTRACE_O_TRACECLONE | PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL;
    if (pipe2(gate, O_CLOEXEC) < 0 || (run->pid = fork()) < 0) {
        fail("cannot start");
    }
    if (run->pid == 0) {
        close(gate[1]);
        if (read(gate[0], &byte, 1) == 1) {
            execvp(argv[0], argv);
        }
        _exit(FAILED);
    }
    if (ptrace(PTRACE_SEIZE, run->pid, NULL, options) < 0 ||
        ptrace(PTRACE_INTERRUPT, run->pid, NULL, NULL) < 0 || write(gate[1], &byte, 1) < 1) {
        fail("cannot trace");
    }
    close(gate[0]);
    close(gate[1]);
    thread_number(run, run->pid);
}

// Follows the program to its end; how that was, as for wait.
static int program_follow(struct run *run)
{
    for (;;) {
        int status;
        pid_t tid = waitpid(-1, &status, __WALL);
        if (tid < 0) {
            fail("cannot wait");
        }
        if (WIFSTOPPED(status)) {
            on_stop(run, tid, status);
        } else if (tid == run->pid) {
            return status;
        }
    }
}

int main(int argc, char **argv)
{
    char *colon = argc < 5 ? NULL : strchr(argv[3], ':');
    if (!colon) {
        fprintf(stderr, "usage: killer REPORT PREFIX KIND:NUMBER PROGRAM [ARGUMENT]...\n");
        return FAILED;
    }
    *colon = '\0';
    struct run run = {.prefix = argv[2], .kind = argv[3], .point = strtol(colon + 1, NULL, 10)};
    run.report = fopen(argv[1], "we");
    if (!run.report) {
        fail(argv[1]);
    }
    program_start(&run, argv + 4);
    int status = program_follow(&run);
    if (fclose(run.report) != 0) {
        fail(argv[1]);
    }
    if (WIFSIGNALED(status)) {
        prctl(PR_SET_DUMPABLE, 0);
        signal(WTERMSIG(status), SIG_DFL);
        raise(WTERMSIG(status));
    }
    return WEXITSTATUS(status);
}
