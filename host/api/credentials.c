// SPDX-License-Identifier: MIT
// Reading credentials. Bytes pass through a buffer that wipes itself and end in secret memory.
// Token shapes change from year to year, so none is checked beyond what a header can carry.
#include "host/api/credentials.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/base/str.h"

#define TOKEN_MAX 4096
#define TOKEN_MIN 37 // the shortest kind, of the global keys

static const char sandbox_token[] = "sandbox-token-not-a-secret";

// Whether a path looks like a token that was mistaken for one, which no message may show.
static bool path_is_token(const char *path)
{
    static const char alphabet[] =
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_-";
    size_t len = strlen(path);
    return len >= TOKEN_MIN && strspn(path, alphabet) == len;
}

static enum ts_err file_read(const char *path, struct ts_buf *out, struct ts_error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0 && path_is_token(path)) {
        return ts_error_set(err, TS_ERR_CREDENTIALS,
            "what is given as the token file is no file; is it the token itself?");
    }
    if (fd < 0) {
        return ts_error_set_errno(err, errno, "cannot read the token file %s", path);
    }
    enum ts_err code = TS_OK;
    char chunk[512];
    for (;;) {
        ssize_t got = read(fd, chunk, sizeof chunk);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            code = ts_error_set_errno(err, errno, "cannot read the token file %s", path);
        } else if (got > 0 && ts_buf_add(out, chunk, (size_t)got)) {
            code = ts_error_set(err, TS_ERR_CREDENTIALS,
                "the token file %s is larger than a token can be (%d bytes)", path, TOKEN_MAX);
        }
        if (got <= 0 || code) {
            break;
        }
    }
    explicit_bzero(chunk, sizeof chunk);
    close(fd);
    return code;
}

// Trims, checks that a header can carry it, and moves it into secret memory.
static enum ts_err value_keep(struct ts_secret_pool *pool, const char *text, size_t len,
    const char *source, struct ts_secret **out, struct ts_error *err)
{
    ts_str_trim(&text, &len);
    if (len == 0) {
        return ts_error_set(err, TS_ERR_CREDENTIALS, "%s is empty", source);
    }
    for (size_t i = 0; i < len; i++) {
        if (text[i] <= ' ' || text[i] > '~') {
            return ts_error_set(err, TS_ERR_CREDENTIALS,
                "%s holds more than one word or unprintable bytes; it must be the bare token",
                source);
        }
    }
    return ts_secret_create(pool, text, len, out, err);
}

static enum ts_err token_load_file(struct ts_credentials *credentials, struct ts_secret_pool *pool,
    const char *path, struct ts_error *err)
{
    struct ts_buf text;
    ts_buf_init(&text, TOKEN_MAX);
    snprintf(credentials->source, sizeof credentials->source, "token file %.300s", path);
    enum ts_err code = file_read(path, &text, err);
    if (!code) {
        code = value_keep(
            pool, ts_buf_text(&text), text.len, credentials->source, &credentials->token, err);
    }
    ts_buf_fini(&text);
    if (code && code != TS_ERR_NOMEM && err) {
        err->code = code = TS_ERR_CREDENTIALS;
    }
    return code;
}

static enum ts_err pair_load(struct ts_credentials *credentials, struct ts_secret_pool *pool,
    const char *email, const char *key, struct ts_error *err)
{
    size_t len = strlen(email);
    ts_str_trim(&email, &len);
    if (len == 0 || len >= sizeof credentials->email) {
        return ts_error_set(err, TS_ERR_CREDENTIALS, "CLOUDFLARE_EMAIL is empty or too long");
    }
    for (size_t i = 0; i < len; i++) {
        if (email[i] <= ' ' || email[i] == 0x7f) {
            return ts_error_set(err, TS_ERR_CREDENTIALS, "CLOUDFLARE_EMAIL holds white space");
        }
    }
    memcpy(credentials->email, email, len);
    credentials->email[len] = '\0';
    ts_str_copy(
        credentials->source, sizeof credentials->source, "CLOUDFLARE_EMAIL and CLOUDFLARE_API_KEY");
    return value_keep(pool, key, strlen(key), "CLOUDFLARE_API_KEY", &credentials->key, err);
}

