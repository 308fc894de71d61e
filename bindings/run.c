// SPDX-License-Identifier: MIT
// Module `tshost.run`: what the programs in host/programs ask of the run they are part of, and tell
// it. Not for scripts.
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <lauxlib.h>

#include "bindings/host.h"
#include "bindings/interrupt.h"
#include "bindings/modules.h"
#include "bindings/sched.h"
#include "bindings/widget.h"
#include "bindings/widgets.h"
#include "host/api/queue.h"
#include "host/base/str.h"

#define US_PER_S 1e6
#define HOST_MAX 256

// account() -> the configured account | nil
static int run_account(lua_State *L)
{
    struct ts_host *host = ts_host_of(L);
    lua_pushstring(L, host->account(host)); // NULL pushes nil
    return 1;
}

// origin() -> where it is, as in the journal: a base URL, or "sandbox:" and a path
static int run_origin(lua_State *L)
{
    struct ts_host *host = ts_host_of(L);
    lua_pushstring(L, host->origin(host));
    return 1;
}

// id() -> the run's id in the journal, "" while it has none
static int run_id(lua_State *L)
{
    lua_pushstring(L, ts_recorder_run(&ts_host_of(L)->door->recorder));
    return 1;
}

// is_here(host) -> whether a run of that host, as the journal has it, is one of this machine, whose
// processes can be seen. A container has another name each time: nobody writes a journal from two
// machines at once, so what is left to keep such a run and this one apart is the account's lock.
static int run_is_here(lua_State *L)
{
    char here[HOST_MAX] = "";
    gethostname(here, sizeof here - 1);
    lua_pushboolean(L, ts_str_is(luaL_optstring(L, 1, here), here));
    return 1;
}

// settings() -> --concurrency, --fresh in seconds
static int run_settings(lua_State *L)
{
    const struct ts_host *host = ts_host_of(L);
    lua_pushinteger(L, (lua_Integer)host->queue->limit);
    lua_pushnumber(L, (lua_Number)host->fresh_us / US_PER_S);
    return 2;
}

static const char *opt_text(lua_State *L, const char *name)
{
    lua_getfield(L, 1, name); // anchored by the table
    const char *text = lua_tostring(L, -1);
    lua_pop(L, 1);
    return text;
}

// begin{ of =, script =, plan_id =, plan = } -> id | nil, message: puts the run into the journal;
// what it may not do because its plan was applied before, it is told. Raises when that fails
// otherwise.
static int run_begin(lua_State *L)
{
    struct ts_host *host = ts_host_of(L);
    struct ts_error err;
    luaL_checktype(L, 1, LUA_TTABLE);
    struct ts_purpose purpose = {
        .of = opt_text(L, "of"),
        .script = opt_text(L, "script"),
        .plan_id = opt_text(L, "plan_id"),
        .plan = opt_text(L, "plan"),
    };
    enum ts_err code = host->begin(host, &purpose, &err);
    if (code == TS_ERR_EXISTS) {
        lua_pushnil(L);
        lua_pushstring(L, err.message);
        return 2;
    }
    if (code) {
        struct lx_failure failure = {.message = err.message};
        lx_note(L, TS_ENTRY_JOURNAL, &failure);
        lx_misuse_err(L, &err);
    }
    return run_id(L);
}

// Reads the table at index 1.
TS_RAISES static void check_needs(lua_State *L, struct ts_needs *needs)
{
    *needs = (struct ts_needs){0};
    luaL_checktype(L, 1, LUA_TTABLE);
    for (int kind = 0; kind < TS_ALLOW_COUNT; kind++) {
        lua_getfield(L, 1, ts_permission_name((enum ts_permission)kind));
        needs->count[kind] = lua_tointeger(L, -1);
        lua_pop(L, 1);
    }
    lua_getfield(L, 1, "deliveries");
    needs->deliveries = lua_tointeger(L, -1);
    lua_pop(L, 1);
}

// shortage{ create =, update =, delete =, rotate =, ["any-hostname"] =, deliveries = } -> nil when
// so much is allowed, else what is short and the options that let it pass
static int run_shortage(lua_State *L)
{
    struct ts_needs needs;
    struct ts_error err;
    check_needs(L, &needs);
    if (!ts_permissions_check_all(&ts_host_of(L)->door->permissions, &needs, &err)) {
        return 0;
    }
    lua_pushstring(L, err.message);
    return 1;
}

// options(needs, as above) -> the options that let so much pass, beside those given; "": none
static int run_options(lua_State *L)
{
    struct ts_needs needs;
    char text[TS_PERMISSIONS_TEXT_MAX];
    check_needs(L, &needs);
    ts_permissions_options_missing(&ts_host_of(L)->door->permissions, &needs, text);
    lua_pushstring(L, text);
    return 1;
}

// check_fields(fields, is_creation): raises, saying what is wrong with them
static int run_check_fields(lua_State *L)
{
    bool is_creation = lua_toboolean(L, 2);
    lua_settop(L, 1);
    push_changes(L, 1, is_creation ? "create" : "update", is_creation);
    return 0;
}

// enter(directory) -> true | nil, message: commands run there from now on
static int run_enter(lua_State *L)
{
    const char *directory = luaL_checkstring(L, 1);
    if (chdir(directory) != 0) {
        struct ts_error err;
        ts_error_set_errno(&err, errno, "%s", directory);
        lua_pushnil(L);
        lua_pushstring(L, err.message);
        return 2;
    }
    lua_pushboolean(L, 1);
    return 1;
}

// set_step(number): what the running task does from now on belongs to that step of the plan; 0: to
// none
static int run_set_step(lua_State *L)
{
    struct ts_task *current = ts_host_of(L)->sched->current;
    current->step = luaL_checkinteger(L, 1);
    current->place[0] = '\0';
    if (current->step > 0) {
        snprintf(current->place, sizeof current->place, "step %lld", (long long)current->step);
    }
    return 0;
}

// writes(widgets) -> the Lua half behind that table of functions, see bindings/widgets.lua
static int run_writes(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    push_widgets_half(L, 1);
    return 1;
}

// note(operation, sitekey, message): counts a delivery that could not even begin
static int run_note(lua_State *L)
{
    // The ledger keeps the operation's name, and outlives the state.
    static const char *const ops[] = {"secret:write", "secret:pipe", NULL};
    struct lx_failure failure = {
        .op = ops[luaL_checkoption(L, 1, NULL, ops)],
        .sitekey = luaL_checkstring(L, 2),
        .message = luaL_checkstring(L, 3),
        .place = ts_host_of(L)->sched->current->place,
    };
    lx_note(L, TS_ENTRY_DELIVERY, &failure);
    return 0;
}

// fail(exit status, message): says it and ends the run
static int run_fail(lua_State *L)
{
    struct ts_host *host = ts_host_of(L);
    lua_Integer status = luaL_checkinteger(L, 1);
    ts_log_line(host->log, TS_LOG_QUIET, "tshost: %s", luaL_checkstring(L, 2));
    host->exit_request = (int)status;
    lx_interrupt(L);
}

int luaopen_ts_run(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"account", run_account},
        {"begin", run_begin},
        {"check_fields", run_check_fields},
        {"enter", run_enter},
        {"fail", run_fail},
        {"id", run_id},
        {"is_here", run_is_here},
        {"note", run_note},
        {"options", run_options},
        {"origin", run_origin},
        {"set_step", run_set_step},
        {"settings", run_settings},
        {"shortage", run_shortage},
        {"writes", run_writes},
        {NULL, NULL},
    };
    lx_open_changes(L);
    luaL_newlib(L, functions);
    return 1;
}
