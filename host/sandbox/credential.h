// SPDX-License-Identifier: MIT
// Credentials that differ from the rest: weaker ones, revoked ones. Made by a control route, so
// that a script can meet them before it meets the real thing.
#ifndef TS_SANDBOX_CREDENTIAL_H
#define TS_SANDBOX_CREDENTIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TS_SANDBOX_CREDENTIALS_MAX 64

enum ts_sandbox_permission {
    TS_SANDBOX_PERMISSION_REVOKED, // nobody's
    TS_SANDBOX_PERMISSION_NONE,    // good, but not for widgets
    TS_SANDBOX_PERMISSION_READ,
    TS_SANDBOX_PERMISSION_WRITE,
    TS_SANDBOX_PERMISSION_COUNT,
};

struct ts_sandbox_credentials {
    size_t count;
    struct {
        uint64_t digest[2]; // as in struct ts_sandbox_identity
        enum ts_sandbox_permission permission;
    } entries[TS_SANDBOX_CREDENTIALS_MAX];
};

// The permission of that name; COUNT when there is none.
enum ts_sandbox_permission ts_sandbox_permission_find(const char *name);

// Sets the permission of a credential; false when there are too many.
bool ts_sandbox_credentials_add(struct ts_sandbox_credentials *credentials,
    const uint64_t digest[2], enum ts_sandbox_permission permission);

// The permission of a credential, or what it has otherwise.
enum ts_sandbox_permission ts_sandbox_credentials_find(
    const struct ts_sandbox_credentials *credentials, const uint64_t digest[2],
    enum ts_sandbox_permission otherwise);

#endif
