// SPDX-License-Identifier: MIT
// Runs a command and writes what it took to a file: time, peak memory, page faults, waits.
// It is small, because the peak that the kernel reports includes that of the process which forked.
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double seconds_of(struct timeval time)
{
    return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: measure FILE COMMAND [ARG...]\n");
        return 2;
    }
    FILE *file = fopen(argv[1], "we");
    if (!file) {
        perror(argv[1]);
        return 2;
    }
    double start = now();
    pid_t pid = fork();
    if (pid == 0) {
        execvp(argv[2], argv + 2);
        perror(argv[2]);
        _exit(127);
    }
    int status = 0;
    struct rusage usage;
    if (pid < 0 || wait4(pid, &status, 0, &usage) != pid) {
        perror("measure");
        return 2;
    }
    double wall = now() - start;
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    fprintf(file,
        "{\"wall\": %.6f, \"user\": %.6f, \"system\": %.6f, \"peak_kb\": %ld, \"faults\": %ld, "
        "\"waits\": %ld}\n",
        wall, seconds_of(usage.ru_utime), seconds_of(usage.ru_stime), usage.ru_maxrss,
        usage.ru_minflt, usage.ru_nvcsw);
    return fclose(file) == 0 ? code : 2;
}
