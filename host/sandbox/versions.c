// SPDX-License-Identifier: MIT
// Which libraries serve the sandbox, for --version.
// Built against, which on a distribution is what runs.
#include <microhttpd.h>
#include <sqlite3.h>

#include "host/sandbox/sandbox.h"

#define TEXT_(x) #x
#define TEXT(x) TEXT_(x)

const char *ts_sandbox_versions(void)
{
    return "SQLite " SQLITE_VERSION ", libmicrohttpd " TEXT(MHD_VERSION);
}
