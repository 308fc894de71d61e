// SPDX-License-Identifier: MIT
// Secrets share guarded slabs: libsodium spends five mappings on each allocation, and the kernel
// grants a process 65,530, which one allocation per secret would use up at 13,000 secrets.
#include "host/base/secret.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include <sodium.h>

#include "host/base/pool.h"

// With libsodium's 16-byte canary in front, 511 slots fill 64 KiB to the page. The first slab is
// one page, enough for most runs: all of a slab is locked, filled and wiped, however little is in
// use.
#define SLOT_SIZE 128
#define SLAB_SLOTS 511
#define FIRST_SLOTS 31
#define SLOT_ALIGN 16 // libsodium aligns what it returns only as far as the size is

enum slab_access { SLAB_NONE, SLAB_READ, SLAB_WRITE };

struct slab {
    TAILQ_ENTRY(slab) link;
    LIST_ENTRY(slab) open_link; // while access is not SLAB_NONE
    enum slab_access access;
    char *bytes; // guarded; as accessible as access says
    size_t slot_size;
    size_t slots;
    size_t borrows;  // of all secrets in it
    size_t free_len; // how many of free[] are meant
    uint16_t free[]; // slots nobody has, used as a stack
};

TAILQ_HEAD(slab_list, slab);
LIST_HEAD(open_list, slab);

struct ts_secret_pool {
    struct slab_list slabs; // those with a free slot come first
    struct ts_pool handles; // struct ts_secret
    size_t count;
    size_t spares; // empty slabs, 0 or 1
    struct open_list open;
    unsigned char key[TS_SECRET_KEY]; // of fingerprints
    bool is_deferred;                 // slabs stay open until the pool is sealed
};

struct ts_secret {
    struct ts_secret_pool *pool;
    struct slab *slab;
    char *bytes;
    size_t len;
};

// mprotect over a whole mapping splits nothing and charges nothing new, so the kernel has no cause
// to refuse. If it does, the choice is between a readable secret, an unwiped one and stopping.
static void slab_protect(struct slab *slab, enum slab_access access)
{
    int rc = access == SLAB_WRITE  ? sodium_mprotect_readwrite(slab->bytes)
             : access == SLAB_READ ? sodium_mprotect_readonly(slab->bytes)
                                   : sodium_mprotect_noaccess(slab->bytes);
    if (rc != 0) {
        abort();
    }
    slab->access = access;
}

static void slab_open(struct ts_secret_pool *pool, struct slab *slab, enum slab_access access)
{
    if (slab->access == SLAB_NONE) {
        LIST_INSERT_HEAD(&pool->open, slab, open_link);
    }
    if (slab->access < access) {
        slab_protect(slab, access);
    }
}

// Takes away what nobody needs any more.
static void slab_close(struct slab *slab)
{
    enum slab_access access = slab->borrows > 0 ? SLAB_READ : SLAB_NONE;
    if (slab->access == access) {
        return;
    }
    if (access == SLAB_NONE) {
        LIST_REMOVE(slab, open_link);
    }
    slab_protect(slab, access);
}

static void slab_settle(struct ts_secret_pool *pool, struct slab *slab)
{
    if (!pool->is_deferred) {
        slab_close(slab);
    }
}

static struct slab *slab_create(size_t slots, size_t slot_size)
{
    struct slab *slab = calloc(1, sizeof *slab + slots * sizeof slab->free[0]);
    if (!slab) {
        return NULL;
    }
    // Where RLIMIT_MEMLOCK is used up libsodium goes on without mlock: swappable, but guarded.
    slab->bytes = sodium_malloc(slots * slot_size);
    if (!slab->bytes) {
        free(slab);
        return NULL;
    }
    slab->slot_size = slot_size;
    slab->slots = slots;
    slab->free_len = slots;
    for (size_t i = 0; i < slots; i++) {
        slab->free[i] = (uint16_t)(slots - 1 - i);
    }
    slab_protect(slab, SLAB_NONE);
    return slab;
}

