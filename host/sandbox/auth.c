// SPDX-License-Identifier: MIT
// API tokens and global keys. Shapes are not checked beyond what a header can hold: the service
// has changed them before.
#include "host/sandbox/auth.h"

#include <microhttpd.h>
#include <string.h>

#include "host/base/str.h"

// FNV-1a over the parts with a NUL between them; tells credentials apart, guards nothing.
static uint64_t digest_add(uint64_t digest, const char *text)
{
    for (const char *p = text;; p++) {
        digest = (digest ^ (unsigned char)*p) * UINT64_C(0x100000001b3);
        if (*p == '\0') {
            return digest;
        }
    }
}

static void identity_set(struct ts_sandbox_identity *identity, const char *who, const char *key)
{
    static const uint64_t seeds[2] = {UINT64_C(0xcbf29ce484222325), UINT64_C(0x9ae16a3b2f90404f)};
    for (size_t i = 0; i < 2; i++) {
        identity->digest[i] = digest_add(digest_add(seeds[i], who), key);
    }
}

void ts_sandbox_auth_identify(const char *token, struct ts_sandbox_identity *identity)
{
    *identity = (struct ts_sandbox_identity){.scheme = TS_SANDBOX_BEARER};
    identity_set(identity, "", token);
}

static bool text_is_same(const char *a, const char *b)
{
    size_t a_len = strlen(a);
    size_t b_len = strlen(b);
    unsigned char differ = a_len != b_len;
    for (size_t i = 0; i < a_len; i++) {
        differ |= (unsigned char)(a[i] ^ b[b_len ? i % b_len : 0]);
    }
    return !differ;
}

// One word of what RFC 6750 lets a token be made of.
static bool text_is_token(const char *text)
{
    static const char allowed[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/=";
    return *text && strspn(text, allowed) == strlen(text);
}

static bool text_is_email(const char *text)
{
    const char *at = strchr(text, '@');
    if (!at || at == text || !at[1]) {
        return false;
    }
    for (const char *p = text; *p; p++) {
        if ((unsigned char)*p <= 0x20 || *p == 0x7f) {
            return false;
        }
    }
    return true;
}

static bool auth_read_bearer(const char *value, const char *token,
    struct ts_sandbox_identity *identity, struct ts_sandbox_reply *reply)
{
    static const char scheme[] = "Bearer";
    char word[sizeof scheme];
    ts_str_copy(word, sizeof word, value);
    if (!ts_str_is_nocase(word, scheme) || value[sizeof scheme - 1] != ' ') {
        return ts_sandbox_reply_refuse(reply, TS_SANDBOX_BAD_AUTHORIZATION);
    }
    const char *text = value + sizeof scheme;
    if (!text_is_token(text)) {
        return ts_sandbox_reply_refuse(reply, TS_SANDBOX_BAD_AUTHORIZATION);
    }
    ts_sandbox_auth_identify(text, identity);
    identity->is_known = !token || text_is_same(text, token);
    return true;
}

bool ts_sandbox_auth_read(const struct ts_sandbox_request *request, const char *token,
    struct ts_sandbox_identity *identity, struct ts_sandbox_reply *reply)
{
    const char *bearer = ts_sandbox_request_header(request, MHD_HTTP_HEADER_AUTHORIZATION);
    if (bearer) {
        return auth_read_bearer(bearer, token, identity, reply);
    }
    const char *email = ts_sandbox_request_header(request, "X-Auth-Email");
    const char *key = ts_sandbox_request_header(request, "X-Auth-Key");
    if (!email || !key) {
        return ts_sandbox_reply_refuse(reply, TS_SANDBOX_NO_CREDENTIALS);
    }
    if (!text_is_email(email)) {
        return ts_sandbox_reply_refuse(reply, TS_SANDBOX_BAD_AUTH_EMAIL);
    }
    if (!text_is_token(key)) {
        return ts_sandbox_reply_refuse(reply, TS_SANDBOX_BAD_AUTH_KEY);
    }
    identity->scheme = TS_SANDBOX_GLOBAL_KEY;
    identity->is_known = !token || text_is_same(key, token);
    identity_set(identity, email, key);
    return true;
}
