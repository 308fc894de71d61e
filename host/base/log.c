// SPDX-License-Identifier: MIT
// Lines are composed on the stack, cleaned in place and written with one fwrite, so that lines of
// several processes on one terminal do not mix.
#include "host/base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "host/base/text.h"

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
    size_t len = strlen(line);
    ts_text_clean(line, len);
    line[len++] = '\n';
    errno = 0;
    if ((fwrite(line, 1, len, log->file) != len || fflush(log->file) != 0) && log->errnum == 0) {
        log->errnum = errno ? errno : EIO;
    }
}
