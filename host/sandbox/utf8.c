// SPDX-License-Identifier: MIT
// UTF-8 as RFC 3629 has it. The lead byte decides the length and the range of the second byte;
// everything behind is 80..BF.
#include "host/sandbox/utf8.h"

#include <string.h>

// Length of the character at p, 0 when it is none. p ends in a NUL, which is never a follower.
static size_t char_len(const unsigned char *p)
{
    unsigned char low = 0x80;
    unsigned char high = 0xbf;
    size_t len;
    if (p[0] < 0x80) {
        return 1;
    } else if (p[0] >= 0xc2 && p[0] <= 0xdf) {
        len = 2;
    } else if (p[0] >= 0xe0 && p[0] <= 0xef) {
        len = 3;
        low = p[0] == 0xe0 ? 0xa0 : 0x80;
        high = p[0] == 0xed ? 0x9f : 0xbf;
    } else if (p[0] >= 0xf0 && p[0] <= 0xf4) {
        len = 4;
        low = p[0] == 0xf0 ? 0x90 : 0x80;
        high = p[0] == 0xf4 ? 0x8f : 0xbf;
    } else {
        return 0;
    }
    if (p[1] < low || p[1] > high) {
        return 0;
    }
    for (size_t i = 2; i < len; i++) {
        if (p[i] < 0x80 || p[i] > 0xbf) {
            return 0;
        }
    }
    return len;
}

bool ts_sandbox_utf8_is_text(const char *bytes, size_t len)
{
    if (memchr(bytes, '\0', len)) {
        return false;
    }
    const unsigned char *p = (const unsigned char *)bytes;
    const unsigned char *end = p + len;
    while (p < end) {
        size_t step = char_len(p);
        if (step == 0) {
            return false;
        }
        p += step;
    }
    return true;
}

size_t ts_sandbox_utf8_count(const char *text)
{
    size_t count = 0;
    for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
        count += (*p & 0xc0) != 0x80;
    }
    return count;
}

void ts_sandbox_utf8_clean(char *out, size_t size, const char *bytes)
{
    size_t len = 0;
    bool is_text = ts_sandbox_utf8_is_text(bytes, strlen(bytes));
    for (const unsigned char *p = (const unsigned char *)bytes; *p;) {
        size_t step = is_text ? char_len(p) : 1;
        if (len + step >= size) {
            break;
        }
        bool is_bad = *p < 0x20 || *p == 0x7f || (*p >= 0x80 && !is_text);
        if (is_bad) {
            out[len++] = '?';
        } else {
            memcpy(out + len, p, step);
            len += step;
        }
        p += step;
    }
    out[len] = '\0';
}
