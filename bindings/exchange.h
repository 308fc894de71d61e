// SPDX-License-Identifier: MIT
// One call to the API as a box on the Lua stack: owns the call or write, and who waits for it.
// Every endpoint function is: check, push_exchange, start, wait, continue, push.
#ifndef TS_BINDINGS_EXCHANGE_H
#define TS_BINDINGS_EXCHANGE_H

#include <stdbool.h>

#include <lua.h>

#include "bindings/answer.h"
#include "bindings/image.h"
#include "bindings/lx.h"
#include "bindings/task.h"
#include "host/api/widget.h"
#include "host/ops/door.h"

struct ts_loop;

struct lx_exchange {
    struct ts_waiter waiter;
    const struct ts_loop *loop;
    struct ts_call *call;   // a read
    struct ts_write *write; // or a write
    struct ts_widget_body body;
    struct lx_image before; // of a write: the widget as it is relied on
    struct lx_image after;  // and as the answer has it
    enum ts_op op;   // what the script asked for; a read on behalf of an update has UPDATE here
    unsigned fields; // of an update: bits of the fields that are our own once it is done
    int64_t done_us; // monotonic: when it ended
    bool is_done;
    bool is_quiet;    // a read whose failure counts for nothing: it settles what was noted before
    bool is_spare;    // see spare.h
    uint64_t clients; // that were made before it
    char sitekey[TS_WIDGET_SITEKEY_MAX + 1];
    char subject[96];         // what messages call the thing: sitekey or name
    char place[LX_PLACE_MAX]; // where the script made the call; "" while nobody has asked
};

// Registers the metatable; called once at set-up.
TS_RAISES void lx_open_exchange(lua_State *L);

// Raises where a wait is impossible or the run is stopping; otherwise pushes an empty exchange,
// marked to be closed. The client box must be in upvalue 1: it is kept alive.
TS_RAISES struct lx_exchange *push_exchange(lua_State *L, enum ts_op op);

// Starts the read or write of the exchange. False when the world or the rules said no: then nil and
// err are on the stack, to be returned. Misuse and the interruption raise.
TS_RAISES bool lx_exchange_read(lua_State *L, struct lx_exchange *exchange,
    struct ts_client *client, const struct ts_call_spec *spec);
TS_RAISES bool lx_exchange_write(lua_State *L, struct lx_exchange *exchange,
    struct ts_client *client, struct ts_write_spec *spec);

// Ends an exchange whose answer has come: pushes its result (see push_answer) and returns true, or
// pushes nil, err, notes it in the ledger and returns false. A read on behalf of a write counts as
// the write's failure.
TS_RAISES bool push_exchange_answer(
    lua_State *L, struct lx_exchange *exchange, struct lx_result *result);

// Gives up an exchange whose envelope was fine but not what was asked for: pushes nil, err.
TS_RAISES int push_exchange_reject(lua_State *L, struct lx_exchange *exchange, const char *why);

// Gives up a write before it is sent, noted as that kind of entry: pushes nil, err. Returns 2.
TS_RAISES int push_exchange_unsent(lua_State *L, struct lx_exchange *exchange, const char *kind,
    enum ts_entry_kind entry, const char *why);

// The HTTP status of the answer, 0 when none came.
long lx_exchange_status(struct lx_exchange *exchange);

// When the request that brought the answer began, in monotonic microseconds.
int64_t lx_exchange_start(struct lx_exchange *exchange);

// The answer's header as it came, NULL when absent; borrowed until the exchange is closed.
const char *lx_exchange_header(struct lx_exchange *exchange, const char *name);

// Settles a write as done. The widget that the answer brought is at idx; 0: it brought none.
TS_RAISES void lx_exchange_settle(lua_State *L, struct lx_exchange *exchange, int idx);

#endif
