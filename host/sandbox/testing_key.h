// SPDX-License-Identifier: MIT
// The published testing keys: sitekeys and secrets whose verdict is fixed.
// They belong to no account and are listed by no one.
#ifndef TS_SANDBOX_TESTING_KEY_H
#define TS_SANDBOX_TESTING_KEY_H

#include <stdbool.h>

// The token that every testing sitekey yields.
#define TS_SANDBOX_DUMMY_TOKEN "XXXX.DUMMY.TOKEN.XXXX"

// Whether it is a testing sitekey.
bool ts_sandbox_testing_key_is_sitekey(const char *sitekey);

// The verdict of a testing secret: "" when it passes everything, an error code when it fails
// everything, NULL when it is no testing secret.
const char *ts_sandbox_testing_key_verdict(const char *secret);

#endif
