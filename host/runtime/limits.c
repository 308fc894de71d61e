// SPDX-License-Identifier: MIT
// Limits through setrlimit(2). Children inherit them, so the one for files is raised only as far as
// needed, and only when it is too low.
#include "host/runtime/limits.h"

#include <inttypes.h>
#include <sys/resource.h>

#define FILES_ELSEWHERE 64 // standard streams, databases, scripts, pipes to commands
#define FILES_A_NAME 3     // for a moment, while a connection's host name is looked up

enum ts_err ts_limits_set(int64_t connections, bool is_both_ends, struct ts_error *err)
{
    struct rlimit files;
    rlim_t needed = (rlim_t)connections * (is_both_ends ? 2 : 1) + FILES_ELSEWHERE;
    rlim_t wanted = needed + (rlim_t)connections * FILES_A_NAME;
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    if (getrlimit(RLIMIT_NOFILE, &files) || files.rlim_cur >= wanted) {
        return TS_OK;
    }
    if (files.rlim_max < needed) {
        return ts_error_set(err, TS_ERR_USAGE,
            "--concurrency %" PRId64 " needs %ju open files, but no more than %ju are allowed "
            "(ulimit -Hn); give a smaller --concurrency or raise the limit",
            connections, (uintmax_t)needed, (uintmax_t)files.rlim_max);
    }
    files.rlim_cur = wanted < files.rlim_max ? wanted : files.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &files)) {
        return ts_error_set(err, TS_ERR_SYSTEM, "cannot raise the limit of open files");
    }
    return TS_OK;
}

void ts_limits_lift_files(void)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < files.rlim_max) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files); // else the script is told when it comes to the limit
    }
}
