// SPDX-License-Identifier: MIT
// URL questions, answered with libcurl's parser so that what is checked is what is used.
// Its errors are reworded: they may end up in front of somebody who typed --base-url.
#include "host/net/url.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "host/base/chars.h"
#include "host/base/str.h"
#include "host/net/xfer.h"

static enum ts_err url_failed(CURLUcode code, struct ts_error *err)
{
    if (code == CURLUE_OUT_OF_MEMORY) {
        return ts_error_set(err, TS_ERR_NOMEM, "out of memory");
    }
    if (code == CURLUE_USER_NOT_ALLOWED) {
        return ts_error_set(err, TS_ERR_USAGE, "the URL may not hold a user name or password");
    }
    return ts_error_set(err, TS_ERR_USAGE, "the URL is not valid: %s", curl_url_strerror(code));
}

static enum ts_err check_characters(const char *url, struct ts_error *err)
{
    if (!*url) {
        return ts_error_set(err, TS_ERR_USAGE, "the URL is empty");
    }
    const char *p = url;
    while (*p > ' ' && *p < 0x7f) { // a char above it is negative, or larger
        p++;
    }
    if (*p || strchr(url, '\\')) {
        return ts_error_set(err, TS_ERR_USAGE,
            "the URL may hold no space, backslash, control or non-ASCII character");
    }
    if (strchr(url, '#')) {
        return ts_error_set(err, TS_ERR_USAGE, "the URL may hold no fragment (#)");
    }
    return TS_OK;
}

static bool host_is_loopback(const char *host)
{
    struct in_addr v4;
    struct in6_addr v6;
    char bare[INET6_ADDRSTRLEN];
    size_t len = strlen(host);
    if (ts_str_is_nocase(host, "localhost")) {
        return true;
    }
    if (host[0] == '[' && len > 2 && len - 2 < sizeof bare) {
        memcpy(bare, host + 1, len - 2);
        bare[len - 2] = '\0';
        return inet_pton(AF_INET6, bare, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
    }
    return inet_pton(AF_INET, host, &v4) == 1 && ntohl(v4.s_addr) >> 24 == 127;
}

static size_t origin_length(const char *url)
{
    const char *authority = strstr(url, "://");
    return authority ? (size_t)(authority - url) + 3 + strcspn(authority + 3, "/?") : 0;
}

enum ts_err ts_origin_parse(
    CURLU *parsed, const char *url, struct ts_origin *out, struct ts_error *err)
{
    enum ts_err code = check_characters(url, err);
    if (code) {
        return code;
    }
    *out = (struct ts_origin){
        .len = origin_length(url),
        .is_plain = strncasecmp(url, "http://", 7) == 0,
    };
    if (!out->is_plain && strncasecmp(url, "https://", 8) != 0) {
        return ts_error_set(err, TS_ERR_USAGE,
            "a URL must begin with https:// (or http://, to "
            "this machine)");
    }
    char *host = NULL;
    char *port = NULL;
    CURLUcode rc = curl_url_set(parsed, CURLUPART_URL, url, CURLU_DISALLOW_USER);
    // What is left is short, and stays for every request: their targets go beside it.
    if (!rc) {
        rc = curl_url_set(parsed, CURLUPART_PATH, "/", 0);
    }
    if (!rc) {
        rc = curl_url_set(parsed, CURLUPART_QUERY, NULL, 0);
    }
    if (!rc) {
        rc = curl_url_get(parsed, CURLUPART_HOST, &host, 0);
    }
    if (!rc) {
        rc = curl_url_get(parsed, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT);
    }
    if (rc) {
        code = url_failed(rc, err);
    } else {
        snprintf(out->peer, sizeof out->peer, "%s:%s", host, port);
        out->is_loopback = host_is_loopback(host);
        if (out->is_plain && !out->is_loopback) {
            code = ts_error_set(err, TS_ERR_USAGE,
                "plain http is only for this machine (127.0.0.1, [::1], localhost), not for %s",
                out->peer);
        }
    }
    curl_free(host);
    curl_free(port);
    return code;
}

enum ts_err ts_origin_target(
    const struct ts_origin *origin, const char *url, const char **out, struct ts_error *err)
{
    const char *target = url + origin->len;
    *out = *target ? target : "/";
    if (*target == '?') {
        return ts_error_set(err, TS_ERR_USAGE, "the URL has a query but no path");
    }
    return check_characters(*out, err); // the origin was looked at when it was parsed
}

static enum ts_err base_parse(const char *url, struct ts_origin *origin, struct ts_error *err)
{
    if (strchr(url, '?')) {
        return ts_error_set(err, TS_ERR_USAGE, "the URL may hold no query (?)");
    }
    CURLU *parsed = curl_url();
    if (!parsed) {
        return ts_error_set(err, TS_ERR_NOMEM, "out of memory");
    }
    enum ts_err code = ts_origin_parse(parsed, url, origin, err);
    curl_url_cleanup(parsed);
    return code;
}

enum ts_err ts_url_check(const char *url, struct ts_error *err)
{
    struct ts_origin origin;
    return base_parse(url, &origin, err);
}

enum ts_err ts_url_origin(const char *url, char out[TS_URL_ORIGIN_MAX], struct ts_error *err)
{
    struct ts_origin origin = {0};
    enum ts_err code = base_parse(url, &origin, err);
    if (code) {
        return code;
    }
    snprintf(out, TS_URL_ORIGIN_MAX, "%s://%s", origin.is_plain ? "http" : "https", origin.peer);
    for (char *p = out; *p; p++) { // host names do not know case
        *p = (char)(*p >= 'A' && *p <= 'Z' ? *p - 'A' + 'a' : *p);
    }
    return TS_OK;
}

enum ts_err ts_url_escape(struct ts_buf *out, const char *text, size_t len)
{
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0;; i++) { // each the run of those that need no escape, and one that does
        size_t plain = ts_chars_span(text + i, len - i, TS_CHARS_UNRESERVED);
        enum ts_err code = ts_buf_add(out, text + i, plain);
        i += plain;
        if (code || i == len) {
            return code;
        }
        unsigned char c = (unsigned char)text[i];
        char escaped[3] = {'%', digits[c >> 4], digits[c & 15]};
        code = ts_buf_add(out, escaped, sizeof escaped);
        if (code) {
            return code;
        }
    }
}
