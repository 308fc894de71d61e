// SPDX-License-Identifier: MIT
// The native half of the replay (replay.lua), and module `tshost.replay_core`, what it and the
// programs in host/programs need for it.
#include "bindings/replay.h"

#include <string.h>

#include <lauxlib.h>

#include "bindings/client.h"
#include "bindings/host.h"
#include "bindings/image.h"
#include "bindings/modules.h"
#include "bindings/secret.h"
#include "bindings/widget.h"
#include "bindings/widgets.h"
#include "host/base/clock.h"
#include "host/state/journal_origin.h"

#define VERDICTS_MAX ((size_t)64 * 1024 * 1024)

bool lx_is_hidden(lua_State *L, const struct lx_replay *replay, int idx)
{
    if (!replay->hidden) {
        return false;
    }
    idx = lua_absindex(L, idx);
    lua_rawgeti(L, LUA_REGISTRYINDEX, replay->hidden);
    lua_pushvalue(L, idx);
    bool is_hidden = lua_rawget(L, -2) != LUA_TNIL;
    lua_pop(L, 2);
    return is_hidden;
}

// Pushes a function of the Lua half.
static void push_function(lua_State *L, const char *name)
{
    lua_getglobal(L, "require");
    lua_pushliteral(L, "tshost.replay");
    lua_call(L, 1, 1);
    lua_getfield(L, -1, name);
    lua_remove(L, -2);
}

bool lx_has_written(lua_State *L, struct ts_secret *secret, const char *path)
{
    struct ts_door *door = ts_host_of(L)->door;
    bool is_there = ts_host_of(L)->replay && ts_deliver_is_there(secret, path);
    door->ledger.replayed += is_there;
    return is_there;
}

bool lx_has_piped(lua_State *L, struct ts_secret *secret, const char *sitekey)
{
    char mark[TS_SECRET_MARK];
    if (!ts_host_of(L)->replay) {
        return false;
    }
    ts_secret_mark(secret, mark);
    push_function(L, "has_piped");
    lua_pushstring(L, sitekey);
    lua_pushstring(L, mark);
    lua_pushvalue(L, 2);
    lua_call(L, 3, 1);
    bool is_done = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return is_done;
}

bool lx_is_outdated(lua_State *L, const char *sitekey, const char *path)
{
    if (!ts_host_of(L)->replay) {
        return false;
    }
    push_function(L, "is_outdated");
    lua_pushstring(L, sitekey);
    lua_pushstring(L, path);
    lua_call(L, 2, 1);
    bool is_outdated = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return is_outdated;
}

// account() -> the client's, as the journal has it
static int core_account(lua_State *L)
{
    lua_pushstring(L, ts_client_account(check_client(L)));
    return 1;
}

// of_creation(fields) -> the body that widgets.create sends for them
static int core_of_creation(lua_State *L)
{
    struct lx_image image;
    lua_settop(L, 1);
    struct lx_changes *changes = push_changes(L, 1, "widgets.create", true);
    lx_image_init(&image, NULL);
    enum ts_err code = lx_fields_write(&changes->fields, &image.json);
    code = code ? code : ts_widget_body_end(&image.json);
    if (!code) {
        lua_pushlstring(L, ts_buf_text(&image.json.json), image.json.json.len);
    }
    lx_image_fini(&image);
    lx_check_body(L, code);
    return 1;
}

// of_update(sitekey | widget, fields) -> sitekey, changes as widgets.update would make them
static int core_of_update(lua_State *L)
{
    char sitekey[TS_WIDGET_SITEKEY_MAX + 1];
    lua_settop(L, 2);
    check_sitekey(L, 1, "widgets.update", sitekey);
    lua_pushstring(L, sitekey);
    push_changes(L, 2, "widgets.update", false);
    return 2;
}

void push_replayed(lua_State *L, int half, int core)
{
    static const luaL_Reg functions[] = {{"account", core_account},
        {"of_creation", core_of_creation}, {"of_update", core_of_update}, {NULL, NULL}};
    lua_pushvalue(L, core);
    lua_pushvalue(L, lua_upvalueindex(1));
    luaL_setfuncs(L, functions, 1);
    lua_pop(L, 1);
    push_function(L, "wrap");
    lua_pushvalue(L, core);
    lua_pushvalue(L, half);
    lua_call(L, 2, 1);
}

static struct lx_replay *check_replay(lua_State *L)
{
    struct lx_replay *replay = ts_host_of(L)->replay;
    if (!replay) {
        luaL_error(L, "this run resumes none");
    }
    return replay;
}

