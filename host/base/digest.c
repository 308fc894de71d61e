// SPDX-License-Identifier: MIT
// BLAKE2b, each part behind its length; and what other tools show of a file.
#include "host/base/digest.h"

#include <stdint.h>

#include <sodium.h>

void ts_digest(const char *const *parts, const size_t *lens, size_t count, char out[TS_DIGEST_MAX])
{
    unsigned char bytes[(TS_DIGEST_MAX - 1) / 2];
    crypto_generichash_state state;
    crypto_generichash_init(&state, NULL, 0, sizeof bytes);
    for (size_t i = 0; i < count; i++) {
        uint64_t len = lens[i];
        crypto_generichash_update(&state, (const unsigned char *)&len, sizeof len);
        crypto_generichash_update(&state, (const unsigned char *)parts[i], lens[i]);
    }
    crypto_generichash_final(&state, bytes, sizeof bytes);
    sodium_memzero(&state, sizeof state);
    sodium_bin2hex(out, TS_DIGEST_MAX, bytes, sizeof bytes);
}

void ts_digest_sha256(const void *bytes, size_t len, char out[TS_SHA256_MAX])
{
    unsigned char hash[crypto_hash_sha256_BYTES];
    crypto_hash_sha256(hash, bytes, len);
    sodium_bin2hex(out, TS_SHA256_MAX, hash, sizeof hash);
}
