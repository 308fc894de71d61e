// SPDX-License-Identifier: MIT
// Helpers for native functions: boxes, options, misuse with the script's file and line.
// Functions marked TS_RAISES may leave by a Lua error: nothing raw may be alive across them.
#ifndef TS_BINDINGS_LX_H
#define TS_BINDINGS_LX_H

#include <stdbool.h>
#include <stddef.h>

#include <lua.h>

#include "host/base/buf.h"
#include "host/base/error.h"
#include "host/ops/ledger.h"

#define TS_RAISES

#define LX_PLACE_MAX 160

// Writes "file.lua:12" for the nearest script function up the stack, passing over C functions and
// embedded modules, then up the coroutines around it, then where the task was spawned; "" when
// there is none. Allocates nothing, does not raise.
void lx_place(lua_State *L, char out[LX_PLACE_MAX]);

// Raises "file.lua:12: message" for a call that no answer of the world could make right.
TS_RAISES int lx_misuse(lua_State *L, const char *format, ...)
    __attribute__((format(printf, 2, 3), noreturn));

// The step of a plan that the running task carries out, 0: none.
int64_t lx_step(lua_State *L);

// Raises err as misuse.
TS_RAISES int lx_misuse_err(lua_State *L, const struct ts_error *err) __attribute__((noreturn));

// Pushes a zeroed userdata of size bytes with the metatable of that name (made by lx_metatable),
// so that the owner exists before what it owns.
TS_RAISES void *push_box(lua_State *L, size_t size, const char *metatable);

// Makes a metatable once: functions in it, close serves both as __gc and __close, methods as
// __index table. __name and __metatable (false) are set. Leaves nothing on the stack.
struct luaL_Reg;
TS_RAISES void lx_metatable(lua_State *L, const char *name, lua_CFunction close,
    const struct luaL_Reg *metamethods, const struct luaL_Reg *methods);

// The userdata at arg with that metatable, NULL when it is something else. Does not raise.
void *lx_test_box(lua_State *L, int arg, const char *metatable);

// The same, but something else is misuse: "what expected, got number".
TS_RAISES void *check_box(lua_State *L, int arg, const char *metatable, const char *what);

// Misuse unless the value at arg is a table or (when may_be_nil) absent, and every key in it is one
// of the NULL-terminated names: "unknown option `pag` in list (did you mean `page`?)".
TS_RAISES void check_options(
    lua_State *L, int arg, const char *function, const char *const *names, bool may_be_nil);

// Pushes a member of the option table at arg, nil where there is no table; returns its type. Raw,
// as check_options looks: what a metamethod made up would not be anchored by the table.
TS_RAISES int push_member(lua_State *L, int arg, const char *name);

// Typed members of the option table at arg; absent gives NULL or the default. The string stays the
// table's; without len it is to be a C string. Misuse when the type is another.
TS_RAISES const char *opt_member_string(
    lua_State *L, int arg, const char *function, const char *name, size_t *len);
TS_RAISES bool opt_member_boolean(
    lua_State *L, int arg, const char *function, const char *name, bool fallback);
TS_RAISES lua_Number opt_member_number(
    lua_State *L, int arg, const char *function, const char *name, lua_Number fallback);

// Replaces the table on top of the stack by a face of it that cannot be changed and where a missing
// name is misuse: "turnstile.widgets has no `creat` (did you mean `create`?)".
TS_RAISES void lx_seal(lua_State *L, const char *name);

// Misuse when the value at arg is a sealed table: widgets:list{...} for widgets.list{...}.
TS_RAISES void check_dot(lua_State *L, int arg, const char *function);

// What err a native function gives back when the world said no: pushes nil and the error table.
// Strings are copied into Lua; NULL or "" leaves the field out.
struct lx_failure {
    const char *kind; // transport timeout http api decode refused cancelled
    const char *op;   // "create"
    const char *sitekey;
    const char *name;    // of a widget without a sitekey; for the ledger alone
    const char *message; // one line, no secret
    const char *ray;
    const char *outcome; // for writes: "not_applied" or "unknown"
    const char *place;   // "file.lua:12"
    const char *flag;    // the option that a refusal asks for; static; for the ledger alone
    unsigned wanted;     // the permissions that it would have taken; for the ledger alone
    long status;         // 0: none
    bool has_code;
    long long code;
    bool is_retryable;
    int attempts;
    int errors;       // stack index of the envelope's error list, 0: none
    size_t entry;     // the ledger's number, for forgive; 0: none
    size_t operation; // the recorder's handle; 0: none
};

// Pushes nil, err. Returns 2.
TS_RAISES int push_failure(lua_State *L, const struct lx_failure *failure);

// Notes the failure in the ledger as that kind, which needs all of it but entry. Returns its
// number.
size_t lx_note(lua_State *L, enum ts_entry_kind kind, const struct lx_failure *failure);

// The ledger's number of an error table at idx; 0 when it is none of ours or was not noted.
size_t lx_failure_entry(lua_State *L, int idx);

// The kind of an error table at idx, NULL when the value is not one of ours. Borrowed.
const char *lx_failure_kind(lua_State *L, int idx);

// Registers the error table's metatable; called once at set-up.
TS_RAISES void lx_open_failure(lua_State *L);

#endif
