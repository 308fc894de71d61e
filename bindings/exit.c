// SPDX-License-Identifier: MIT
// os.exit as an orderly end: the script stops here, what is in flight is finished, the state is
// closed, and the process ends with the status asked for, unless something worse happened.
#include <lauxlib.h>

#include "bindings/host.h"
#include "bindings/interrupt.h"
#include "bindings/modules.h"
#include "bindings/sched.h"

static int os_exit(lua_State *L)
{
    struct ts_host *host = ts_host_of(L);
    int status = 0;
    if (lua_isboolean(L, 1)) {
        status = lua_toboolean(L, 1) ? 0 : 1;
    } else if (!lua_isnoneornil(L, 1)) {
        int is_whole;
        lua_Integer wanted = lua_tointegerx(L, 1, &is_whole);
        if (!is_whole || wanted < -128 || wanted > 255) {
            lx_misuse(L, "os.exit: a status from 0 to 255 or a boolean expected");
        }
        status = (int)(wanted & 0xff); // -1 is 255, as for exit(3); argparse and luaunit use it
    }
    if (host->exit_request < 0) {
        host->exit_request = status;
    }
    lx_interrupt(L);
}

void ts_open_exit(lua_State *L)
{
    lua_getglobal(L, "os");
    lua_pushcfunction(L, os_exit);
    lua_setfield(L, -2, "exit");
    lua_pop(L, 1);
}
