// SPDX-License-Identifier: MIT
// A short list of digests; the credentials themselves are not kept.
// There are never more than a handful, so it is searched from the start.
#include "host/sandbox/credential.h"

#include "host/base/str.h"

enum ts_sandbox_permission ts_sandbox_permission_find(const char *name)
{
    static const char *const names[TS_SANDBOX_PERMISSION_COUNT] = {
        "revoked", "none", "read", "write"};
    for (int i = 0; i < TS_SANDBOX_PERMISSION_COUNT; i++) {
        if (ts_str_is(names[i], name)) {
            return (enum ts_sandbox_permission)i;
        }
    }
    return TS_SANDBOX_PERMISSION_COUNT;
}

static size_t credentials_index(
    const struct ts_sandbox_credentials *credentials, const uint64_t digest[2])
{
    size_t i = 0;
    while (i < credentials->count && (credentials->entries[i].digest[0] != digest[0] ||
                                         credentials->entries[i].digest[1] != digest[1])) {
        i++;
    }
    return i;
}

bool ts_sandbox_credentials_add(struct ts_sandbox_credentials *credentials,
    const uint64_t digest[2], enum ts_sandbox_permission permission)
{
    size_t i = credentials_index(credentials, digest);
    if (i == TS_SANDBOX_CREDENTIALS_MAX) {
        return false;
    }
    credentials->entries[i].digest[0] = digest[0];
    credentials->entries[i].digest[1] = digest[1];
    credentials->entries[i].permission = permission;
    credentials->count += i == credentials->count;
    return true;
}

enum ts_sandbox_permission ts_sandbox_credentials_find(
    const struct ts_sandbox_credentials *credentials, const uint64_t digest[2],
    enum ts_sandbox_permission otherwise)
{
    size_t i = credentials_index(credentials, digest);
    return i < credentials->count ? credentials->entries[i].permission : otherwise;
}
