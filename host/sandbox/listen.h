// SPDX-License-Identifier: MIT
// The listening socket. Loopback only: the sandbox speaks without TLS and trusts who reaches it.
#ifndef TS_SANDBOX_LISTEN_H
#define TS_SANDBOX_LISTEN_H

#include <stddef.h>

#include "host/base/error.h"

// Opens a socket for "ADDRESS:PORT" (IPv6 in brackets; port 0: any free one) and writes its
// origin, "http://127.0.0.1:PORT". The caller owns the descriptor. USAGE when the text is wrong or
// the address is not loopback, SYSTEM when the port cannot be had.
enum ts_err ts_sandbox_listen(
    const char *text, int *fd, char *origin, size_t size, struct ts_error *err);

#endif
