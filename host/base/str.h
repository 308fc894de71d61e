// SPDX-License-Identifier: MIT
// The few string questions that several rooms ask, in ASCII and independent of the locale.
// Nothing here allocates.
#ifndef TS_BASE_STR_H
#define TS_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Whether two C strings are the same.
bool ts_str_is(const char *a, const char *b);

// Whether they are the same when ASCII case is ignored.
bool ts_str_is_nocase(const char *a, const char *b);

// Whether text begins with prefix.
bool ts_str_has_prefix(const char *text, const char *prefix);

// Cuts leading and trailing ASCII white space; moves *text and *len, changes no byte.
void ts_str_trim(const char **text, size_t *len);

// Reads a whole decimal number without sign; false when it is anything else or does not fit.
bool ts_str_to_int(const char *text, int64_t *out);

// Copies with a terminating NUL, cut to size; true when it all fitted.
bool ts_str_copy(char *out, size_t size, const char *text);

#endif
