// SPDX-License-Identifier: MIT
// csv.open iterates over a file's records; csv_line.c writes them.
// The reader's box exists before the file is opened and is the loop's closing value.
#include "bindings/csv.h"

#include <string.h>

#include <lauxlib.h>

#include "bindings/csv_reader.h"
#include "host/base/suggest.h"
#include "host/base/str.h"

#define READER "csv.reader"
#define OPEN "csv.open"
#define COLUMN_SHOWN 64

// Indexes in csv.open; the reader's user value is the array of column names, nil without a header.
enum { ARG_PATH = 1, ARG_OPTIONS, READER_INDEX, COLUMNS_INDEX, SEEN_INDEX };

// Closes the file and raises: the collector would, but later.
TS_RAISES static int raise_complaint(
    lua_State *L, struct ts_csv_reader *reader, const struct ts_error *err)
{
    ts_csv_reader_fini(reader);
    lua_pushstring(L, err->message);
    return lua_error(L);
}

static int reader__gc(lua_State *L)
{
    ts_csv_reader_fini(lua_touserdata(L, 1));
    return 0;
}

// The member is absent or a list of column names. Pushes it.
TS_RAISES static void push_names(lua_State *L, const char *member)
{
    int type = push_member(L, ARG_OPTIONS, member);
    if (type != LUA_TNIL && type != LUA_TTABLE) {
        lx_misuse(L, "%s: `%s` must be a list of column names", OPEN, member);
    }
    lua_Integer count = type == LUA_TTABLE ? (lua_Integer)lua_rawlen(L, -1) : 0;
    for (lua_Integer i = 1; i <= count; i++) {
        if (lua_rawgeti(L, -1, i) != LUA_TSTRING) {
            lx_misuse(L, "%s: `%s` must be a list of column names", OPEN, member);
        }
        lua_pop(L, 1);
    }
}

// The header record into the array at COLUMNS_INDEX and the name -> true table at SEEN_INDEX.
TS_RAISES static void read_columns(lua_State *L, struct ts_csv_reader *reader)
{
    struct ts_error err;
    bool is_there;
    if (ts_csv_reader_next(reader, &is_there, &err)) {
        raise_complaint(L, reader, &err);
    }
    if (!is_there) {
        ts_error_set(
            &err, TS_ERR_INVALID, "%s:1: the file is empty, not even a header", reader->name);
        raise_complaint(L, reader, &err);
    }
    for (size_t i = 0; i < reader->fields; i++) {
        size_t len;
        const char *name = ts_csv_reader_field(reader, i, &len);
        lua_pushlstring(L, name, len);
        lua_pushvalue(L, -1);
        bool is_twice = lua_rawget(L, SEEN_INDEX) != LUA_TNIL; // name value
        lua_pop(L, 1);
        if (len == 0 || is_twice) {
            ts_error_set(&err, TS_ERR_INVALID, "%s:%zu: column %zu %s%.*s%s", reader->name,
                reader->record_line, i + 1, is_twice ? "has the name \"" : "has no name",
                (int)(len < COLUMN_SHOWN ? len : COLUMN_SHOWN), name,
                is_twice ? "\" of an earlier one" : "");
            raise_complaint(L, reader, &err);
        }
        lua_pushvalue(L, -1);
        lua_pushboolean(L, true);
        lua_rawset(L, SEEN_INDEX);
        lua_rawseti(L, COLUMNS_INDEX, (lua_Integer)i + 1);
    }
}

