// SPDX-License-Identifier: MIT
// What counts as a hostname here. The API takes names and IP literals, never wildcards, schemes,
// ports or paths; single labels such as localhost are in daily use and therefore fine.
#include "host/sandbox/domains.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

static bool text_is_ip(int family, const char *text)
{
    struct in6_addr address; // the larger of the two
    return inet_pton(family, text, &address) == 1;
}

static bool char_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

// Dotted labels of letters, digits, '-' and '_', 1 to 63 each, no hyphen at an end.
static bool text_is_hostname(const char *text)
{
    size_t label = 0;
    for (const char *p = text;; p++) {
        if (*p == '.' || *p == '\0') {
            if (label == 0 || label > 63 || p[-1] == '-') {
                return false;
            }
            if (*p == '\0') {
                return true;
            }
            label = 0;
            continue;
        }
        bool is_fine =
            (*p >= 'a' && *p <= 'z') || char_is_digit(*p) || *p == '_' || (*p == '-' && label > 0);
        if (!is_fine) {
            return false;
        }
        label++;
    }
}

// A name whose last label is a number is an IPv4 address or nothing.
static bool text_ends_in_number(const char *text)
{
    const char *label = strrchr(text, '.');
    label = label ? label + 1 : text;
    return *label && strspn(label, "0123456789") == strlen(label);
}

const char *ts_sandbox_domain_normalise(const char *text, size_t len, char *out)
{
    if (len > 1 && text[len - 1] == '.') {
        len--;
    }
    if (len == 0) {
        return "is empty";
    }
    if (len > TS_SANDBOX_DOMAIN_MAX) {
        return "is longer than 253 characters";
    }
    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        if ((unsigned char)c >= 0x80) {
            return "is not ASCII; use its punycode form";
        }
        out[i] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
    }
    out[len] = '\0';
    if (memchr(out, '*', len)) {
        return "has a wildcard; subdomains are covered without one";
    }
    if (strstr(out, "://")) {
        return "has a scheme";
    }
    if (memchr(out, '/', len)) {
        return "has a path";
    }
    if (text_is_ip(AF_INET6, out)) {
        return NULL;
    }
    if (memchr(out, ':', len)) {
        return "has a port";
    }
    if (text_ends_in_number(out)) {
        return text_is_ip(AF_INET, out) ? NULL : "is not an IPv4 address";
    }
    return text_is_hostname(out) ? NULL : "is not a hostname";
}

bool ts_sandbox_domain_covers(const char *domain, const char *host)
{
    size_t domain_len = strlen(domain);
    size_t host_len = strlen(host);
    if (host_len < domain_len || strcmp(host + host_len - domain_len, domain) != 0) {
        return false;
    }
    return host_len == domain_len || host[host_len - domain_len - 1] == '.';
}

enum ts_err ts_sandbox_domains_add(struct ts_sandbox_domains *domains, const char *name)
{
    size_t low = 0;
    size_t high = domains->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(domains->names[middle], name);
        if (order == 0) {
            return TS_OK;
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (domains->count == domains->cap) {
        size_t cap = domains->cap ? domains->cap * 2 : 16;
        void *names = reallocarray(domains->names, cap, sizeof *domains->names);
        if (!names) {
            return TS_ERR_NOMEM;
        }
        domains->names = names;
        domains->cap = cap;
    }
    memmove(domains->names + low + 1, domains->names + low,
        (domains->count - low) * sizeof *domains->names);
    memcpy(domains->names[low], name, strlen(name) + 1);
    domains->count++;
    return TS_OK;
}

enum ts_err ts_sandbox_domains_json(const struct ts_sandbox_domains *domains, struct ts_buf *out)
{
    // A normal form holds nothing that JSON would have to escape.
    enum ts_err code = ts_buf_add_char(out, '[');
    for (size_t i = 0; !code && i < domains->count; i++) {
        code = ts_buf_add_format(out, "%s\"%s\"", i > 0 ? "," : "", domains->names[i]);
    }
    return code ? code : ts_buf_add_char(out, ']');
}

void ts_sandbox_domains_fini(struct ts_sandbox_domains *domains)
{
    free(domains->names);
    *domains = (struct ts_sandbox_domains){0};
}