// hide(set of sitekeys): lists leave these out, as long as they are in the set
static int replay_hide(lua_State *L)
{
    struct lx_replay *replay = check_replay(L);
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    replay->hidden = luaL_ref(L, LUA_REGISTRYINDEX);
    return 0;
}

static enum ts_permission check_permission(lua_State *L, int arg)
{
    enum ts_permission kind = ts_permission_find(luaL_checkstring(L, arg));
    if (kind == TS_ALLOW_COUNT) {
        luaL_argerror(L, arg, "no permission");
    }
    return kind;
}

// use(permission, count): so much of it was used before, and may be asked for again
static int replay_use(lua_State *L)
{
    enum ts_permission kind = check_permission(L, 1);
    lua_Integer count = luaL_checkinteger(L, 2);
    ts_host_of(L)->door->permissions.used[kind] += count;
    check_replay(L)->owed[kind] += count;
    return 0;
}

// answered(permission): one of these has been asked for again
static int replay_answered(lua_State *L)
{
    struct lx_replay *replay = check_replay(L);
    if (!lua_isnoneornil(L, 1)) {
        replay->owed[check_permission(L, 1)]--;
    }
    ts_host_of(L)->door->ledger.replayed++;
    return 0;
}

// tell(JSON array): the summary for programs has these verdicts
static int replay_tell(lua_State *L)
{
    struct ts_buf *verdicts = &check_replay(L)->verdicts;
    ts_buf_fini(verdicts);
    ts_buf_init(verdicts, VERDICTS_MAX);
    if (ts_buf_add_str(verdicts, luaL_checkstring(L, 1))) {
        ts_buf_fini(verdicts);
    }
    return 0;
}

// clock() -> the wall clock in microseconds
static int replay_clock(lua_State *L)
{
    lua_pushinteger(L, (lua_Integer)ts_clock_wall(ts_clock_system()));
    return 1;
}

// mark(secret) -> its fingerprint as the journal has it | nil when it is none
static int replay_mark(lua_State *L)
{
    struct ts_secret *secret = lx_test_secret(L, 1);
    char mark[TS_SECRET_MARK];
    if (!secret) {
        return 0;
    }
    ts_secret_mark(secret, mark);
    lua_pushstring(L, mark);
    return 1;
}

// image(widget) -> JSON of it as the journal has it
static int replay_image(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    struct lx_image *image = push_image(L);
    lx_image_take(L, 1, image);
    lua_pushlstring(L, ts_buf_text(&image->json.json), image->json.json.len);
    lx_image_fini(image);
    return 1;
}

// file_mark(path) -> the fingerprint that a secret would have which the file holds | nil
static int replay_file_mark(lua_State *L)
{
    char mark[TS_SECRET_MARK];
    if (!ts_deliver_mark(ts_host_of(L)->secrets, luaL_checkstring(L, 1), mark)) {
        return 0;
    }
    lua_pushstring(L, mark);
    return 1;
}

// holds(path, secret) -> whether the file holds just that
static int replay_holds(lua_State *L)
{
    const char *path = luaL_checkstring(L, 1);
    struct ts_secret *secret = lx_test_secret(L, 2);
    lua_pushboolean(L, secret && ts_deliver_is_there(secret, path));
    return 1;
}

// is_foreign(number of a create, sitekey) -> whether the widget cannot be what that create made
static int replay_is_foreign(lua_State *L)
{
    struct ts_journal *journal;
    struct ts_error err;
    bool is_foreign = false;
    lua_Integer number = luaL_checkinteger(L, 1);
    const char *sitekey = luaL_checkstring(L, 2);
    enum ts_err code = ts_recorder_journal(&ts_host_of(L)->door->recorder, &journal, &err);
    code = code ? code : ts_journal_is_foreign(journal, number, sitekey, &is_foreign, &err);
    if (code) {
        return luaL_error(L, "%s", err.message);
    }
    lua_pushboolean(L, is_foreign);
    return 1;
}

int luaopen_ts_replay_core(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"answered", replay_answered},
        {"clock", replay_clock},
        {"file_mark", replay_file_mark},
        {"hide", replay_hide},
        {"holds", replay_holds},
        {"image", replay_image},
        {"is_foreign", replay_is_foreign},
        {"mark", replay_mark},
        {"tell", replay_tell},
        {"use", replay_use},
        {NULL, NULL},
    };
    luaL_newlib(L, functions);
    return 1;
}
