// SPDX-License-Identifier: MIT
// Lines are composed on the stack, cleaned in place and written with one fwrite, so that lines of
// several processes on one terminal do not mix.
#include "host/base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

// Length of the well-formed UTF-8 sequence at text, its code point in *point; 0 when malformed.
static size_t utf8_read(const unsigned char *text, uint32_t *point)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t len = text[0] < 0x80   ? 1
                 : text[0] < 0xc0 ? 0
                 : text[0] < 0xe0 ? 2
                 : text[0] < 0xf0 ? 3
                 : text[0] < 0xf8 ? 4
                                  : 0;
    if (len == 0) {
        return 0;
    }
    uint32_t value = len == 1 ? text[0] : text[0] & (0x7fU >> len);
    for (size_t i = 1; i < len; i++) {
        if ((text[i] & 0xc0) != 0x80) { // stops at the NUL, too
            return 0;
        }
        value = value << 6 | (text[i] & 0x3f);
    }
    *point = value;
    bool is_surrogate = value >= 0xd800 && value < 0xe000;
    return value < least[len] || value > 0x10ffff || is_surrogate ? 0 : len;
}

// C0, DEL and C1; line and paragraph separators; the marks that reorder what a terminal shows.
static bool point_is_harmful(uint32_t point)
{
    return point < 0x20 || (point >= 0x7f && point < 0xa0) || point == 0x200e || point == 0x200f ||
           (point >= 0x2028 && point <= 0x202e) || (point >= 0x2066 && point <= 0x2069);
}

static void line_clean(char *line)
{
    unsigned char *text = (unsigned char *)line;
    while (*text) {
        uint32_t point = 0;
        size_t len = utf8_read(text, &point);
        if (len == 0) {
            *text++ = '?';
        } else if (point_is_harmful(point)) {
            memset(text, '?', len);
            text += len;
        } else {
            text += len;
        }
    }
}

void ts_log_init(struct ts_log *log, FILE *file, enum ts_log_level level)
{
    *log = (struct ts_log){.file = file, .level = level};
}

bool ts_log_is_shown(const struct ts_log *log, enum ts_log_level level)
{
    return level <= log->level;
}

void ts_log_line(struct ts_log *log, enum ts_log_level level, const char *format, ...)
{
    if (!ts_log_is_shown(log, level)) {
        return;
    }
    char line[TS_LOG_LINE_MAX + 2]; // the newline and the NUL
    va_list args;
    va_start(args, format);
    int wanted = vsnprintf(line, TS_LOG_LINE_MAX + 1, format, args);
    va_end(args);
    if (wanted < 0) {
        line[0] = '\0';
    } else if (wanted > TS_LOG_LINE_MAX) {
        memcpy(line + TS_LOG_LINE_MAX - 3, "...", 3);
    }
    line_clean(line);
    size_t len = strlen(line);
    line[len++] = '\n';
    errno = 0;
    if ((fwrite(line, 1, len, log->file) != len || fflush(log->file) != 0) && log->errnum == 0) {
        log->errnum = errno ? errno : EIO;
    }
}
