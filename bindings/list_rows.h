// SPDX-License-Identifier: MIT
// The rows of a page of a list. They stay in the text of its answer, which is checked as a whole
// when it comes, and become tables as they are taken: a thousand tables made at once would be out
// of the processor's caches when their turn comes, and Lua would go over all of them again and
// again while they wait.
#ifndef TS_BINDINGS_LIST_ROWS_H
#define TS_BINDINGS_LIST_ROWS_H

#include <stdbool.h>
#include <stdint.h>

#include <lua.h>

#include "bindings/envelope.h"
#include "bindings/json_text.h"
#include "bindings/lx.h"
#include "host/base/buf.h"

#define LX_MODIFIED_MAX 40

// User value 1 is the metatable of the rows (snapshot.h), 2 their array where they were decoded at
// once.
struct lx_rows {
    struct ts_buf text;
    struct lx_json json; // at the next row
    lua_Integer count;   // of all rows
    lua_Integer taken;
    char newest[LX_MODIFIED_MAX]; // the latest modified_on of all rows, as text
    bool is_list;                 // the result was one
    bool has_secrets;             // though lists hold none: their text is not kept
    bool is_busy; // in the middle of a row; also after an error has been raised from it
};

// Registers the metatable; called once at set-up.
TS_RAISES void lx_open_rows(lua_State *L);

// Pushes the box of a page without rows, which began and ended then and whose list's reading is at
// the index `reading`.
TS_RAISES struct lx_rows *push_rows(lua_State *L, int64_t start_us, int64_t end_us, int reading);

// How the answer is to be read whose rows these are: they are checked, and take over its text.
struct lx_result lx_rows_result(struct lx_rows *rows);

// Once the answer is known to be good and the rows in the box at idx are a list: decodes them if
// they cannot stay as text. False when that fails: see rows->json.
TS_RAISES bool lx_rows_settle(lua_State *L, int idx, struct lx_rows *rows);

// Pushes the next row of the box at idx, of which there is one: a widget's table, or whatever else
// it is. False when it cannot be decoded: see rows->json. While a row is being made a finalizer of
// the script may run; it must not ask for another one.
TS_RAISES bool push_next_row(lua_State *L, int idx, struct lx_rows *rows);

// Wipes the text, unless a row of it is being made: then whoever made it does so, or the box in the
// end. There are no more rows then.
void lx_rows_close(struct lx_rows *rows);

#endif
