// SPDX-License-Identifier: MIT
// The tables of testing keys, as published.
#include "host/sandbox/testing_key.h"

#include <stddef.h>

#include "host/base/str.h"

static const char *const sitekeys[] = {
    "1x00000000000000000000AA", // always passes, visible
    "2x00000000000000000000AB", // always fails, visible
    "1x00000000000000000000BB", // always passes, invisible
    "2x00000000000000000000BB", // always fails, invisible
    "3x00000000000000000000FF", // forces an interaction
};

static const struct {
    const char *secret;
    const char *verdict;
} secrets[] = {
    {"1x0000000000000000000000000000000AA", ""},
    {"2x0000000000000000000000000000000AA", "invalid-input-response"},
    {"3x0000000000000000000000000000000AA", "timeout-or-duplicate"},
};

bool ts_sandbox_testing_key_is_sitekey(const char *sitekey)
{
    for (size_t i = 0; i < sizeof sitekeys / sizeof sitekeys[0]; i++) {
        if (ts_str_is(sitekeys[i], sitekey)) {
            return true;
        }
    }
    return false;
}

const char *ts_sandbox_testing_key_verdict(const char *secret)
{
    for (size_t i = 0; i < sizeof secrets / sizeof secrets[0]; i++) {
        if (ts_str_is(secrets[i].secret, secret)) {
            return secrets[i].verdict;
        }
    }
    return NULL;
}
