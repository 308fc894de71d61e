// SPDX-License-Identifier: MIT
// Where a secret handle may go: a file, or a command's standard input while the task waits.
// The box of a command exists, to be closed, before the command does.
#include "bindings/secret_private.h"

#include <string.h>

#include <lauxlib.h>

#include "bindings/host.h"
#include "bindings/rehearsal.h"
#include "bindings/replay.h"
#include "bindings/task.h"
#include "host/base/str.h"
#include "host/net/loop.h"
#include "host/ops/deliver.h"

#define PIPE "secret.pipe"
#define PIPE_TIMEOUT_S 60
#define PIPE_TIMEOUT_MAX_S 86400
#define PIPE_WORDS_MAX 1024
#define US_PER_S 1000000

struct pipe_box {
    struct secret_box *source; // kept alive by the user value
    struct ts_delivery *delivery;
    struct ts_waiter waiter;
    char place[LX_PLACE_MAX];
    size_t operation; // the recorder's handle
    bool is_done;
    bool is_settled; // its end has been told to the script or the ledger
};

// s:write(path [, { replace = true }]) -> true | nil, err
int lx_secret_write(lua_State *L)
{
    static const char *const function = "secret:write";
    static const char *const options[] = {"replace", NULL};
    struct secret_box *box = check_secret(L, function);
    if (lua_type(L, 2) != LUA_TSTRING) {
        lx_misuse(L, "%s: a path expected, got %s", function, luaL_typename(L, 2));
    }
    size_t len;
    const char *path = lua_tolstring(L, 2, &len);
    if (len == 0 || strlen(path) != len) {
        lx_misuse(L, "%s: the path is empty or has a NUL byte in it", function);
    }
    check_options(L, 3, function, options, true);
    bool is_replace = opt_member_boolean(L, 3, function, "replace", false);
    lua_settop(L, 3);
    struct ts_error err;
    char place[LX_PLACE_MAX];
    size_t operation = 0;
    lx_place(L, place);
    enum ts_err code = lx_rehearse_file(L, path, is_replace, &err);
    check_secret(L, function); // again: a finalizer may have closed it meanwhile
    if (!code && lx_has_written(L, box->secret, path)) {
        lua_pushboolean(L, true);
        return 1;
    }
    if (!code) {
        is_replace = is_replace || lx_is_outdated(L, box->sitekey, path);
        check_secret(L, function);
        struct ts_delivery_spec spec = {box->secret, box->sitekey, place, lx_step(L)};
        code = ts_door_deliver_file(ts_host_of(L)->door, &spec, path, is_replace, &operation, &err);
    }
    if (code) {
        return push_secret_failure(L, function, place, operation, &err);
    }
    ts_host_of(L)->door->ledger.delivered[TS_DELIVERY_WRITE]++;
    lua_pushboolean(L, true);
    return 1;
}

// The words of the command at index 2, as a NULL-terminated array that Lua owns and that is valid
// as long as the table is not changed; the array is pushed.
TS_RAISES static const char **check_words(lua_State *L, const char *function)
{
    lua_Unsigned count = lua_rawlen(L, 2);
    if (count == 0 || count > PIPE_WORDS_MAX) {
        lx_misuse(L, "%s: a command expected, as in { \"vault\", \"kv\", \"put\", ... }", function);
    }
    const char **words = lua_newuserdatauv(L, ((size_t)count + 1) * sizeof *words, 0);
    for (lua_Unsigned i = 1; i <= count; i++) {
        int type = lua_rawgeti(L, 2, (lua_Integer)i);
        if (lx_is_secret(L, -1)) {
            lx_misuse(L,
                "%s: a secret cannot be an argument, where others could read it; the "
                "command gets it on standard input",
                function);
        }
        size_t len = 0;
        words[i - 1] = type == LUA_TSTRING ? lua_tolstring(L, -1, &len) : NULL;
        if (!words[i - 1] || strlen(words[i - 1]) != len || (i == 1 && len == 0)) {
            lx_misuse(L, "%s: word %d of the command must be a string without NUL bytes", function,
                (int)i);
        }
        lua_pop(L, 1); // anchored by the table
    }
    words[count] = NULL;
    return words;
}

// The table at index 2 holds words 1..n and named options; anything else is misuse.
TS_RAISES static void check_pipe_keys(lua_State *L, const char *function)
{
    if (!lua_istable(L, 2)) {
        lx_misuse(L, "%s: a table expected, got %s", function, luaL_typename(L, 2));
    }
    lua_Integer count = (lua_Integer)lua_rawlen(L, 2);
    for (lua_pushnil(L); lua_next(L, 2); lua_pop(L, 1)) {
        bool is_word =
            lua_isinteger(L, -2) && lua_tointeger(L, -2) >= 1 && lua_tointeger(L, -2) <= count;
        if (!is_word &&
            (lua_type(L, -2) != LUA_TSTRING || !ts_str_is(lua_tostring(L, -2), "timeout"))) {
            lx_misuse(L, "%s: only words and `timeout` may be in the table", function);
        }
    }
}

