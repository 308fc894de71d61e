// SPDX-License-Identifier: MIT
// A name for something that may not be named itself: a one-way digest as text.
#ifndef TS_BASE_DIGEST_H
#define TS_BASE_DIGEST_H

#include <stddef.h>

#define TS_DIGEST_MAX 33 // 32 hexadecimal digits and a NUL

// Digests a list of parts, so that ("ab", "c") and ("a", "bc") differ.
void ts_digest(const char *const *parts, const size_t *lens, size_t count, char out[TS_DIGEST_MAX]);

#endif
