// SPDX-License-Identifier: MIT
// The native half of the rehearsal (rehearsal.lua): files without a name, what a path means, what
// may be written, and remarks. Nothing here changes a file.
#include "bindings/rehearsal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <lauxlib.h>
#include <lualib.h>

#include "bindings/modules.h"
#include "host/base/str.h"

#define SHADOW "tshost.shadow"
#define FACE "tshost.rehearsal"

struct shadow {
    int fd; // -1: none
};

// remark(text): what the script does here is only made believe.
static int core_remark(lua_State *L)
{
    char place[LX_PLACE_MAX];
    const char *text = luaL_checkstring(L, 1);
    lx_place(L, place);
    ts_remarks_add(&ts_host_of(L)->rehearsal->remarks, place, text);
    return 0;
}

// directory(path): what the script makes there would have to be made before secrets go into it.
static int core_directory(lua_State *L)
{
    char place[LX_PLACE_MAX];
    const char *path = luaL_checkstring(L, 1);
    lx_place(L, place);
    ts_remarks_add(&ts_host_of(L)->rehearsal->directories, place, path);
    return 0;
}

static int shadow__close(lua_State *L)
{
    struct shadow *shadow = lua_touserdata(L, 1);
    if (shadow->fd > 0) {
        close(shadow->fd);
        shadow->fd = 0;
    }
    return 0;
}

static int push_errno(lua_State *L, const char *path, int errnum)
{
    lua_pushnil(L);
    lua_pushfstring(L, "%s: %s", path, strerror(errnum));
    lua_pushinteger(L, errnum);
    return 3;
}

// shadow(path) -> an owner, the path under which the file without a name can be opened; or as
// io.open fails
static int core_shadow(lua_State *L)
{
    const char *path = luaL_checkstring(L, 1);
    struct shadow *shadow = push_box(L, sizeof *shadow, SHADOW);
    shadow->fd = memfd_create("tshost", MFD_CLOEXEC);
    if (shadow->fd < 0) {
        return push_errno(L, path, errno);
    }
    lua_pushfstring(L, "/proc/self/fd/%d", shadow->fd);
    return 2;
}

// Writes the path as it is without links, as far as it exists. False when it is too long.
static bool path_resolve(const char *path, char out[PATH_MAX])
{
    char full[PATH_MAX], part[PATH_MAX];
    char *here = path[0] == '/' ? NULL : realpath(".", NULL);
    int len = snprintf(full, sizeof full, "%s/%s", here ? here : "", path);
    free(here);
    if (len < 0 || (size_t)len >= sizeof full) {
        return false;
    }
    size_t end = (size_t)len; // of what exists
    ts_str_copy(part, sizeof part, full);
    while (!realpath(part, out)) {
        while (end > 0 && full[end - 1] == '/') {
            end--;
        }
        while (end > 0 && full[end - 1] != '/') {
            end--;
        }
        ts_str_copy(part, end > 0 ? end + 1 : 2, end > 0 ? full : "/");
    }
    for (char *state = full + end, *name; (name = strsep(&state, "/")) != NULL;) {
        size_t at = strlen(out);
        if (*name && !ts_str_is(name, ".")) {
            at -= out[at - 1] == '/';
            len = snprintf(out + at, PATH_MAX - at, "/%s", name);
            if (len < 0 || (size_t)len >= PATH_MAX - at) {
                return false;
            }
        }
    }
    return true;
}

// key(path) -> the same text for all paths that mean the same file, and for its directory
static int core_key(lua_State *L)
{
    char key[PATH_MAX];
    const char *path = luaL_checkstring(L, 1);
    if (!path_resolve(path, key)) {
        ts_str_copy(key, sizeof key, path);
    }
    lua_pushstring(L, key);
    const char *slash = strrchr(key, '/');
    lua_pushlstring(L, key, slash && slash > key ? (size_t)(slash - key) : 1);
    return 2;
}

// kind(path [, is_link_seen]) -> "file" | "directory" | "other" | nil
static int core_kind(lua_State *L)
{
    struct stat st;
    int flags = lua_toboolean(L, 2) ? AT_SYMLINK_NOFOLLOW : 0;
    if (fstatat(AT_FDCWD, luaL_checkstring(L, 1), &st, flags) != 0) {
        lua_pushnil(L);
    } else {
        lua_pushstring(L, S_ISREG(st.st_mode)   ? "file"
                          : S_ISDIR(st.st_mode) ? "directory"
                                                : "other");
    }
    return 1;
}