static void slab_destroy(struct slab *slab)
{
    if (slab->access != SLAB_NONE) {
        LIST_REMOVE(slab, open_link);
    }
    sodium_free(slab->bytes); // wipes
    free(slab);
}

static bool slab_is_shared(const struct slab *slab)
{
    return slab->slots > 1;
}

static bool slab_is_empty(const struct slab *slab)
{
    return slab->free_len == slab->slots;
}

// A slab with a free slot, linked into the pool; NULL when there is no memory.
static struct slab *pool_find_slab(struct ts_secret_pool *pool, size_t need)
{
    struct slab *slab = TAILQ_FIRST(&pool->slabs);
    if (need <= SLOT_SIZE && slab && slab->free_len > 0) {
        return slab;
    }
    if (need <= SLOT_SIZE) {
        slab = slab_create(TAILQ_EMPTY(&pool->slabs) ? FIRST_SLOTS : SLAB_SLOTS, SLOT_SIZE);
        pool->spares += slab ? 1 : 0;
    } else {
        slab = slab_create(1, (need + SLOT_ALIGN - 1) / SLOT_ALIGN * SLOT_ALIGN);
    }
    if (slab) {
        TAILQ_INSERT_HEAD(&pool->slabs, slab, link);
    }
    return slab;
}

static char *pool_take_slot(struct ts_secret_pool *pool, struct slab *slab)
{
    if (slab_is_shared(slab) && slab_is_empty(slab)) {
        pool->spares--;
    }
    slab->free_len--;
    if (slab->free_len == 0) {
        TAILQ_REMOVE(&pool->slabs, slab, link);
        TAILQ_INSERT_TAIL(&pool->slabs, slab, link);
    }
    return slab->bytes + slab->free[slab->free_len] * slab->slot_size;
}

static void pool_return_slot(struct ts_secret_pool *pool, struct slab *slab, const char *bytes)
{
    slab->free[slab->free_len] = (uint16_t)((size_t)(bytes - slab->bytes) / slab->slot_size);
    slab->free_len++;
    if (slab_is_empty(slab) && (!slab_is_shared(slab) || pool->spares > 0)) {
        TAILQ_REMOVE(&pool->slabs, slab, link);
        slab_destroy(slab);
        return;
    }
    if (slab_is_empty(slab)) {
        pool->spares++;
    }
    if (slab->free_len == 1) {
        TAILQ_REMOVE(&pool->slabs, slab, link);
        TAILQ_INSERT_HEAD(&pool->slabs, slab, link);
    }
}

enum ts_err ts_secret_pool_create(struct ts_secret_pool **out, struct ts_error *err)
{
    if (sodium_init() < 0) {
        return ts_error_set(err, TS_ERR_INTERNAL, "libsodium cannot start");
    }
    struct ts_secret_pool *pool = calloc(1, sizeof *pool);
    if (!pool) {
        return ts_error_set_errno(err, ENOMEM, "secret memory");
    }
    TAILQ_INIT(&pool->slabs);
    LIST_INIT(&pool->open);
    randombytes_buf(pool->key, sizeof pool->key);
    *out = pool;
    return TS_OK;
}

void ts_secret_pool_destroy(struct ts_secret_pool *pool)
{
    if (!pool) {
        return;
    }
    struct slab *slab;
    while ((slab = TAILQ_FIRST(&pool->slabs))) {
        TAILQ_REMOVE(&pool->slabs, slab, link);
        slab_destroy(slab);
    }
    ts_pool_fini(&pool->handles);
    free(pool);
}

void ts_secret_pool_defer(struct ts_secret_pool *pool)
{
    pool->is_deferred = true;
}

void ts_secret_pool_seal(struct ts_secret_pool *pool)
{
    struct slab *next;
    for (struct slab *slab = LIST_FIRST(&pool->open); slab; slab = next) {
        next = LIST_NEXT(slab, open_link);
        slab_close(slab);
    }
}

size_t ts_secret_pool_count(const struct ts_secret_pool *pool)
{
    return pool->count;
}

