// SPDX-License-Identifier: MIT
// The program: everything is decided by the command table.
// The only file that may end the process.
#include <fcntl.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "host/cli/command.h"

// A standard descriptor that the caller closed would be given to the next file or connection, and
// what a script prints would go there. It stays taken instead, opened so that any use of it fails.
static bool descriptors_hold(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        int mode = fd == STDIN_FILENO ? O_WRONLY : O_RDONLY;
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", mode) != fd) {
            return false;
        }
    }
    return true;
}

// The heap grows and shrinks with every turn of the loop; glibc would give its top back and ask for
// it again each time, which was three page faults a request.
static void heap_keep(void)
{
    mallopt(M_TRIM_THRESHOLD, 64 * 1024 * 1024);
    mallopt(M_TOP_PAD, 1024 * 1024);
    mallopt(
        M_MMAP_THRESHOLD, 4 * 1024 * 1024); // else it stays at 128 kB, less than a page of a list
}

// All that is ours is closed by now. What OpenSSL and others would still take apart, block by
// block, goes with the process; at that they spend a twentieth of a short run. Leak checkers want
// to see it.
_Noreturn static void leave(int status)
{
#ifdef TSHOST_SANITIZED
    exit(status);
#else
    fflush(NULL);
    fflush(stdin); // as exit does: who reads on where a script stopped begins behind what it took
    _exit(status);
#endif
}

int main(int argc, char **argv)
{
    heap_keep();
    if (!descriptors_hold()) {
        exit(EXIT_FAILURE);
    }
    leave(ts_command_main(argc, argv));
}
