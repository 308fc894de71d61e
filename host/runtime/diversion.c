// SPDX-License-Identifier: MIT
// What stdout still holds goes where it was meant to go, before and after.
#include "host/runtime/diversion.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

enum ts_err ts_diversion_start(struct ts_diversion *diversion, struct ts_error *err)
{
    fflush(stdout);
    int kept = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    if (kept < 0 || dup2(STDERR_FILENO, STDOUT_FILENO) < 0) {
        enum ts_err code = ts_error_set_errno(err, errno, "cannot divert standard output");
        if (kept >= 0) {
            close(kept);
        }
        return code;
    }
    diversion->kept = kept;
    return TS_OK;
}

void ts_diversion_end(struct ts_diversion *diversion)
{
    if (diversion->kept > 0) {
        fflush(stdout);
        dup2(diversion->kept, STDOUT_FILENO);
        close(diversion->kept);
        diversion->kept = 0;
    }
}
