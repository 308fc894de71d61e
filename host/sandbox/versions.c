// SPDX-License-Identifier: MIT
// Which libraries serve the sandbox, for --version.
// Asked of the libraries themselves: what was built against may not be what runs.
#include <stdio.h>

#include <microhttpd.h>
#include <sqlite3.h>

#include "host/sandbox/sandbox.h"

void ts_sandbox_versions(char text[TS_SANDBOX_VERSIONS_MAX])
{
    snprintf(text, TS_SANDBOX_VERSIONS_MAX, "SQLite %.24s, libmicrohttpd %.24s",
        sqlite3_libversion(), MHD_get_version());
}
