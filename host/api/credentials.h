// SPDX-License-Identifier: MIT
// Where credentials come from, in the order of the command line's table, and the headers they make.
// The values live in secret memory from the moment they are read.
#ifndef TS_API_CREDENTIALS_H
#define TS_API_CREDENTIALS_H

#include "host/base/buf.h"
#include "host/base/digest.h"
#include "host/base/error.h"
#include "host/base/secret.h"

struct ts_credentials {
    struct ts_secret *token; // bearer token; NULL: the pair below
    struct ts_secret *key;   // global key
    char email[256];
    char source[320]; // where it was found, for messages and doctor: "CLOUDFLARE_API_TOKEN"
};

// Looks in this order: token_file (when not NULL), $CREDENTIALS_DIRECTORY/cloudflare_api_token,
// CLOUDFLARE_API_TOKEN, CLOUDFLARE_EMAIL + CLOUDFLARE_API_KEY. White space around a value is cut.
// CREDENTIALS when nothing is there, the file cannot be read or is empty, or the value has bytes
// that a header cannot carry. The message says what to set.
enum ts_err ts_credentials_load(struct ts_credentials *credentials, struct ts_secret_pool *pool,
    const char *token_file, struct ts_error *err);

// The fixed made-up token for a sandbox that accepts any.
enum ts_err ts_credentials_load_sandbox(
    struct ts_credentials *credentials, struct ts_secret_pool *pool, struct ts_error *err);

// Releases. Accepts a zeroed struct, may run twice.
void ts_credentials_fini(struct ts_credentials *credentials);

// Overwrites every occurrence of the token or key in len bytes of text with asterisks: for answers
// of a server or gateway that repeats what it was sent.
void ts_credentials_mask(const struct ts_credentials *credentials, char *text, size_t len);

// A one-way name for them, the same for the same token or pair.
void ts_credentials_digest(const struct ts_credentials *credentials, char out[TS_DIGEST_MAX]);

// Appends the header lines, each followed by NUL, and counts them in *lines. NOMEM.
enum ts_err ts_credentials_add_headers(
    const struct ts_credentials *credentials, struct ts_buf *out, size_t *lines);

#endif
