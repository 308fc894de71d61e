// SPDX-License-Identifier: MIT
// Runs a script against a sandbox in this process with every allocation of Lua failing in turn.
// Each run is a child process, so that a crash is one finding and the next run begins afresh.
//
// usage: torture SCRIPT TENANTS PART STEP
//
// Twice: the n-th allocation and all after it fail; the n-th fails, and the repetition that Lua
// makes after collecting garbage. n begins with PART + 1 and goes up by STEP until a run meets no
// failure any more.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/net/loop.h"
#include "host/runtime/exit_status.h"
#include "host/runtime/parts.h"
#include "host/runtime/run.h"
#include "host/state/journal_read.h"

#define TENANTS 2
#define FAILURES_MAX 20 // enough to see what is wrong
#define SECONDS_MAX 60  // for one run; it takes a few milliseconds

enum mode { FIRST, ONCE };

// How a child ends besides by a signal: what is wrong, 0 nothing. The others keep away from the
// statuses that a sanitizer ends with.
enum verdict {
    WELL,
    WELL_AND_DONE = 40, // met no failure
    BAD_STATUS,
    BAD_DONE, // status 0, but the work is not done
    LEAKED_TRANSFER,
    LEAKED_SECRET,
    LEAKED_CALL,
    LEAKED_FILE,
    LOST_WIDGET,
    BROKEN_TEST,
};

static const char *const verdicts[] = {
    [BAD_STATUS] = "ended with a status that is not defined",
    [BAD_DONE] = "ended with 0 although the work is not done",
    [LEAKED_TRANSFER] = "left a transfer in flight",
    [LEAKED_SECRET] = "left a secret",
    [LEAKED_CALL] = "left a call in the queue",
    [LEAKED_FILE] = "left a file descriptor",
    [LOST_WIDGET] = "has a create in its journal that is done, but not which widget it made",
    [BROKEN_TEST] = "could not be set up",
};

struct torture {
    enum mode mode;
    long at;    // the allocation that fails
    long count; // so far
    bool has_failed;
    enum verdict verdict;
    size_t created;
};

static bool is_failing(struct torture *torture)
{
    torture->count++;
    if (torture->mode == FIRST
            ? torture->count >= torture->at
            : torture->count == torture->at || torture->count == torture->at + 1) {
        torture->has_failed = true;
        return true;
    }
    return false;
}

// Lua assumes that shrinking never fails.
static void *allocate(void *self, void *block, size_t old_size, size_t new_size)
{
    if (new_size == 0) {
        free(block);
        return NULL;
    }
    bool is_growing = !block || new_size > old_size;
    return is_growing && is_failing(self) ? NULL : realloc(block, new_size);
}

static bool on_operation(void *owner, const char *json, size_t len)
{
    (void)len;
    bool is_done = strstr(json, "\"op\":\"create\"") && strstr(json, "\"state\":\"done\"");
    if (is_done && !strstr(json, "\"sitekey\":\"")) {
        *(bool *)owner = true;
    }
    return true;
}

// Whether nobody could take back, or go on with, a widget that was made.
static bool has_lost_widget(struct ts_recorder *recorder)
{
    bool has_lost = false;
    struct ts_error err;
    struct ts_journal *journal;
    if (ts_recorder_commit(recorder, &err) || !ts_recorder_run(recorder)[0]) {
        return false;
    }
    return ts_recorder_journal(recorder, &journal, &err) ||
           ts_journal_read_operations(
               journal, ts_recorder_run(recorder), on_operation, &has_lost, &err) ||
           has_lost;
}

static void on_closed(void *self, struct ts_parts *parts)
{
    struct torture *torture = self;
    torture->created = parts->door.ledger.done[TS_OP_CREATE];
    if (ts_loop_in_flight(parts->loop) > 0) {
        torture->verdict = LEAKED_TRANSFER;
    } else if (parts->queue.in_flight > 0 || parts->queue.waiting > 0) {
        torture->verdict = LEAKED_CALL;
    } else if (ts_secret_pool_count(parts->secrets) > 0) {
        torture->verdict = LEAKED_SECRET;
    } else if (has_lost_widget(&parts->door.recorder)) {
        torture->verdict = LOST_WIDGET;
    }
}

static int files_open(void)
{
    int count = 0;
    DIR *directory = opendir("/proc/self/fd");
    if (!directory) {
        return -1;
    }
    while (readdir(directory)) {
        count++;
    }
    closedir(directory);
    return count;
}

static bool is_secret_file(const char *path)
{
    char text[128];
    FILE *file = fopen(path, "r");
    size_t len = file ? fread(text, 1, sizeof text, file) : 0;
    if (file) {
        fclose(file);
    }
    return len > 30 && memcmp(text, "0x4", 3) == 0;
}