// may_write(path) -> true, or as io.open fails
static int core_may_write(lua_State *L)
{
    const char *path = luaL_checkstring(L, 1);
    struct stat st;
    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
        return push_errno(L, path, EISDIR);
    }
    if (faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) != 0) {
        return push_errno(L, path, errno);
    }
    lua_pushboolean(L, true);
    return 1;
}

// may_add(path, directory) -> true, or as io.open fails to make the path, which lies in there
static int core_may_add(lua_State *L)
{
    const char *path = luaL_checkstring(L, 1);
    const char *directory = luaL_checkstring(L, 2);
    struct stat st;
    if (stat(directory, &st) != 0) {
        return push_errno(L, path, errno);
    }
    if (!S_ISDIR(st.st_mode)) {
        return push_errno(L, path, ENOTDIR);
    }
    if (faccessat(AT_FDCWD, directory, W_OK | X_OK, AT_EACCESS) != 0) {
        return push_errno(L, path, errno);
    }
    lua_pushboolean(L, true);
    return 1;
}

static int pipe_close(lua_State *L)
{
    luaL_Stream *stream = luaL_checkudata(L, 1, LUA_FILEHANDLE);
    return luaL_execresult(L, fclose(stream->f) == 0 ? 0 : 1);
}

// null_pipe(mode) -> a file like that of io.popen, of a command that says and reads nothing
static int core_null_pipe(lua_State *L)
{
    const char *mode = luaL_checkstring(L, 1);
    luaL_Stream *stream = lua_newuserdatauv(L, sizeof *stream, 0);
    *stream = (luaL_Stream){0};
    luaL_setmetatable(L, LUA_FILEHANDLE);
    stream->f = fopen("/dev/null", mode[0] == 'w' ? "we" : "re");
    stream->closef = stream->f ? pipe_close : NULL;
    return stream->f ? 1 : luaL_fileresult(L, 0, "/dev/null");
}

int luaopen_ts_rehearsal_core(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"directory", core_directory},
        {"key", core_key},
        {"kind", core_kind},
        {"may_add", core_may_add},
        {"may_write", core_may_write},
        {"null_pipe", core_null_pipe},
        {"remark", core_remark},
        {"shadow", core_shadow},
        {NULL, NULL},
    };
    lx_metatable(L, SHADOW, shadow__close, NULL, NULL);
    luaL_newlib(L, functions);
    return 1;
}

void ts_open_rehearsal(lua_State *L)
{
    lua_getglobal(L, "require");
    lua_pushliteral(L, "tshost.rehearsal");
    lua_call(L, 1, 1);
    lua_setfield(L, LUA_REGISTRYINDEX, FACE);
}

// Calls a function of the Lua half with what follows on the stack. Fills err with what it says when
// it does not agree.
static enum ts_err face_call(lua_State *L, const char *name, int nargs, struct ts_error *err)
{
    int first = lua_gettop(L) - nargs + 1;
    lua_getfield(L, LUA_REGISTRYINDEX, FACE);
    lua_getfield(L, -1, name);
    lua_remove(L, -2);
    lua_insert(L, first);
    lua_call(L, nargs, 2);
    enum ts_err code = TS_OK;
    if (!lua_toboolean(L, -2)) {
        code = ts_error_set(err, TS_ERR_SYSTEM, "%s", luaL_tolstring(L, -1, NULL));
    }
    lua_settop(L, first - 1);
    return code;
}

enum ts_err lx_rehearse_file(lua_State *L, const char *path, bool is_replace, struct ts_error *err)
{
    if (!ts_host_of(L)->rehearsal) {
        return TS_OK;
    }
    lua_pushstring(L, path);
    lua_pushboolean(L, is_replace);
    return face_call(L, "deliver_file", 2, err);
}

enum ts_err lx_rehearse_command(lua_State *L, const char *program, struct ts_error *err)
{
    if (!ts_host_of(L)->rehearsal) {
        return TS_OK;
    }
    lua_pushstring(L, program);
    return face_call(L, "deliver_command", 1, err);
}
