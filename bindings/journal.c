// SPDX-License-Identifier: MIT
// Module `tshost.journal`: what the journal holds, for the programs behind `tshost log`, `resume`,
// `undo` and the like. Rows are read to the end before the first one becomes a Lua value: memory
// that ends in between must not leave SQLite in the middle of them.
#include <string.h>

#include <lauxlib.h>

#include "bindings/host.h"
#include "bindings/json_decode.h"
#include "bindings/modules.h"
#include "host/base/text.h"
#include "host/ops/recorder.h"
#include "host/state/journal_read.h"

#define ROWS "tshost.journal.rows"
#define ROWS_MAX ((size_t)1 << 32)

struct rows {
    struct ts_buf text; // JSON, a NUL behind each row
    size_t at;
    enum ts_err code; // of the last row that could not be kept
};

static int rows__gc(lua_State *L)
{
    struct rows *rows = lua_touserdata(L, 1);
    ts_buf_fini(&rows->text);
    return 0;
}

// Paths, words of commands and the like are any bytes, and JSON is not: what is no UTF-8 becomes
// U+FFFD, so that one such row does not hide all the others.
static bool on_row(void *owner, const char *json, size_t len)
{
    struct rows *rows = owner;
    size_t start = 0, at = 0;
    while (at < len && !rows->code) {
        uint32_t point;
        size_t size = ts_text_read(json + at, len - at, &point);
        if (size == 0) {
            rows->code = ts_buf_add(&rows->text, json + start, at - start);
            rows->code = rows->code ? rows->code : ts_buf_add_str(&rows->text, "\xEF\xBF\xBD");
            start = at + 1;
        }
        at += size ? size : 1;
    }
    // The rest, and the NUL that it ends with.
    rows->code = rows->code ? rows->code : ts_buf_add(&rows->text, json + start, len - start + 1);
    return !rows->code;
}

static struct rows *push_rows(lua_State *L)
{
    struct rows *rows = push_box(L, sizeof *rows, ROWS);
    ts_buf_init(&rows->text, ROWS_MAX);
    return rows;
}

// The next row of the box in upvalue 1, decoded, or as text where upvalue 2 says so; nil behind the
// last.
static int rows_next(lua_State *L)
{
    struct rows *rows = lua_touserdata(L, lua_upvalueindex(1));
    if (rows->at >= rows->text.len) {
        ts_buf_fini(&rows->text);
        rows->at = 0;
        return 0;
    }
    const char *json = rows->text.data + rows->at;
    size_t len = strlen(json);
    rows->at += len + 1;
    char why[TS_ERROR_MESSAGE_MAX];
    if (lua_toboolean(L, lua_upvalueindex(2))) {
        lua_pushlstring(L, json, len);
    } else if (!push_json(L, json, len, why)) {
        return luaL_error(L, "the journal holds what is no JSON: %s", why);
    }
    return 1;
}

// A journal that cannot be used ends the program, whose line is nobody's business.
TS_RAISES static int raise_unusable(lua_State *L, const struct ts_error *err)
{
    struct lx_failure failure = {.message = err->message};
    lx_note(L, TS_ENTRY_JOURNAL, &failure);
    lua_pushstring(L, err->message);
    return lua_error(L);
}

TS_RAISES static struct ts_journal *check_journal(lua_State *L)
{
    struct ts_journal *journal;
    struct ts_error err;
    if (ts_recorder_journal(&ts_host_of(L)->door->recorder, &journal, &err)) {
        raise_unusable(L, &err);
    }
    return journal;
}

// What a reader gives for the run at index 1: an iterator over its rows. Raises when the journal
// cannot be read.
static int push_reading(
    lua_State *L, enum ts_err (*read)(struct ts_journal *journal, const char *id,
                      ts_journal_row_fn on_row, void *owner, struct ts_error *err))
{
    struct ts_error err;
    const char *id = luaL_optstring(L, 1, NULL);
    lua_settop(L, 2);
    struct ts_journal *journal = check_journal(L);
    struct rows *rows = push_rows(L);
    enum ts_err code = read(journal, id, on_row, rows, &err);
    if (!code && rows->code) {
        code = ts_error_set(&err, rows->code, "not enough memory for what the journal holds");
    }
    if (code) {
        return raise_unusable(L, &err);
    }
    lua_pushvalue(L, 2);
    lua_pushcclosure(L, rows_next, 2);
    return 1;
}