// Secret files in the directory; removes them.
static int take_secrets(const char *directory)
{
    int count = 0;
    DIR *entries = opendir(directory);
    for (struct dirent *entry; entries && (entry = readdir(entries)) != NULL;) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", directory, entry->d_name);
        if (entry->d_name[0] != '.') {
            count += is_secret_file(path);
            unlink(path);
        }
    }
    if (entries) {
        closedir(entries);
    }
    return count;
}

static bool is_defined(int status)
{
    return status >= TS_EXIT_DONE && status <= TS_EXIT_UNKNOWN;
}

// One run, in a child.
static enum verdict run_once(
    struct torture *torture, const char *script, char **args, int arg_count, const char *secrets)
{
    struct ts_config config;
    int before = files_open();
    ts_config_init(&config);
    config.program = "torture";
    config.script = script;
    config.args = args;
    config.arg_count = arg_count;
    config.is_sandbox = true;
    config.alloc = allocate;
    config.alloc_self = torture;
    config.on_closed = on_closed;
    config.on_closed_self = torture;
    int status = ts_run(&config);
    int written = take_secrets(secrets);
    if (torture->verdict != WELL) {
        return torture->verdict;
    }
    if (!is_defined(status)) {
        return BAD_STATUS;
    }
    if (status == TS_EXIT_DONE && (torture->created != TENANTS || written != TENANTS)) {
        return BAD_DONE;
    }
    if (files_open() != before) {
        return LEAKED_FILE;
    }
    if (torture->has_failed) {
        return WELL;
    }
    return status == TS_EXIT_DONE ? WELL_AND_DONE : BAD_STATUS;
}

static void quieten(const char *directory)
{
    char path[4096];
    snprintf(path, sizeof path, "%s.log", directory);
    int log = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (log < 0 || dup2(log, STDOUT_FILENO) < 0 || dup2(log, STDERR_FILENO) < 0) {
        _exit(BROKEN_TEST);
    }
    close(log);
}

static void show_log(const char *directory)
{
    char path[4096], line[512];
    snprintf(path, sizeof path, "%s.log", directory);
    FILE *log = fopen(path, "r");
    while (log && fgets(line, sizeof line, log)) {
        fprintf(stderr, "    %s", line);
    }
    if (log) {
        fclose(log);
    }
}

// Runs number n in a child of its own. *is_done says that it met no failure. False when it failed.
static bool run_child(enum mode mode, long n, const char *script, char **args, int arg_count,
    const char *secrets, bool *is_done)
{
    pid_t pid = fork();
    if (pid == 0) {
        struct torture torture = {.mode = mode, .at = n};
        quieten(secrets);
        alarm(SECONDS_MAX);
        exit(run_once(&torture, script, args, arg_count, secrets)); // exit: LeakSanitizer looks
    }
    int status;
    if (pid < 0 || waitpid(pid, &status, 0) != pid) {
        fprintf(stderr, "fork: %s\n", strerror(errno));
        return false;
    }
    int verdict = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    *is_done = verdict == WELL_AND_DONE;
    if (verdict == WELL || verdict == WELL_AND_DONE) {
        return true;
    }
    if (WIFSIGNALED(status)) {
        fprintf(stderr, "allocation %ld: %s\n", n, strsignal(WTERMSIG(status)));
    } else if (verdict > WELL_AND_DONE && verdict <= BROKEN_TEST) {
        fprintf(stderr, "allocation %ld: the run %s\n", n, verdicts[verdict]);
    } else {
        fprintf(stderr, "allocation %ld: ended with %d\n", n, verdict);
    }
    show_log(secrets);
    return false;
}

int main(int argc, char **argv)
{
    if (argc != 5) {
        fprintf(stderr, "usage: torture SCRIPT TENANTS PART STEP\n");
        return 2;
    }
    long part = strtol(argv[3], NULL, 10);
    long step = strtol(argv[4], NULL, 10);
    char secrets[] = "/tmp/torture-XXXXXX";
    if (step < 1 || !mkdtemp(secrets)) {
        fprintf(stderr, "torture: no directory for secrets\n");
        return 2;
    }
    bool is_onboarding = strstr(argv[1], "onboard.lua") != NULL;
    char option[] = "--secrets-dir";
    char *onboarding[] = {argv[2], option, secrets};
    char *scenario[] = {secrets, argv[2]};
    char **args = is_onboarding ? onboarding : scenario;
    int arg_count = is_onboarding ? 3 : 2;
    long failures = 0, runs = 0;
    for (enum mode mode = FIRST; mode <= ONCE; mode++) {
        bool is_done = false;
        for (long n = part + 1; !is_done && failures < FAILURES_MAX; n += step, runs++) {
            failures += !run_child(mode, n, argv[1], args, arg_count, secrets, &is_done);
        }
    }
    char log[sizeof secrets + 4];
    snprintf(log, sizeof log, "%s.log", secrets);
    unlink(log);
    rmdir(secrets);
    printf("%ld runs, %ld failures\n", runs, failures);
    return failures > 0;
}
