// SPDX-License-Identifier: MIT
// Everything made of random bytes: sitekeys, secrets, tokens, ray ids, audit ids; and placeholders.
// The shapes are those seen in public; see docs/sandbox.md.
#ifndef TS_SANDBOX_KEYS_H
#define TS_SANDBOX_KEYS_H

#include <stdbool.h>
#include <stddef.h>

#include "host/base/error.h"

#define TS_SANDBOX_SITEKEY_LEN 24
#define TS_SANDBOX_SECRET_LEN 35
#define TS_SANDBOX_TOKEN_LEN 86
#define TS_SANDBOX_UUID_LEN 36
#define TS_SANDBOX_RAY_LEN 20
#define TS_SANDBOX_PLACEHOLDER_SECRET "planned-secret-"

// A stock of random bytes, so that a request does not cost a system call for each key.
struct ts_sandbox_keys {
    unsigned char bytes[512];
    size_t left;
    bool is_placeholder; // sitekeys and secrets are numbered, not random: see sandbox.h
    unsigned sitekeys;   // made so far as placeholders
    unsigned secrets;
};

// Each writes its text with a NUL behind; the buffer holds the length above plus one.
// They fail with SYSTEM when the kernel has no random bytes.
enum ts_err ts_sandbox_keys_sitekey(
    struct ts_sandbox_keys *keys, char *sitekey, struct ts_error *err);

// A secret that begins like its sitekey, as the published pair does; a placeholder does not.
enum ts_err ts_sandbox_keys_secret(
    struct ts_sandbox_keys *keys, const char *sitekey, char *secret, struct ts_error *err);

// A siteverify token.
enum ts_err ts_sandbox_keys_token(struct ts_sandbox_keys *keys, char *token, struct ts_error *err);

// A version 4 UUID.
enum ts_err ts_sandbox_keys_uuid(struct ts_sandbox_keys *keys, char *uuid, struct ts_error *err);

// A value for the CF-Ray header; "-TSH" stands where the data centre is named.
enum ts_err ts_sandbox_keys_ray(struct ts_sandbox_keys *keys, char *ray, struct ts_error *err);

#endif