// Adds the strings of the list on top to names, which Lua anchors in the option table. Pops it.
TS_RAISES static size_t take_names(lua_State *L, const char **names, size_t count)
{
    lua_Integer len = lua_isnil(L, -1) ? 0 : (lua_Integer)lua_rawlen(L, -1);
    for (lua_Integer i = 1; i <= len && count < TS_CSV_COLUMNS_MAX; i++) {
        lua_rawgeti(L, -1, i);
        names[count++] = lua_tostring(L, -1);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    return count;
}

TS_RAISES static void check_required(lua_State *L, struct ts_csv_reader *reader)
{
    push_names(L, "required");
    lua_Integer count = lua_isnil(L, -1) ? 0 : (lua_Integer)lua_rawlen(L, -1);
    for (lua_Integer i = 1; i <= count; i++) {
        lua_rawgeti(L, -1, i);
        lua_pushvalue(L, -1);
        if (lua_rawget(L, SEEN_INDEX) == LUA_TNIL) {
            const char *names[TS_CSV_COLUMNS_MAX + 1];
            lua_pushvalue(L, COLUMNS_INDEX);
            names[take_names(L, names, 0)] = NULL;
            struct ts_error err;
            char hint[TS_SUGGEST_MAX];
            ts_suggest(lua_tostring(L, -2), names, hint);
            // One column with semicolons in its name: a list separator of the other half of Europe.
            bool is_other = names[0] && !names[1] && strchr(names[0], ';');
            ts_error_set(&err, TS_ERR_INVALID, "%s:%zu: there is no column \"%s\"%s", reader->name,
                reader->record_line, lua_tostring(L, -2),
                is_other ? " (the line is separated by ; where , is expected)" : hint);
            raise_complaint(L, reader, &err);
        }
        lua_pop(L, 2);
    }
    lua_pop(L, 1);
}

// A column that is neither known nor required is more likely misspelt than meant to be ignored.
TS_RAISES static void check_known(lua_State *L, struct ts_csv_reader *reader)
{
    push_names(L, "known");
    if (lua_isnil(L, -1)) {
        lua_pop(L, 1);
        return;
    }
    const char *names[TS_CSV_COLUMNS_MAX + 1];
    size_t count = take_names(L, names, 0);
    push_names(L, "required");
    count = take_names(L, names, count);
    names[count] = NULL;
    for (size_t i = 0; i < reader->fields; i++) {
        lua_rawgeti(L, COLUMNS_INDEX, (lua_Integer)i + 1);
        const char *column = lua_tostring(L, -1);
        size_t known = 0;
        while (known < count && !ts_str_is(names[known], column)) {
            known++;
        }
        if (known == count) {
            struct ts_error err;
            char hint[TS_SUGGEST_MAX];
            ts_suggest(column, names, hint);
            ts_error_set(&err, TS_ERR_INVALID, "%s:%zu: unknown column \"%.*s\"%s", reader->name,
                reader->record_line, COLUMN_SHOWN, column, hint);
            raise_complaint(L, reader, &err);
        }
        lua_pop(L, 1);
    }
}

TS_RAISES static void push_row(lua_State *L, const struct ts_csv_reader *reader, bool has_header)
{
    lua_createtable(L, has_header ? 0 : (int)reader->fields, has_header ? (int)reader->fields : 0);
    for (size_t i = 0; i < reader->fields; i++) {
        size_t len;
        const char *field = ts_csv_reader_field(reader, i, &len);
        if (has_header) {
            lua_rawgeti(L, -2, (lua_Integer)i + 1); // columns row name
            lua_pushlstring(L, field, len);
            lua_rawset(L, -3);
        } else {
            lua_pushlstring(L, field, len);
            lua_rawseti(L, -2, (lua_Integer)i + 1);
        }
    }
}

// The loop's function: reader -> row, line | nil
static int reader_next(lua_State *L)
{
    struct ts_csv_reader *reader = check_box(L, 1, READER, "csv: a reader");
    lua_settop(L, 1);
    if (!reader->file) {
        return lx_misuse(L, "csv: the file is closed");
    }
    bool has_header = lua_getiuservalue(L, 1, 1) == LUA_TTABLE; // reader columns
    struct ts_error err;
    bool is_there;
    if (ts_csv_reader_next(reader, &is_there, &err)) {
        return raise_complaint(L, reader, &err);
    }
    if (!is_there) {
        ts_csv_reader_fini(reader);
        lua_pushnil(L);
        return 1;
    }
    size_t columns = has_header ? (size_t)lua_rawlen(L, 2) : reader->fields;
    if (reader->fields != columns) {
        ts_error_set(&err, TS_ERR_INVALID, "%s:%zu: %zu field%s, but the header has %zu",
            reader->name, reader->record_line, reader->fields, reader->fields == 1 ? "" : "s",
            columns);
        return raise_complaint(L, reader, &err);
    }
    push_row(L, reader, has_header);
    lua_pushinteger(L, (lua_Integer)reader->record_line);
    return 2;
}

TS_RAISES static char check_delimiter(lua_State *L)
{
    size_t len = 1;
    const char *text = opt_member_string(L, ARG_OPTIONS, OPEN, "delimiter", &len);
    if (text && (len != 1 || strchr("\"\r\n", text[0]) || (unsigned char)text[0] > 0x7e)) {
        lx_misuse(L, "%s: `delimiter` must be one ASCII character, not a quote or newline", OPEN);
    }
    return text ? text[0] : ',';
}

// csv.open(path [, { header, delimiter, required, known }]) -> next, reader, nil, reader
static int csv_open(lua_State *L)
{
    static const char *const options[] = {"header", "delimiter", "required", "known", NULL};
    if (lua_type(L, ARG_PATH) != LUA_TSTRING) {
        lx_misuse(L, "%s: a path expected, got %s", OPEN, luaL_typename(L, ARG_PATH));
    }
    const char *path = lua_tostring(L, ARG_PATH);
    if (strlen(path) != lua_rawlen(L, ARG_PATH)) {
        lx_misuse(L, "%s: the path has a NUL byte in it", OPEN);
    }
    check_options(L, ARG_OPTIONS, OPEN, options, true);
    bool has_header = opt_member_boolean(L, ARG_OPTIONS, OPEN, "header", true);
    char delimiter = check_delimiter(L);
    lua_settop(L, ARG_OPTIONS);

    struct ts_csv_reader *reader = push_box(L, sizeof *reader, READER);
    struct ts_error err;
    if (ts_csv_reader_init(reader, path, delimiter, &err)) {
        lx_misuse_err(L, &err);
    }
    lua_newtable(L);
    lua_newtable(L); // path options reader columns seen
    if (has_header) {
        read_columns(L, reader);
        check_required(L, reader);
        check_known(L, reader);
        lua_pushvalue(L, COLUMNS_INDEX);
        lua_setiuservalue(L, READER_INDEX, 1);
    }
    lua_pushcfunction(L, reader_next);
    lua_pushvalue(L, READER_INDEX);
    lua_pushnil(L);
    lua_pushvalue(L, READER_INDEX);
    return 4;
}

int luaopen_csv(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"open", csv_open}, {"encode", lx_csv_encode}, {NULL, NULL}};
    lx_metatable(L, READER, reader__gc, NULL, NULL);
    luaL_newlib(L, functions);
    return 1;
}
