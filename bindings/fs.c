// SPDX-License-Identifier: MIT
// Private directories, and whether a file is there. Nothing is held open.
// Failures come back as nil and a line of text, as io.open's do.
#include "bindings/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <lauxlib.h>

TS_RAISES static const char *check_path(lua_State *L, const char *function)
{
    if (lua_type(L, 1) != LUA_TSTRING) {
        lx_misuse(L, "%s: a path expected, got %s", function, luaL_typename(L, 1));
    }
    const char *path = lua_tostring(L, 1);
    if (strlen(path) != lua_rawlen(L, 1)) {
        lx_misuse(L, "%s: the path has a NUL byte in it", function);
    }
    return path;
}

TS_RAISES static int push_errno(lua_State *L, int errnum, const char *path, const char *what)
{
    struct ts_error err;
    ts_error_set_errno(&err, errnum, "%s: %s", path, what);
    lua_pushnil(L);
    lua_pushstring(L, err.message);
    return 2;
}

// fs.mkdir(path) -> true | nil, message
static int fs_mkdir(lua_State *L)
{
    const char *path = check_path(L, "fs.mkdir");
    struct stat st;
    if (mkdir(path, 0700) != 0 && errno != EEXIST) {
        return push_errno(L, errno, path, "cannot make the directory");
    }
    if (stat(path, &st) != 0) {
        return push_errno(L, errno, path, "cannot use the directory");
    }
    if (!S_ISDIR(st.st_mode)) {
        return push_errno(L, ENOTDIR, path, "cannot use it");
    }
    // With the effective ids, as the writes will be checked.
    if (faccessat(AT_FDCWD, path, W_OK | X_OK, AT_EACCESS) != 0) {
        return push_errno(L, errno, path, "cannot write into the directory");
    }
    lua_pushboolean(L, true);
    return 1;
}

// fs.exists(path) -> boolean | nil, message
static int fs_exists(lua_State *L)
{
    const char *path = check_path(L, "fs.exists");
    struct stat st;
    bool is_there = stat(path, &st) == 0;
    if (!is_there && errno != ENOENT && errno != ENOTDIR) {
        return push_errno(L, errno, path, "cannot tell whether it is there");
    }
    lua_pushboolean(L, is_there);
    return 1;
}

// fs.is_file(path) -> boolean | nil, message
static int fs_is_file(lua_State *L)
{
    const char *path = check_path(L, "fs.is_file");
    struct stat st;
    if (stat(path, &st) != 0) {
        if (errno != ENOENT && errno != ENOTDIR) {
            return push_errno(L, errno, path, "cannot tell whether it is there");
        }
        lua_pushboolean(L, false);
        return 1;
    }
    if (!S_ISREG(st.st_mode) || st.st_size == 0) {
        lua_pushnil(L);
        lua_pushfstring(L, "%s: %s", path,
            S_ISDIR(st.st_mode)    ? "is a directory"
            : !S_ISREG(st.st_mode) ? "is no regular file"
                                   : "is an empty file");
        return 2;
    }
    lua_pushboolean(L, true);
    return 1;
}

int luaopen_fs(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"exists", fs_exists}, {"is_file", fs_is_file}, {"mkdir", fs_mkdir}, {NULL, NULL}};
    luaL_newlib(L, functions);
    return 1;
}