TS_RAISES static int64_t check_timeout(lua_State *L, const char *function)
{
    lua_Number seconds = opt_member_number(L, 2, function, "timeout", PIPE_TIMEOUT_S);
    if (!(seconds > 0 && seconds <= PIPE_TIMEOUT_MAX_S)) {
        lx_misuse(L, "%s: `timeout` must be seconds, more than 0 and at most %d", function,
            PIPE_TIMEOUT_MAX_S);
    }
    return (int64_t)(seconds * US_PER_S);
}

static void on_delivered(void *owner, struct ts_delivery *delivery)
{
    (void)delivery;
    struct pipe_box *box = owner;
    box->is_done = true;
    ts_waiter_wake(&box->waiter);
}

// __gc and __close. A command that is stopped on the way may have had the secret or not.
static int pipe__gc(lua_State *L)
{
    struct pipe_box *box = lua_touserdata(L, 1);
    ts_waiter_fini(&box->waiter);
    if (box->delivery && !box->is_settled) {
        box->is_settled = true;
        struct lx_failure failure = {
            .op = "secret:pipe",
            .place = box->place,
            .message = "the command was stopped before it had ended",
            .operation = box->operation,
        };
        struct ts_error err;
        ts_error_set(&err, TS_ERR_CANCELLED, "%s", failure.message);
        ts_door_delivered(ts_host_of(L)->door, box->operation, TS_OUTCOME_UNKNOWN, &err);
        lx_note(L, TS_ENTRY_DELIVERY, &failure);
    }
    ts_delivery_cancel(box->delivery);
    box->delivery = NULL;
    if (box->source) {
        box->source->readers--;
        lx_secret_release(box->source);
        box->source = NULL;
    }
    return 0;
}

#define PIPE_BOX_INDEX 3

// s:pipe{ command, words..., timeout = seconds } -> true | nil, err
static int secret_pipe_k(lua_State *L, int status, lua_KContext ctx);
int lx_secret_pipe(lua_State *L)
{
    static const char *const function = "secret:pipe";
    struct secret_box *source = check_secret(L, function);
    check_pipe_keys(L, function);
    int64_t timeout_us = check_timeout(L, function);
    check_can_wait(L);
    lua_settop(L, 2);
    struct pipe_box *box = push_box(L, sizeof *box, PIPE); // self command box
    lua_pushvalue(L, 1);
    lua_setiuservalue(L, PIPE_BOX_INDEX, 1);
    lua_toclose(L, PIPE_BOX_INDEX);
    const char **words = check_words(L, function); // self command box words
    lx_place(L, box->place);
    struct ts_error err;
    enum ts_err code = lx_rehearse_command(L, words[0], &err);
    check_secret(L, function); // again: a finalizer may have closed it meanwhile
    if (code) {
        return push_secret_failure(L, function, box->place, 0, &err);
    }
    if (lx_has_piped(L, source->secret, source->sitekey)) {
        lua_pushboolean(L, true);
        return 1;
    }

    struct ts_loop *loop = ts_host_of(L)->loop;
    box->source = source;
    source->readers++;
    struct ts_delivery_spec spec = {source->secret, source->sitekey, box->place, lx_step(L)};
    if (ts_door_deliver_command(ts_host_of(L)->door, loop, &spec, words, timeout_us, on_delivered,
            box, &box->delivery, &box->operation, &err)) {
        return push_secret_failure(L, function, box->place, box->operation, &err);
    }
    lua_settop(L, PIPE_BOX_INDEX);
    return secret_pipe_k(L, LUA_OK, 0);
}

static int secret_pipe_k(lua_State *L, int status, lua_KContext ctx)
{
    (void)status;
    struct pipe_box *box = lua_touserdata(L, PIPE_BOX_INDEX);
    if (!box->is_done) {
        return ts_task_wait(L, &box->waiter, ctx, secret_pipe_k);
    }
    box->is_settled = true;
    struct ts_error err;
    struct ts_door *door = ts_host_of(L)->door;
    if (ts_delivery_result(box->delivery, &err)) {
        ts_door_delivered(door, box->operation, TS_OUTCOME_NOT_APPLIED, &err);
        return push_secret_failure(L, "secret:pipe", box->place, box->operation, &err);
    }
    ts_door_delivered(door, box->operation, TS_OUTCOME_DONE, NULL);
    door->ledger.delivered[TS_DELIVERY_PIPE]++;
    lua_pushboolean(L, true);
    return 1;
}

void lx_open_secret_pipe(lua_State *L)
{
    lx_metatable(L, PIPE, pipe__gc, NULL, NULL);
}
