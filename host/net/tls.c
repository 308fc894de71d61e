// SPDX-License-Identifier: MIT
// The one place that speaks to OpenSSL: when libcurl has made the context of a connection.
#include "host/net/tls.h"

#include <string.h>

#include <openssl/crypto.h>
#include <openssl/ssl.h>

#include "host/base/str.h"

// Contexts of another library, or another version of it, are nothing to hand to this one.
static bool is_same_library(void)
{
    const char *used = curl_version_info(CURLVERSION_NOW)->ssl_version;
    return used && ts_str_has_prefix(used, "OpenSSL/") &&
           ts_str_is(used + strlen("OpenSSL/"), OpenSSL_version(OPENSSL_VERSION_STRING));
}

static CURLcode on_context(CURL *curl, void *context, void *self)
{
    (void)curl;
    (void)self;
    SSL_CTX_clear_mode(context, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_options(context, SSL_OP_CLEANSE_PLAINTEXT);
    return CURLE_OK;
}

int ts_tls_apply(CURL *curl)
{
    return is_same_library() ? curl_easy_setopt(curl, CURLOPT_SSL_CTX_FUNCTION, on_context) : 0;
}
