// SPDX-License-Identifier: MIT
// Text for people, in UTF-8, whoever wrote it: made harmless for a terminal, measured in columns,
// cut to a width. Nothing here allocates or asks the locale.
#ifndef TS_BASE_TEXT_H
#define TS_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Length of the well-formed UTF-8 sequence that text begins with, its code point in *point; 0 when
// it is malformed, cut short or len is 0.
size_t ts_text_read(const char *text, size_t len, uint32_t *point);

// Whether a code point could drive a terminal or forge what it shows: control characters, C1 ones,
// line separators, marks that reorder. All are below U+10000.
bool ts_text_is_harmful(uint32_t point);

// Replaces each byte of what is harmful and of malformed UTF-8 by '?', in place. NUL bytes among
// the len are replaced too; the length stays.
void ts_text_clean(char *text, size_t len);

// Columns that clean text takes up on a terminal. Where terminals differ, as for symbols, it is
// the larger number.
int ts_text_columns(const char *text);

// Cuts clean text so that it takes up at most so many columns; what was cut ends in "..." where
// that fits.
void ts_text_cut(char *text, int columns);

#endif
