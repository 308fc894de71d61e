// SPDX-License-Identifier: MIT
// Finding scripts: a path, or the bare name of a stock script.
// Stock scripts lie beside the binary: in its share directory, or in the build tree's.
#ifndef TS_RUNTIME_SCRIPT_H
#define TS_RUNTIME_SCRIPT_H

#include <stddef.h>

#include "host/base/error.h"

#define TS_SCRIPT_PATH_MAX 4096

// Writes the path of the script that `name` means. USAGE when there is none, saying where it
// looked.
enum ts_err ts_script_find(const char *name, char path[TS_SCRIPT_PATH_MAX], struct ts_error *err);

// Writes the directory of the stock scripts, "" when there is none.
void ts_script_stock(char path[TS_SCRIPT_PATH_MAX]);

// Writes the directory part of a path, "." when it has none.
void ts_script_directory(const char *path, char directory[TS_SCRIPT_PATH_MAX]);

#endif
