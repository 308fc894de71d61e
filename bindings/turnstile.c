// SPDX-License-Identifier: MIT
// Module `turnstile`: the widget functions of the configured account, clients for other accounts,
// and siteverify.
#include <lauxlib.h>

#include "bindings/allowance.h"
#include "bindings/budget.h"
#include "bindings/client.h"
#include "bindings/exchange.h"
#include "bindings/image.h"
#include "bindings/modules.h"
#include "bindings/spare.h"
#include "bindings/widget_words.h"
#include "bindings/widgets.h"

static const luaL_Reg widget_functions[] = {
    {"list", widgets_list},
    {"all", widgets_all},
    {"get", widgets_get},
    {"create", widgets_create},
    {"update", widgets_update},
    {"delete", widgets_delete},
    {"rotate_secret", widgets_rotate_secret},
    {NULL, NULL},
};

// Replaces the client box on top by the sealed table of its widget functions.
static void push_widgets(lua_State *L, const char *name)
{
    lua_newtable(L);
    lua_insert(L, -2);
    luaL_setfuncs(L, widget_functions, 1);
    lx_seal(L, name);
}

// client{ account_id =, token_file = } -> { widgets =, budget =, estimate = }
static int turnstile_client(lua_State *L)
{
    static const char *const names[] = {"account_id", "token_file", NULL};
    lua_settop(L, 1);
    check_options(L, 1, "turnstile.client", names, false);
    const char *account = opt_member_string(L, 1, "turnstile.client", "account_id", NULL);
    const char *token_file = opt_member_string(L, 1, "turnstile.client", "token_file", NULL);
    lua_createtable(L, 0, 3);
    push_client(L, account, token_file, false);
    check_client_at(L, -1); // what is wrong with it is said here, not at its first use
    lua_pushvalue(L, -1);
    lua_insert(L, -3); // box, table, box
    lx_add_budget(L);
    lua_insert(L, -2); // table, box
    push_widgets(L, "client.widgets");
    lua_setfield(L, -2, "widgets");
    lx_seal(L, "client");
    return 1;
}

int luaopen_ts_turnstile(lua_State *L)
{
    lx_open_client(L);
    lx_open_spares(L);
    lx_open_exchange(L);
    lx_open_image(L);
    lx_open_list(L);
    lx_open_words(L);
    lua_createtable(L, 0, 3);
    push_client(L, NULL, NULL, false);
    lua_pushvalue(L, -1);
    lua_insert(L, -3); // box, table, box
    lx_add_budget(L);
    lua_insert(L, -2); // table, box
    push_widgets(L, "turnstile.widgets");
    lua_setfield(L, -2, "widgets");
    push_client(L, NULL, NULL, true);
    lua_pushcclosure(L, turnstile_siteverify, 1);
    lua_setfield(L, -2, "siteverify");
    lua_pushcfunction(L, turnstile_client);
    lua_setfield(L, -2, "client");
    lua_pushcfunction(L, turnstile_allowance);
    lua_setfield(L, -2, "allowance");
    lx_seal(L, "turnstile");
    return 1;
}
