// SPDX-License-Identifier: MIT
// The hostnames of a widget as a set: checked, normalised, sorted, without duplicates.
// Made from what was sent, turned into the JSON array that is stored and returned.
#ifndef TS_SANDBOX_DOMAINS_H
#define TS_SANDBOX_DOMAINS_H

#include <stdbool.h>
#include <stddef.h>

#include "host/base/buf.h"

#define TS_SANDBOX_DOMAIN_MAX 253

struct ts_sandbox_domains {
    char (*names)[TS_SANDBOX_DOMAIN_MAX + 1];
    size_t count;
    size_t cap;
};

// Writes the normal form (lower case, one trailing dot dropped) to out, which holds
// TS_SANDBOX_DOMAIN_MAX + 1 bytes. Returns NULL, or why the name cannot be one.
const char *ts_sandbox_domain_normalise(const char *text, size_t len, char *out);

// Whether a page on host may use a widget of this domain: the same, or a subdomain.
bool ts_sandbox_domain_covers(const char *domain, const char *host);

// Adds a name in normal form, in its place; a duplicate changes nothing. NOMEM.
enum ts_err ts_sandbox_domains_add(struct ts_sandbox_domains *domains, const char *name);

// Writes the JSON array. The buffer's errors.
enum ts_err ts_sandbox_domains_json(const struct ts_sandbox_domains *domains, struct ts_buf *out);

// Releases. Accepts a zeroed struct and may run twice.
void ts_sandbox_domains_fini(struct ts_sandbox_domains *domains);

#endif
