// SPDX-License-Identifier: MIT
// coroutine.resume, wrap, status and close for scripts inside tasks. A native call that waits
// inside a coroutine of the script suspends the whole task: the resume around it passes the wait
// outwards. Otherwise they behave as Lua's own (Lua 5.4 reference manual, 6.2).
#include "bindings/modules.h"

#include <stdbool.h>

#include <lauxlib.h>

#include "bindings/host.h"
#include "bindings/interrupt.h"
#include "bindings/sched.h"

static const char
    waits_key; // registry: weak table of coroutine -> whether it waits for the network

static void waits_set(lua_State *L, lua_State *co, bool is_waiting)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &waits_key);
    luaL_checkstack(co, 1, NULL); // it may be in the middle of filling it
    lua_pushthread(co);
    lua_xmove(co, L, 1);
    lua_pushboolean(L, is_waiting);
    lua_rawset(L, -3);
    lua_pop(L, 1);
}

static bool is_waiting(lua_State *L, int thread)
{
    thread = lua_absindex(L, thread);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &waits_key);
    lua_pushvalue(L, thread);
    lua_rawget(L, -2);
    bool result = lua_toboolean(L, -1);
    lua_pop(L, 2);
    return result;
}

static const char *status_of(lua_State *L, lua_State *co, int thread)
{
    lua_Debug ar;
    if (L == co) {
        return "running";
    }
    switch (lua_status(co)) {
    case LUA_YIELD:
        return is_waiting(L, thread) ? "normal" : "suspended";
    case LUA_OK:
        if (lua_getstack(co, 0, &ar)) {
            return "normal";
        }
        return lua_gettop(co) == 0 ? "dead" : "suspended";
    default:
        return "dead";
    }
}

static lua_State *check_thread(lua_State *L)
{
    lua_State *co = lua_tothread(L, 1);
    if (!co) {
        luaL_typeerror(L, 1, "coroutine");
    }
    return co;
}

// Which of the two is running; a continuation finds it in its context.
enum resume_kind { RESUME, WRAP };

static int resume_k(lua_State *L, int status, lua_KContext ctx);

// Resumes co with the nargs values on top of co's stack. Gives the number of results, moved to L;
// -1 with the error value on L; or -2 when a wait has to be passed on.
static int resume_once(lua_State *L, lua_State *co, int nargs, enum resume_kind kind)
{
    struct ts_sched *sched = ts_host_of(L)->sched;
    struct ts_frame frame = {.from = L, .up = sched->frames};
    int results = 0;
    waits_set(L, co, false); // makes room now, so that marking the wait cannot fail
    sched->frames = &frame;
    sched->inner = co;
    ts_interrupt_limit(sched, co);
    int status = lua_resume(co, L, nargs, &results);
    sched->inner = L;
    sched->frames = frame.up;
    ts_interrupt_limit(sched, L);
    if (status == LUA_YIELD && sched->current && sched->current->state == TS_TASK_WAITING) {
        waits_set(L, co, true);
        return -2;
    }
    if (status != LUA_OK && status != LUA_YIELD) {
        // Nobody else can close it; its __close handlers see the error. At the end of the task
        // nobody would.
        bool is_last = kind == WRAP || (sched->current && sched->current->is_interrupted);
        if (is_last) {
            sched->closing++;
            lua_resetthread(co);
            sched->closing--;
        }
        lua_xmove(co, L, 1);
        if (lx_is_final(L)) {
            lua_error(L);
        }
        return -1;
    }
    if (!lua_checkstack(L, results + 1)) {
        lua_pop(co, results);
        lua_pushliteral(L, "too many results to resume");
        return -1;
    }
    lua_xmove(co, L, results);
    return results;
}

// How coroutine.resume answers: true, values... or false, error.
static int resume_finish(lua_State *L, int results)
{
    if (results < 0) {
        lua_pushboolean(L, 0);
        lua_insert(L, -2);
        return 2;
    }
    lua_pushboolean(L, 1);
    lua_insert(L, -(results + 1));
    return results + 1;
}

