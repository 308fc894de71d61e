// SPDX-License-Identifier: MIT
// Where tshost keeps what outlives a run: a directory that is the user's alone.
#ifndef TS_STATE_DIRECTORY_H
#define TS_STATE_DIRECTORY_H

#include <stdbool.h>

#include "host/base/error.h"

#define TS_STATE_PATH_MAX 3072

// Writes the real path of the state directory and makes it, mode 0700, if it is not there:
// TSHOST_STATE, else $XDG_STATE_HOME/tshost, else ~/.local/state/tshost. SYSTEM when it cannot be
// made, belongs to somebody else or can be written by others.
enum ts_err ts_directory_open(char path[TS_STATE_PATH_MAX], struct ts_error *err);

// The same for what needs it several times: looked for once. Zeroed: not yet.
struct ts_directory {
    bool is_tried;
    char path[TS_STATE_PATH_MAX];
    struct ts_error err; // what the one try came to
};

// Gives the path, borrowed, or fails as ts_directory_open did the first time.
enum ts_err ts_directory_find(
    struct ts_directory *directory, const char **path, struct ts_error *err);

// Makes or checks a file in it: a plain file of the user's own, mode 0600 whatever the umask is.
// The path of it is written to out. SYSTEM.
enum ts_err ts_directory_file(const char *directory, const char *name,
    char out[TS_STATE_PATH_MAX + 64], struct ts_error *err);

// The same, and leaves it open for reading and writing, close-on-exec; -1 on failure. The caller
// closes it.
enum ts_err ts_directory_open_file(const char *directory, const char *name,
    char out[TS_STATE_PATH_MAX + 64], int *fd_out, struct ts_error *err);

#endif
