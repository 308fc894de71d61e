// SPDX-License-Identifier: MIT
// Secret memory: tokens, keys and widget secrets live in libsodium's guarded pages, out of swap
// and core dumps, unreadable except while borrowed. Only this file's room includes sodium.h.
#ifndef TS_BASE_SECRET_H
#define TS_BASE_SECRET_H

#include <stdbool.h>
#include <stddef.h>

#include "host/base/error.h"

struct ts_secret;      // one secret, immutable
struct ts_secret_pool; // guarded slabs that hold many secrets at the cost of few mappings

// What stands for a secret wherever text is made of it.
#define TS_SECRET_MASK "[secret]"

// The longest secret, in bytes.
#define TS_SECRET_MAX 65536

// Makes an empty pool; initialises libsodium. TS_ERR_INTERNAL when libsodium cannot start.
// A pool and its secrets belong to one thread.
enum ts_err ts_secret_pool_create(struct ts_secret_pool **out, struct ts_error *err);

// Wipes and releases the pool. Every secret in it must have been destroyed before. NULL is fine.
void ts_secret_pool_destroy(struct ts_secret_pool *pool);

// From now on memory that had to be opened stays open until the pool is sealed: many secrets that
// are made, lent and destroyed in a row then cost one change of protection, not two each. The
// caller promises to seal before it waits for anything.
void ts_secret_pool_defer(struct ts_secret_pool *pool);

// Makes everything that is not lent unreadable.
void ts_secret_pool_seal(struct ts_secret_pool *pool);

// How many secrets are alive in the pool; for leak checks.
size_t ts_secret_pool_count(const struct ts_secret_pool *pool);

// Copies len bytes into guarded memory. The source stays the caller's, who wipes it where it can.
// TS_ERR_TOO_LARGE past TS_SECRET_MAX, TS_ERR_NOMEM; running out of lockable memory is no failure.
enum ts_err ts_secret_create(struct ts_secret_pool *pool, const char *bytes, size_t len,
    struct ts_secret **out, struct ts_error *err);

// Wipes and releases. The secret must not be borrowed. NULL is fine.
void ts_secret_destroy(struct ts_secret *secret);

// Makes the bytes readable and lends them, NUL-terminated, until ts_secret_return. Borrows nest.
// len may be NULL.
const char *ts_secret_borrow(struct ts_secret *secret, size_t *len);

// Ends a borrow; after the last one the bytes are unreadable again.
void ts_secret_return(struct ts_secret *secret);

// Constant-time comparison. The lengths may show, the content does not.
bool ts_secret_is_equal(struct ts_secret *a, struct ts_secret *b);

// Makes fingerprints comparable with those of other processes that set the same key. To be called
// before any is made.
#define TS_SECRET_KEY 32
void ts_secret_pool_set_key(struct ts_secret_pool *pool, const unsigned char key[TS_SECRET_KEY]);

// Writes a fingerprint keyed by the pool, so that it says nothing to who has not the key, and two
// secrets can be compared after one of them is gone.
#define TS_SECRET_FINGERPRINT 16
void ts_secret_fingerprint(struct ts_secret *secret, char out[TS_SECRET_FINGERPRINT]);

// The same in hexadecimal, and behind it eight digits that tell the key: two marks that end alike
// are of different secrets when they differ, those that do not cannot be compared.
#define TS_SECRET_MARK (2 * TS_SECRET_FINGERPRINT + 8 + 1)
void ts_secret_mark(struct ts_secret *secret, char out[TS_SECRET_MARK]);

// "libsodium 1.0.18". Lives for ever.
const char *ts_secret_versions(void);

#endif