// How a wrapped coroutine answers: values, or the error raised in the caller.
static int wrap_finish(lua_State *L, int results)
{
    if (results >= 0) {
        return results;
    }
    if (lua_type(L, -1) == LUA_TSTRING) {
        luaL_where(L, 1);
        lua_insert(L, -2);
        lua_concat(L, 2);
    }
    return lua_error(L);
}

static int resume_step(lua_State *L, lua_State *co, int nargs, enum resume_kind kind)
{
    int results = resume_once(L, co, nargs, kind);
    if (results == -2) {
        return lua_yieldk(L, 0, (lua_KContext)kind, resume_k);
    }
    return kind == RESUME ? resume_finish(L, results) : wrap_finish(L, results);
}

static int resume_k(lua_State *L, int status, lua_KContext ctx)
{
    (void)status;
    lua_State *co = lua_tothread(L, ctx == RESUME ? 1 : lua_upvalueindex(1));
    return resume_step(L, co, 0, (enum resume_kind)ctx);
}

static int resume_begin(lua_State *L, lua_State *co, int thread, int nargs, enum resume_kind kind)
{
    const char *status = status_of(L, co, thread);
    if (status[0] != 's') {
        lua_pushfstring(
            L, "cannot resume %s coroutine", status[0] == 'd' ? "dead" : "non-suspended");
        return kind == RESUME ? resume_finish(L, -1) : wrap_finish(L, -1);
    }
    if (!lua_checkstack(co, nargs)) {
        lua_pushliteral(L, "too many arguments to resume");
        return kind == RESUME ? resume_finish(L, -1) : wrap_finish(L, -1);
    }
    lua_xmove(L, co, nargs);
    return resume_step(L, co, nargs, kind);
}

static int co_resume(lua_State *L)
{
    lua_State *co = check_thread(L);
    return resume_begin(L, co, 1, lua_gettop(L) - 1, RESUME);
}

static int co_wrapped(lua_State *L)
{
    lua_State *co = lua_tothread(L, lua_upvalueindex(1));
    return resume_begin(L, co, lua_upvalueindex(1), lua_gettop(L), WRAP);
}

static int co_create(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TFUNCTION);
    lua_State *co = lua_newthread(L);
    lua_sethook(co, NULL, 0, 0);
    lua_pushvalue(L, 1);
    lua_xmove(L, co, 1);
    return 1;
}

static int co_wrap(lua_State *L)
{
    co_create(L);
    lua_pushcclosure(L, co_wrapped, 1);
    return 1;
}

static int co_status(lua_State *L)
{
    lua_pushstring(L, status_of(L, check_thread(L), 1));
    return 1;
}

static int co_close(lua_State *L)
{
    lua_State *co = check_thread(L);
    const char *status = status_of(L, co, 1);
    if (status[0] == 'n' || status[0] == 'r') {
        return luaL_error(L, "cannot close a %s coroutine", status);
    }
    struct ts_sched *sched = ts_host_of(L)->sched;
    sched->closing++;
    int result = lua_resetthread(co);
    sched->closing--;
    lua_pushboolean(L, result == LUA_OK);
    if (result != LUA_OK) {
        lua_xmove(co, L, 1);
        return lx_is_final(L) ? lua_error(L) : 2;
    }
    return 1;
}

void ts_open_coroutine(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"resume", co_resume},
        {"wrap", co_wrap},
        {"create", co_create},
        {"status", co_status},
        {"close", co_close},
        {NULL, NULL},
    };
    lua_newtable(L);
    lua_createtable(L, 0, 1);
    lua_pushliteral(L, "k");
    lua_setfield(L, -2, "__mode");
    lua_setmetatable(L, -2);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &waits_key);
    lua_getglobal(L, "coroutine");
    luaL_setfuncs(L, functions, 0);
    lua_pop(L, 1);
}
