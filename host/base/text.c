// SPDX-License-Identifier: MIT
// UTF-8 by hand: the C library's functions depend on the locale, which is "C" here.
// The widths are a coarse cut of the Unicode tables, wide in doubt.
#include "host/base/text.h"

#include <string.h>

size_t ts_text_read(const char *text, size_t len, uint32_t *point)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    unsigned char first = len > 0 ? (unsigned char)text[0] : 0xff;
    size_t need = first < 0x80   ? 1
                  : first < 0xc0 ? 0
                  : first < 0xe0 ? 2
                  : first < 0xf0 ? 3
                  : first < 0xf8 ? 4
                                 : 0;
    if (need == 0 || need > len) {
        return 0;
    }
    uint32_t value = need == 1 ? first : first & (0x7fU >> need);
    for (size_t i = 1; i < need; i++) {
        unsigned char next = (unsigned char)text[i];
        if ((next & 0xc0) != 0x80) {
            return 0;
        }
        value = value << 6 | (next & 0x3f);
    }
    *point = value;
    bool is_surrogate = value >= 0xd800 && value < 0xe000;
    return value < least[need] || value > 0x10ffff || is_surrogate ? 0 : need;
}

// C0, DEL and C1; line and paragraph separators; the marks that reorder what a terminal shows.
bool ts_text_is_harmful(uint32_t point)
{
    return point < 0x20 || (point >= 0x7f && point < 0xa0) || point == 0x200e || point == 0x200f ||
           (point >= 0x2028 && point <= 0x202e) || (point >= 0x2066 && point <= 0x2069);
}

void ts_text_clean(char *text, size_t len)
{
    for (size_t at = 0; at < len;) {
        uint32_t point = 0;
        size_t size = ts_text_read(text + at, len - at, &point);
        if (size == 0) {
            text[at++] = '?';
            continue;
        }
        if (ts_text_is_harmful(point)) {
            memset(text + at, '?', size);
        }
        at += size;
    }
}

struct range {
    uint32_t first;
    uint32_t last;
};

static bool is_among(uint32_t point, const struct range *ranges, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (point >= ranges[i].first && point <= ranges[i].last) {
            return true;
        }
    }
    return false;
}

static int point_columns(uint32_t point)
{
    static const struct range none[] = {{0x0300, 0x036f}, {0x0591, 0x05bd}, {0x0610, 0x061a},
        {0x064b, 0x065f}, {0x1ab0, 0x1aff}, {0x1dc0, 0x1dff}, {0x200b, 0x200d}, {0x20d0, 0x20ff},
        {0xfe00, 0xfe0e}, {0xfe20, 0xfe2f}, {0xfeff, 0xfeff}, {0xe0100, 0xe01ef}};
    static const struct range two[] = {{0x1100, 0x115f}, {0x231a, 0x231b}, {0x23e9, 0x23f3},
        {0x2600, 0x27bf}, {0x2b00, 0x2bff}, {0x2e80, 0xa4cf}, {0xa960, 0xa97c}, {0xac00, 0xd7a3},
        {0xf900, 0xfaff}, {0xfe30, 0xfe6f}, {0xff00, 0xff60}, {0xffe0, 0xffe6}, {0x16fe0, 0x18cff},
        {0x1aff0, 0x1b2ff}, {0x1f000, 0x1faff}, {0x20000, 0x3fffd}};
    if (point < 0x0300) {
        return 1;
    }
    if (is_among(point, none, sizeof none / sizeof *none)) {
        return 0;
    }
    return is_among(point, two, sizeof two / sizeof *two) ? 2 : 1;
}

int ts_text_columns(const char *text)
{
    int columns = 0;
    for (size_t len = strlen(text); len > 0;) {
        uint32_t point = 0;
        size_t size = ts_text_read(text, len, &point);
        columns += size ? point_columns(point) : 1;
        size += size == 0;
        text += size;
        len -= size;
    }
    return columns;
}

// The length of the longest beginning that takes up at most so many columns.
static size_t fitting(const char *text, int columns)
{
    size_t len = strlen(text), at = 0;
    while (at < len) {
        uint32_t point = 0;
        size_t size = ts_text_read(text + at, len - at, &point);
        columns -= size ? point_columns(point) : 1;
        if (columns < 0) {
            break;
        }
        at += size + (size == 0);
    }
    return at;
}

void ts_text_cut(char *text, int columns)
{
    if (ts_text_columns(text) <= columns) {
        return;
    }
    if (columns < 8) {
        text[fitting(text, columns)] = '\0';
        return;
    }
    size_t at = fitting(text, columns - 3); // at least three bytes follow
    memcpy(text + at, "...", 4);
}
