// SPDX-License-Identifier: MIT
// Text is cleaned part by part, before the colours go in between: what a stranger wrote can make
// none of its own. Rows break at spaces, outside of styled parts where that can be.
#include "host/base/line.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "host/base/text.h"

#define INDENT_MAX 24 // columns; deeper ones leave no room on narrow terminals
#define ROW_MIN 20

void ts_line_init(struct ts_line *line)
{
    line->text[0] = '\0';
    line->len = 0;
    line->indent = 0;
    line->is_whole = false;
    line->count = 0;
}

void ts_line_add(struct ts_line *line, enum ts_style style, const char *format, ...)
{
    size_t room = sizeof line->text - line->len;
    va_list args;
    va_start(args, format);
    int wanted = vsnprintf(line->text + line->len, room, format, args);
    va_end(args);
    if (wanted < 0) {
        line->text[line->len] = '\0';
        return;
    }
    size_t end = line->len + ((size_t)wanted < room ? (size_t)wanted : room - 1);
    if ((size_t)wanted >= room && room > 3) {
        memcpy(line->text + end - 3, "...", 3);
    }
    ts_text_clean(line->text + line->len, end - line->len);
    line->len = end;
    bool is_new = line->count == 0 || line->parts[line->count - 1].style != style;
    if (is_new && line->count < TS_LINE_PARTS_MAX) {
        line->parts[line->count++].style = style;
    }
    line->parts[line->count - 1].end = end;
}

void ts_line_indent(struct ts_line *line)
{
    int columns = ts_text_columns(line->text);
    line->indent = columns < INDENT_MAX ? columns : INDENT_MAX;
}

// What is written at once, so that lines of several processes do not mix: all of a line with the
// colours and indents that it can have.
struct sheet {
    char data[TS_LOG_LINE_MAX * 4];
    size_t len;
};

static void sheet_add(struct sheet *sheet, const char *data, size_t len)
{
    if (len <= sizeof sheet->data - sheet->len) {
        memcpy(sheet->data + sheet->len, data, len);
        sheet->len += len;
    }
}

// Adds the bytes from..to of the line, each in the style of its part.
static void sheet_add_row(
    struct sheet *sheet, const struct ts_line *line, bool is_colored, size_t from, size_t to)
{
    static const char *const codes[TS_STYLE_COUNT] = {
        [TS_STYLE_PLAIN] = "",
        [TS_STYLE_STRONG] = "\033[1m",
        [TS_STYLE_FAINT] = "\033[2m",
        [TS_STYLE_GOOD] = "\033[32m",
        [TS_STYLE_WARN] = "\033[33m",
        [TS_STYLE_BAD] = "\033[31m",
    };
    for (size_t i = 0; i < line->count && from < to; i++) {
        size_t end = line->parts[i].end < to ? line->parts[i].end : to;
        const char *code = is_colored ? codes[line->parts[i].style] : "";
        if (end > from) {
            sheet_add(sheet, code, strlen(code));
            sheet_add(sheet, line->text + from, end - from);
            sheet_add(sheet, "\033[0m", *code ? 4 : 0);
            from = end;
        }
    }
}

static int columns_of(const char *text, size_t len)
{
    char piece[TS_LOG_LINE_MAX + 1];
    memcpy(piece, text, len);
    piece[len] = '\0';
    return ts_text_columns(piece);
}

// Where the first piece behind `from` ends that is not broken: a word, or a part in a style.
static size_t piece_end(const struct ts_line *line, size_t from)
{
    size_t end = from + strspn(line->text + from, " ");
    for (size_t i = 0; i < line->count && end < line->len; i++) {
        if (line->parts[i].end <= end) {
            continue;
        }
        size_t part = line->parts[i].end, word = end + strcspn(line->text + end, " ");
        bool is_broken = line->parts[i].style == TS_STYLE_PLAIN && word < part;
        end = is_broken ? word : part;
        if (line->text[end] == ' ') {
            break;
        }
    }
    return end;
}

static size_t word_end(const struct ts_line *line, size_t from)
{
    size_t end = from + strspn(line->text + from, " ");
    return end + strcspn(line->text + end, " ");
}

// Where the row that begins at `from` ends: before a space, or with the line. A piece that is wider
// than a row is broken all the same.
static size_t row_end(const struct ts_line *line, size_t from, int room)
{
    size_t end = from;
    bool is_broken = columns_of(line->text + from, piece_end(line, from) - from) > room;
    while (end < line->len) {
        size_t next = is_broken ? word_end(line, end) : piece_end(line, end);
        if (end > from && columns_of(line->text + from, next - from) > room) {
            break;
        }
        end = next;
    }
    return end;
}

void ts_line_write(const struct ts_line *line, struct ts_log *log, enum ts_log_level level)
{
    struct sheet sheet;
    sheet.len = 0;
    if (!ts_log_is_shown(log, level)) {
        return;
    }
    int columns = line->is_whole ? 0 : ts_log_columns(log), room = columns;
    size_t from = 0, end;
    while (columns > 0 && (end = row_end(line, from, room)) < line->len) {
        sheet_add_row(&sheet, line, log->is_colored, from, end);
        sheet_add(&sheet, "\n", 1);
        for (int i = 0; i < line->indent; i++) {
            sheet_add(&sheet, " ", 1);
        }
        from = end + strspn(line->text + end, " ");
        room = columns - line->indent > ROW_MIN ? columns - line->indent : ROW_MIN;
    }
    sheet_add_row(&sheet, line, log->is_colored, from, line->len);
    sheet_add(&sheet, "\n", 1);
    ts_log_write(log, sheet.data, sheet.len);
}
