// SPDX-License-Identifier: MIT
// A name for something that may not be named itself: a one-way digest as text.
#ifndef TS_BASE_DIGEST_H
#define TS_BASE_DIGEST_H

#include <stddef.h>

#define TS_DIGEST_MAX 33 // 32 hexadecimal digits and a NUL

// Digests a list of parts, so that ("ab", "c") and ("a", "bc") differ.
void ts_digest(const char *const *parts, const size_t *lens, size_t count, char out[TS_DIGEST_MAX]);

#define TS_SHA256_MAX 65 // 64 hexadecimal digits and a NUL

// The SHA-256 of len bytes, as sha256sum shows it.
void ts_digest_sha256(const void *bytes, size_t len, char out[TS_SHA256_MAX]);

#endif