// runs([id [, as_text]]) -> iterator
static int journal_runs(lua_State *L)
{
    return push_reading(L, ts_journal_read_runs);
}

// chain(id [, as_text]) -> iterator
static int journal_chain(lua_State *L)
{
    luaL_checkstring(L, 1);
    return push_reading(L, ts_journal_read_chain);
}

// operations(id [, as_text]) -> iterator
static int journal_operations(lua_State *L)
{
    luaL_checkstring(L, 1);
    return push_reading(L, ts_journal_read_operations);
}

// plan(id [, as_text]) -> iterator
static int journal_plan(lua_State *L)
{
    luaL_checkstring(L, 1);
    return push_reading(L, ts_journal_read_plan);
}

static enum ts_err read_findings(struct ts_journal *journal, const char *id,
    ts_journal_row_fn on_finding, void *owner, struct ts_error *err)
{
    (void)id;
    return ts_journal_verify(journal, on_finding, owner, err);
}

// verify() -> iterator over findings, one line each
static int journal_verify(lua_State *L)
{
    lua_settop(L, 0);
    return push_reading(L, read_findings);
}

// find(text) -> id | nil, message
static int journal_find(lua_State *L)
{
    char id[TS_RUN_ID_MAX];
    struct ts_error err;
    enum ts_err code = ts_journal_find(check_journal(L), luaL_checkstring(L, 1), id, &err);
    if (code && code != TS_ERR_USAGE) {
        return raise_unusable(L, &err);
    }
    if (code) {
        lua_pushnil(L);
        lua_pushstring(L, err.message);
        return 2;
    }
    lua_pushstring(L, id);
    return 1;
}

// prune(wall clock in microseconds) -> number of runs removed
static int journal_prune(lua_State *L)
{
    int64_t count;
    struct ts_error err;
    if (ts_journal_prune(check_journal(L), luaL_checkinteger(L, 1), &count, &err)) {
        return raise_unusable(L, &err);
    }
    lua_pushinteger(L, (lua_Integer)count);
    return 1;
}

// path() -> where it is
static int journal_path(lua_State *L)
{
    lua_pushstring(L, ts_journal_path(check_journal(L)));
    return 1;
}

static const char *opt_text(lua_State *L, const char *name, size_t *len)
{
    lua_getfield(L, 2, name); // anchored by the table
    const char *text = lua_type(L, -1) == LUA_TSTRING ? lua_tolstring(L, -1, len) : NULL;
    lua_pop(L, 1);
    return text;
}

// settle(number, { state =, sitekey =, after =, after_mark =, error = }): what reading has shown of
// an operation of whatever run; durable when it returns. `after` is JSON.
static int journal_settle(lua_State *L)
{
    static const char *const names[] = {"done", "not_applied", "unknown", NULL};
    static const enum ts_operation_state states[] = {
        TS_OPERATION_DONE, TS_OPERATION_NOT_APPLIED, TS_OPERATION_UNKNOWN};
    lua_Integer number = luaL_checkinteger(L, 1);
    luaL_checktype(L, 2, LUA_TTABLE);
    lua_settop(L, 2);
    lua_getfield(L, 2, "state");
    struct ts_journal_outcome outcome = {.state = states[luaL_checkoption(L, 3, NULL, names)]};
    outcome.sitekey = opt_text(L, "sitekey", NULL);
    outcome.after = opt_text(L, "after", &outcome.after_len);
    outcome.after_mark = opt_text(L, "after_mark", NULL);
    outcome.error = opt_text(L, "error", NULL);
    struct ts_journal *journal = check_journal(L);
    struct ts_error err;
    enum ts_err code = ts_journal_settle(journal, number, &outcome, &err);
    code = code ? code : ts_journal_commit(journal, &err);
    return code ? raise_unusable(L, &err) : 0;
}

int luaopen_ts_journal(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"chain", journal_chain},
        {"find", journal_find},
        {"operations", journal_operations},
        {"path", journal_path},
        {"plan", journal_plan},
        {"prune", journal_prune},
        {"runs", journal_runs},
        {"settle", journal_settle},
        {"verify", journal_verify},
        {NULL, NULL},
    };
    lx_metatable(L, ROWS, rows__gc, NULL, NULL);
    luaL_newlib(L, functions);
    return 1;
}
