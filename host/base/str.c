// SPDX-License-Identifier: MIT
// Locale-free string questions; see the header.
// strcasecmp is avoided because its answer depends on the locale.
#include "host/base/str.h"

#include <string.h>

static char char_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool char_is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

bool ts_str_is(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

bool ts_str_is_nocase(const char *a, const char *b)
{
    while (*a && char_lower(*a) == char_lower(*b)) {
        a++;
        b++;
    }
    return char_lower(*a) == char_lower(*b);
}

bool ts_str_has_prefix(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

void ts_str_trim(const char **text, size_t *len)
{
    while (*len > 0 && char_is_space((*text)[0])) {
        (*text)++;
        (*len)--;
    }
    while (*len > 0 && char_is_space((*text)[*len - 1])) {
        (*len)--;
    }
}

bool ts_str_to_int(const char *text, int64_t *out)
{
    int64_t value = 0;
    if (!*text) {
        return false;
    }
    for (const char *p = text; *p; p++) {
        int digit = *p - '0';
        if (digit < 0 || digit > 9 || value > (INT64_MAX - digit) / 10) {
            return false;
        }
        value = value * 10 + digit;
    }
    *out = value;
    return true;
}

bool ts_str_copy(char *out, size_t size, const char *text)
{
    size_t len = strlen(text);
    size_t kept = len < size ? len : size - 1;
    memcpy(out, text, kept);
    out[kept] = '\0';
    return kept == len;
}
