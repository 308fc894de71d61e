// SPDX-License-Identifier: MIT
// The memory that libcurl works with: a pool, which serves the dozens of small blocks of a request
// in fewer instructions than malloc and free. What libcurl releases is cleared.
#ifndef TS_NET_MEMORY_H
#define TS_NET_MEMORY_H

#include <stdbool.h>

// Starts libcurl with this memory, unless it runs already. Each success wants one
// curl_global_cleanup. The pool serves the thread of the first call; other threads (libcurl
// resolves names in some) are served by malloc. False when libcurl cannot start.
bool ts_memory_start(void);

#endif
