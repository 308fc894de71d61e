// SPDX-License-Identifier: MIT
// --version: ours, and those of the libraries at run time, which is what a bug report needs.
// Each room tells the versions of what only it may include.
#include <stdio.h>

#include "host/base/secret.h"
#include "host/cli/command.h"
#include "host/net/xfer.h"
#include "host/runtime/state.h"
#include "host/sandbox/sandbox.h"

void ts_version_print(void)
{
    printf("tshost %s\n%s\n%s\n%s\n%s\n", TSHOST_VERSION, ts_state_versions(), ts_net_versions(),
        ts_sandbox_versions(), ts_secret_versions());
}
