// SPDX-License-Identifier: MIT
// The path comes first; only a bare name that is no file here is looked up among the stock scripts.
// The binary finds them relative to itself, so that an installation may be moved.
#include "host/runtime/script.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "host/base/str.h"

// Relative to the binary's directory: installed under bin/, and in a build tree.
static const char *const places[] = {"../share/tshost/scripts", "share/tshost/scripts", NULL};

void ts_script_directory(const char *path, char directory[TS_SCRIPT_PATH_MAX])
{
    ts_str_copy(directory, TS_SCRIPT_PATH_MAX, path);
    char *slash = strrchr(directory, '/');
    if (!slash) {
        ts_str_copy(directory, TS_SCRIPT_PATH_MAX, ".");
    } else {
        slash[slash == directory] = '\0'; // "/x.lua" lies in "/"
    }
}

void ts_script_stock(char path[TS_SCRIPT_PATH_MAX])
{
    char self[TS_SCRIPT_PATH_MAX], directory[TS_SCRIPT_PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);
    path[0] = '\0';
    if (len < 0) {
        return;
    }
    self[len] = '\0';
    ts_script_directory(self, directory);
    for (const char *const *place = places; *place; place++) {
        int fits = snprintf(path, TS_SCRIPT_PATH_MAX, "%s/%s", directory, *place);
        if (fits < TS_SCRIPT_PATH_MAX && access(path, R_OK) == 0) {
            return;
        }
    }
    path[0] = '\0';
}

enum ts_err ts_script_find(const char *name, char path[TS_SCRIPT_PATH_MAX], struct ts_error *err)
{
    if (!ts_str_copy(path, TS_SCRIPT_PATH_MAX, name)) {
        return ts_error_set(err, TS_ERR_USAGE, "the script's path is too long");
    }
    if (access(name, F_OK) == 0) {
        return TS_OK;
    }
    char stock[TS_SCRIPT_PATH_MAX];
    ts_script_stock(stock);
    if (!strchr(name, '/') && stock[0]) {
        int fits = snprintf(path, TS_SCRIPT_PATH_MAX, "%s/%s", stock, name);
        if (fits < TS_SCRIPT_PATH_MAX && access(path, F_OK) == 0) {
            return TS_OK;
        }
        return ts_error_set(err, TS_ERR_USAGE,
            "%s: no such script here, nor among the stock scripts in %s", name, stock);
    }
    return ts_error_set(err, TS_ERR_USAGE, "%s: no such script", name);
}
