// SPDX-License-Identifier: MIT
// The endpoint functions of `turnstile.widgets`, and siteverify. Upvalue 1 of each is the client
// box. Reads are native; writes go through a Lua half, tshost.widgets, which decides what to read
// first, and which settles writes whose answer was lost. The half is loaded with the first write.
#ifndef TS_BINDINGS_WIDGETS_H
#define TS_BINDINGS_WIDGETS_H

#include <lua.h>

#include "bindings/exchange.h"
#include "bindings/lx.h"

// What scripts call; docs/lua-api.md says what they take and give.
TS_RAISES int widgets_list(lua_State *L);
TS_RAISES int widgets_all(lua_State *L);
TS_RAISES int widgets_get(lua_State *L);
TS_RAISES int widgets_create(lua_State *L);
TS_RAISES int widgets_update(lua_State *L);
TS_RAISES int widgets_delete(lua_State *L);
TS_RAISES int widgets_rotate_secret(lua_State *L);
TS_RAISES int turnstile_siteverify(lua_State *L);

// Pushes the Lua half behind the table of these functions at that index. Its functions take what a
// plan expects of a widget besides, see widgets.lua.
TS_RAISES void push_widgets_half(lua_State *L, int widgets);

// Registers the list's metatable; called once at set-up.
TS_RAISES void lx_open_list(lua_State *L);

// What the Lua half stands on, added to the table on top of the stack with the client box at the
// index `client` as their upvalue 1. Each file tells what its functions take and give.
TS_RAISES void lx_add_reads(lua_State *L, int client);     // widget_read.c
TS_RAISES void lx_add_writes(lua_State *L, int client);    // widget_write.c
TS_RAISES void lx_add_knowledge(lua_State *L, int client); // knowledge.c
TS_RAISES void lx_add_freshness(lua_State *L, int client); // freshness.c

// Ends an exchange whose answer is to bring a widget, as push_exchange_answer does: pushes the
// widget, which knows when it was read, and returns true; or pushes nil, err and returns false.
TS_RAISES bool push_exchange_widget(lua_State *L, struct lx_exchange *exchange);

// The write of that name at arg: "create", "update", "delete" or "rotate".
TS_RAISES enum ts_op check_write_op(lua_State *L, int arg);

// Names what the exchange is about, for messages, and its sitekey when it has one.
void lx_exchange_name(struct lx_exchange *exchange, const char *subject, const char *sitekey);

#endif
