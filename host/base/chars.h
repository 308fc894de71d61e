// SPDX-License-Identifier: MIT
// What bytes may be part of, looked up in one table: names, texts and URLs are walked for each
// request. Independent of the locale.
#ifndef TS_BASE_CHARS_H
#define TS_BASE_CHARS_H

#include <stddef.h>

enum ts_chars {
    TS_CHARS_PLAIN = 1,      // stands in a quoted text as it is: no control, no " and no backslash
    TS_CHARS_UNRESERVED = 2, // stands in a URL as it is: letters, digits and -._~ (RFC 3986)
    TS_CHARS_WORD = 4,       // letters, digits, - and _
    TS_CHARS_LOWER_WORD = 8, // the same without capitals
};

// How many of the len bytes at text, from the first one on, are of that kind.
size_t ts_chars_span(const char *text, size_t len, enum ts_chars kind);

#endif