enum ts_err ts_credentials_load(struct ts_credentials *credentials, struct ts_secret_pool *pool,
    const char *token_file, struct ts_error *err)
{
    *credentials = (struct ts_credentials){0};
    if (token_file) {
        return token_load_file(credentials, pool, token_file, err);
    }
    const char *directory = getenv("CREDENTIALS_DIRECTORY");
    if (directory && *directory) {
        char path[4096];
        snprintf(path, sizeof path, "%s/cloudflare_api_token", directory);
        if (access(path, F_OK) == 0) {
            return token_load_file(credentials, pool, path, err);
        }
    }
    const char *token = getenv("CLOUDFLARE_API_TOKEN");
    if (token && *token) {
        ts_str_copy(credentials->source, sizeof credentials->source, "CLOUDFLARE_API_TOKEN");
        return value_keep(
            pool, token, strlen(token), credentials->source, &credentials->token, err);
    }
    const char *email = getenv("CLOUDFLARE_EMAIL");
    const char *key = getenv("CLOUDFLARE_API_KEY");
    if (email && *email && key && *key) {
        return pair_load(credentials, pool, email, key, err);
    }
    if ((email && *email) || (key && *key)) {
        return ts_error_set(err, TS_ERR_CREDENTIALS,
            "%s is set without %s; set both, or better CLOUDFLARE_API_TOKEN",
            email && *email ? "CLOUDFLARE_EMAIL" : "CLOUDFLARE_API_KEY",
            email && *email ? "CLOUDFLARE_API_KEY" : "CLOUDFLARE_EMAIL");
    }
    return ts_error_set(err, TS_ERR_CREDENTIALS,
        "no API token: give --token-file FILE or set CLOUDFLARE_API_TOKEN (to rehearse without "
        "one: "
        "--sandbox)");
}

enum ts_err ts_credentials_load_sandbox(
    struct ts_credentials *credentials, struct ts_secret_pool *pool, struct ts_error *err)
{
    *credentials = (struct ts_credentials){0};
    ts_str_copy(credentials->source, sizeof credentials->source, "the sandbox");
    return ts_secret_create(
        pool, sandbox_token, sizeof sandbox_token - 1, &credentials->token, err);
}

void ts_credentials_fini(struct ts_credentials *credentials)
{
    ts_secret_destroy(credentials->token);
    ts_secret_destroy(credentials->key);
    *credentials = (struct ts_credentials){0};
}

void ts_credentials_digest(const struct ts_credentials *credentials, char out[TS_DIGEST_MAX])
{
    struct ts_secret *secret = credentials->token ? credentials->token : credentials->key;
    const char *parts[3] = {"tshost rate budget", credentials->token ? "" : credentials->email};
    size_t lens[3] = {strlen(parts[0]), strlen(parts[1])};
    parts[2] = ts_secret_borrow(secret, &lens[2]);
    ts_digest(parts, lens, 3, out);
    ts_secret_return(secret);
}

static enum ts_err header_add(struct ts_buf *out, const char *name, struct ts_secret *value)
{
    size_t len;
    const char *text = ts_secret_borrow(value, &len);
    enum ts_err code = ts_buf_add_str(out, name);
    if (!code) {
        code = ts_buf_add(out, text, len + 1);
    }
    ts_secret_return(value);
    return code;
}

enum ts_err ts_credentials_add_headers(
    const struct ts_credentials *credentials, struct ts_buf *out, size_t *lines)
{
    if (credentials->token) {
        *lines += 1;
        return header_add(out, "Authorization: Bearer ", credentials->token);
    }
    enum ts_err code = ts_buf_add_str(out, "X-Auth-Email: ");
    if (!code) {
        code = ts_buf_add(out, credentials->email, strlen(credentials->email) + 1);
    }
    if (!code) {
        code = header_add(out, "X-Auth-Key: ", credentials->key);
    }
    *lines += 2;
    return code;
}

static void value_mask(struct ts_secret *value, char *text, size_t len)
{
    size_t value_len;
    const char *bytes = ts_secret_borrow(value, &value_len);
    for (char *found; (found = memmem(text, len, bytes, value_len)) != NULL;) {
        memset(found, '*', value_len);
        len -= (size_t)(found - text) + value_len;
        text = found + value_len;
    }
    ts_secret_return(value);
}

void ts_credentials_mask(const struct ts_credentials *credentials, char *text, size_t len)
{
    if (credentials->token) {
        value_mask(credentials->token, text, len);
    }
    if (credentials->key) {
        value_mask(credentials->key, text, len);
    }
}
