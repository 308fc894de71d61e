// SPDX-License-Identifier: MIT
// Text that comes from the network, before anything is built from it.
// SQLite stores and prints whatever it is given, so what is not text must be stopped here.
#ifndef TS_SANDBOX_UTF8_H
#define TS_SANDBOX_UTF8_H

#include <stdbool.h>
#include <stddef.h>

// Whether the bytes are UTF-8 without a NUL: no overlong forms, surrogates or codes past U+10FFFF.
bool ts_sandbox_utf8_is_text(const char *bytes, size_t len);

// How many characters valid UTF-8 holds.
size_t ts_sandbox_utf8_count(const char *text);

// Copies what may be shown: control characters, and all high bytes of what is not UTF-8,
// become '?'. Cut to size, whole characters only.
void ts_sandbox_utf8_clean(char *out, size_t size, const char *bytes);

#endif
