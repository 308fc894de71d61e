// SPDX-License-Identifier: MIT
// What OpenSSL is to do that libcurl has no option for.
#ifndef TS_NET_TLS_H
#define TS_NET_TLS_H

#include <curl/curl.h>

// Has the connections that the handle opens keep their two record buffers, of 17 kB each, until
// they close. libcurl has OpenSSL take and release them for each request, and what is released is
// wiped. What was read is wiped in its place instead, as soon as libcurl has it; what was written
// is encrypted in place. Does nothing where libcurl works with another TLS library than the one
// linked here. Not zero when libcurl refuses.
int ts_tls_apply(CURL *curl);

#endif
