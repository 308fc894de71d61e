// SPDX-License-Identifier: MIT
// Lines are composed on the stack, cleaned in place and written with one fwrite, so that lines of
// several processes on one terminal do not mix.
#include "host/base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "host/base/terminal.h"
#include "host/base/text.h"

void ts_log_init(struct ts_log *log, FILE *file, enum ts_log_level level)
{
    *log = (struct ts_log){.file = file, .level = level};
}

void ts_log_style(struct ts_log *log, bool is_colored, bool is_folded)
{
    log->is_colored = is_colored;
    log->is_folded = is_folded;
}

int ts_log_columns(const struct ts_log *log)
{
    return log->is_folded ? ts_terminal_columns(STDERR_FILENO) : 0;
}

void ts_log_write(struct ts_log *log, const char *data, size_t len)
{
    errno = 0;
    if ((fwrite(data, 1, len, log->file) != len || fflush(log->file) != 0) && log->errnum == 0) {
        log->errnum = errno ? errno : EIO;
    }
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
    ts_log_write(log, line, len);
}
