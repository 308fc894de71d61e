// SPDX-License-Identifier: MIT
// Collects the versions from the rooms.
// Lua's is that of the headers; its ABI is fixed within 5.4.
#include "host/runtime/versions.h"

#include <stdio.h>

#include <lua.h>

#include "host/base/secret.h"
#include "host/net/xfer.h"
#include "host/sandbox/sandbox.h"

void ts_versions_print(void)
{
    char sandbox[TS_SANDBOX_VERSIONS_MAX];
    ts_sandbox_versions(sandbox);
    printf("tshost %s\n%s\n%s\n%s\n%s\n", TSHOST_VERSION, LUA_RELEASE, ts_net_versions(), sandbox,
        ts_secret_versions());
}