static void handle_release(struct ts_secret_pool *pool, struct ts_secret *secret)
{
    if (secret) {
        ts_pool_release(&pool->handles, secret, sizeof *secret);
    }
}

enum ts_err ts_secret_create(struct ts_secret_pool *pool, const char *bytes, size_t len,
    struct ts_secret **out, struct ts_error *err)
{
    if (len > TS_SECRET_MAX) {
        return ts_error_set(
            err, TS_ERR_TOO_LARGE, "a secret of %zu bytes is longer than %d", len, TS_SECRET_MAX);
    }
    struct ts_secret *secret = ts_pool_take(&pool->handles, sizeof *secret);
    struct slab *slab = secret ? pool_find_slab(pool, len + 1) : NULL;
    if (!slab) {
        handle_release(pool, secret);
        return ts_error_set_errno(err, ENOMEM, "secret memory");
    }
    *secret = (struct ts_secret){
        .pool = pool, .slab = slab, .bytes = pool_take_slot(pool, slab), .len = len};
    slab_open(pool, slab, SLAB_WRITE);
    if (len > 0) {
        memcpy(secret->bytes, bytes, len);
    }
    secret->bytes[len] = '\0';
    slab_settle(pool, slab);
    pool->count++;
    *out = secret;
    return TS_OK;
}

void ts_secret_destroy(struct ts_secret *secret)
{
    if (!secret) {
        return;
    }
    struct slab *slab = secret->slab;
    struct ts_secret_pool *pool = secret->pool;
    slab_open(pool, slab, SLAB_WRITE);
    sodium_memzero(secret->bytes, slab->slot_size);
    slab_settle(pool, slab);
    pool->count--;
    pool_return_slot(pool, slab, secret->bytes);
    handle_release(pool, secret);
}

const char *ts_secret_borrow(struct ts_secret *secret, size_t *len)
{
    struct slab *slab = secret->slab;
    slab->borrows++;
    slab_open(secret->pool, slab, SLAB_READ);
    if (len) {
        *len = secret->len;
    }
    return secret->bytes;
}

void ts_secret_return(struct ts_secret *secret)
{
    struct slab *slab = secret->slab;
    slab->borrows--;
    if (slab->borrows == 0) {
        slab_settle(secret->pool, slab);
    }
}

bool ts_secret_is_equal(struct ts_secret *a, struct ts_secret *b)
{
    if (a->len != b->len) {
        return false;
    }
    const char *left = ts_secret_borrow(a, NULL);
    const char *right = ts_secret_borrow(b, NULL);
    bool is_equal = sodium_memcmp(left, right, a->len) == 0;
    ts_secret_return(b);
    ts_secret_return(a);
    return is_equal;
}

void ts_secret_pool_set_key(struct ts_secret_pool *pool, const unsigned char key[TS_SECRET_KEY])
{
    memcpy(pool->key, key, sizeof pool->key);
}

void ts_secret_fingerprint(struct ts_secret *secret, char out[TS_SECRET_FINGERPRINT])
{
    const unsigned char *bytes = (const unsigned char *)ts_secret_borrow(secret, NULL);
    // Refuses only lengths that these are not.
    crypto_generichash((unsigned char *)out, TS_SECRET_FINGERPRINT, bytes, secret->len,
        secret->pool->key, sizeof secret->pool->key);
    ts_secret_return(secret);
}

void ts_secret_mark(struct ts_secret *secret, char out[TS_SECRET_MARK])
{
    unsigned char bytes[TS_SECRET_FINGERPRINT], key[crypto_generichash_BYTES_MIN];
    const struct ts_secret_pool *pool = secret->pool;
    ts_secret_fingerprint(secret, (char *)bytes);
    sodium_bin2hex(out, TS_SECRET_MARK, bytes, sizeof bytes);
    crypto_generichash(key, sizeof key, NULL, 0, pool->key, sizeof pool->key);
    sodium_bin2hex(out + 2 * sizeof bytes, 8 + 1, key, 4);
}

const char *ts_secret_versions(void)
{
    return "libsodium " SODIUM_VERSION_STRING;
}
