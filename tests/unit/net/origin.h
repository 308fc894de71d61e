// SPDX-License-Identifier: MIT
// A small HTTP server on loopback, in a thread of the test, that counts what reaches it.
// The path of a request says what happens:
//   /echo     200 with "METHOD PATH BODY" and a CF-Ray header
//   /body/N   200 with N bytes
//   /leave    200 with "asked" when leave to send the body was asked for, else "sent"
//   /never    no answer, the connection stays open
//   /close    the connection is closed when the request is complete
#ifndef TS_TESTS_UNIT_NET_ORIGIN_H
#define TS_TESTS_UNIT_NET_ORIGIN_H

#include <stddef.h>

struct origin;

// Listens on a free port. Any failure fails the test.
struct origin *origin_start(void);

// Ends the thread, closes every connection and frees.
void origin_stop(struct origin *origin);

// Writes "http://127.0.0.1:PORT" and the path behind it.
void origin_url(const struct origin *origin, const char *path, char *out, size_t size);

// Complete requests and accepted connections so far. A counted request has not been answered yet.
unsigned origin_requests(struct origin *origin);
unsigned origin_connections(struct origin *origin);

#endif
