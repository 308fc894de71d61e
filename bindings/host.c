// SPDX-License-Identifier: MIT
// The pointer in the extra space.
// lua_newthread copies the main thread's extra space, so every coroutine finds it.
#include "bindings/host.h"

#include <string.h>

struct ts_host *ts_host_of(lua_State *L)
{
    struct ts_host *host;
    memcpy(&host, lua_getextraspace(L), sizeof host);
    return host;
}

void ts_host_attach(lua_State *L, struct ts_host *host)
{
    memcpy(lua_getextraspace(L), &host, sizeof host);
}
