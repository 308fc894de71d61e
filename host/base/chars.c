// SPDX-License-Identifier: MIT
// The table has a row for sixteen bytes, as the tables of ASCII have.
#include "host/base/chars.h"

enum {
    O = 0,
    P = TS_CHARS_PLAIN,
    R = P | TS_CHARS_UNRESERVED, // . ~
    U = R | TS_CHARS_WORD,       // capitals
    L = U | TS_CHARS_LOWER_WORD, // small letters, digits, - _
};

static const unsigned char kinds[256] = {
    O, O, O, O, O, O, O, O, O, O, O, O, O, O, O, O, // controls
    O, O, O, O, O, O, O, O, O, O, O, O, O, O, O, O, // controls
    P, P, O, P, P, P, P, P, P, P, P, P, P, L, R, P, // !"#$%&'()*+,-./ behind the space
    L, L, L, L, L, L, L, L, L, L, P, P, P, P, P, P, // 0123456789:;<=>?
    P, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, // @ABCDEFGHIJKLMNO
    U, U, U, U, U, U, U, U, U, U, U, P, O, P, P, L, // PQRSTUVWXYZ[\]^_
    P, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, // `abcdefghijklmno
    L, L, L, L, L, L, L, L, L, L, L, P, P, P, R, O, // pqrstuvwxyz{|}~
    P, P, P, P, P, P, P, P, P, P, P, P, P, P, P, P, // of UTF-8
    P, P, P, P, P, P, P, P, P, P, P, P, P, P, P, P, // of UTF-8
    P, P, P, P, P, P, P, P, P, P, P, P, P, P, P, P, // of UTF-8
    P, P, P, P, P, P, P, P, P, P, P, P, P, P, P, P, // of UTF-8
    P, P, P, P, P, P, P, P, P, P, P, P, P, P, P, P, // of UTF-8
    P, P, P, P, P, P, P, P, P, P, P, P, P, P, P, P, // of UTF-8
    P, P, P, P, P, P, P, P, P, P, P, P, P, P, P, P, // of UTF-8
    P, P, P, P, P, P, P, P, P, P, P, P, P, P, P, P, // of UTF-8
};

size_t ts_chars_span(const char *text, size_t len, enum ts_chars kind)
{
    size_t count = 0;
    while (count < len && kinds[(unsigned char)text[count]] & kind) {
        count++;
    }
    return count;
}
