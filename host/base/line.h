// SPDX-License-Identifier: MIT
// A line for people that is put together part by part, each in a style. Where it is read on a
// terminal, what does not fit goes on in rows below, indented; a part in a style is kept together
// if it fits.
#ifndef TS_BASE_LINE_H
#define TS_BASE_LINE_H

#include <stdbool.h>
#include <stddef.h>

#include "host/base/log.h"

enum ts_style {
    TS_STYLE_PLAIN,
    TS_STYLE_STRONG, // what to look at
    TS_STYLE_FAINT,  // what may be skipped
    TS_STYLE_GOOD,
    TS_STYLE_WARN,
    TS_STYLE_BAD,
    TS_STYLE_COUNT,
};

#define TS_LINE_PARTS_MAX 64

struct ts_line {
    char text[TS_LOG_LINE_MAX + 1]; // clean
    size_t len;
    int indent;    // columns before the rows behind the first
    bool is_whole; // never folded: something to be copied
    struct {
        size_t end;
        enum ts_style style;
    } parts[TS_LINE_PARTS_MAX];
    size_t count;
};

// Makes an empty line.
void ts_line_init(struct ts_line *line);

// Appends printf-formatted text, made harmless, in that style. What passes TS_LOG_LINE_MAX or
// TS_LINE_PARTS_MAX is cut, or loses its style.
void ts_line_add(struct ts_line *line, enum ts_style style, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

// Rows behind the first begin in the column where the line ends now.
void ts_line_indent(struct ts_line *line);

// Writes it to the log, as ts_log_line does.
void ts_line_write(const struct ts_line *line, struct ts_log *log, enum ts_log_level level);

#endif
