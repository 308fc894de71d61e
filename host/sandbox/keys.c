// SPDX-License-Identifier: MIT
// Random text from getrandom(2). Used bytes are wiped from the stock, so that an old secret
// cannot be told from it later.
#include "host/sandbox/keys.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
static const char hex[] = "0123456789abcdef";

static enum ts_err keys_take(
    struct ts_sandbox_keys *keys, unsigned char *out, size_t len, struct ts_error *err)
{
    if (keys->left < len) {
        size_t have = 0;
        while (have < sizeof keys->bytes) {
            ssize_t got = getrandom(keys->bytes + have, sizeof keys->bytes - have, 0);
            if (got < 0 && errno != EINTR) {
                keys->left = 0;
                return ts_error_set_errno(err, errno, "no random bytes");
            }
            have += got > 0 ? (size_t)got : 0;
        }
        keys->left = have;
    }
    keys->left -= len;
    memcpy(out, keys->bytes + keys->left, len);
    explicit_bzero(keys->bytes + keys->left, len);
    return TS_OK;
}

// Appends len random characters of the key alphabet behind what text begins with.
static enum ts_err keys_append(
    struct ts_sandbox_keys *keys, char *text, size_t from, size_t to, struct ts_error *err)
{
    unsigned char bytes[TS_SANDBOX_TOKEN_LEN];
    enum ts_err code = keys_take(keys, bytes, to - from, err);
    if (code) {
        return code;
    }
    for (size_t i = from; i < to; i++) {
        text[i] = alphabet[bytes[i - from] & 63];
    }
    text[to] = '\0';
    explicit_bzero(bytes, sizeof bytes);
    return TS_OK;
}

enum ts_err ts_sandbox_keys_sitekey(
    struct ts_sandbox_keys *keys, char *sitekey, struct ts_error *err)
{
    static const char prefix[] = "0x4AAAAAA";
    if (keys->is_placeholder) {
        snprintf(sitekey, TS_SANDBOX_SITEKEY_LEN + 1, "planned-%04u", ++keys->sitekeys);
        return TS_OK;
    }
    memcpy(sitekey, prefix, sizeof prefix);
    return keys_append(keys, sitekey, sizeof prefix - 1, TS_SANDBOX_SITEKEY_LEN, err);
}

enum ts_err ts_sandbox_keys_secret(
    struct ts_sandbox_keys *keys, const char *sitekey, char *secret, struct ts_error *err)
{
    const size_t shared = 13;
    if (keys->is_placeholder) {
        snprintf(secret, TS_SANDBOX_SECRET_LEN + 1, TS_SANDBOX_PLACEHOLDER_SECRET "%04u",
            ++keys->secrets);
        return TS_OK;
    }
    char stem[TS_SANDBOX_SITEKEY_LEN + 1];
    enum ts_err code = ts_sandbox_keys_sitekey(keys, stem, err);
    if (code) {
        return code;
    }
    // A sitekey that was copied from elsewhere may be shorter than what is shared.
    memcpy(secret, strlen(sitekey) < shared ? stem : sitekey, shared);
    return keys_append(keys, secret, shared, TS_SANDBOX_SECRET_LEN, err);
}

enum ts_err ts_sandbox_keys_token(struct ts_sandbox_keys *keys, char *token, struct ts_error *err)
{
    memcpy(token, "0.", 3);
    return keys_append(keys, token, 2, TS_SANDBOX_TOKEN_LEN, err);
}

enum ts_err ts_sandbox_keys_uuid(struct ts_sandbox_keys *keys, char *uuid, struct ts_error *err)
{
    unsigned char bytes[16] = {0};
    enum ts_err code = keys_take(keys, bytes, sizeof bytes, err);
    if (code) {
        return code;
    }
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    char *p = uuid;
    for (size_t i = 0; i < sizeof bytes; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10) {
            *p++ = '-';
        }
        *p++ = hex[bytes[i] >> 4];
        *p++ = hex[bytes[i] & 15];
    }
    *p = '\0';
    return TS_OK;
}

enum ts_err ts_sandbox_keys_ray(struct ts_sandbox_keys *keys, char *ray, struct ts_error *err)
{
    unsigned char bytes[8] = {0};
    enum ts_err code = keys_take(keys, bytes, sizeof bytes, err);
    if (code) {
        return code;
    }
    for (size_t i = 0; i < sizeof bytes; i++) {
        ray[2 * i] = hex[bytes[i] >> 4];
        ray[2 * i + 1] = hex[bytes[i] & 15];
    }
    memcpy(ray + 16, "-TSH", 5);
    return TS_OK;
}
