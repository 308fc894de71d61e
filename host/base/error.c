// SPDX-License-Identifier: MIT
// Formatting of errors into the caller's fixed-size struct.
// strerror_r is used in its POSIX form; nothing here allocates.
#include "host/base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void message_clean(char *text)
{
    for (char *p = text; *p; p++) {
        unsigned char c = (unsigned char)*p;
        if (c < 0x20 || c == 0x7f) {
            *p = ' ';
        }
    }
}

static void message_format(struct ts_error *err, const char *format, va_list args)
{
    if (vsnprintf(err->message, sizeof err->message, format, args) < 0) {
        err->message[0] = '\0';
    }
    message_clean(err->message);
}

enum ts_err ts_error_set(struct ts_error *err, enum ts_err code, const char *format, ...)
{
    if (err) {
        va_list args;
        va_start(args, format);
        message_format(err, format, args);
        va_end(args);
        err->code = code;
    }
    return code;
}

enum ts_err ts_error_set_errno(struct ts_error *err, int errnum, const char *format, ...)
{
    enum ts_err code = errnum == ENOMEM ? TS_ERR_NOMEM : TS_ERR_SYSTEM;
    if (err) {
        va_list args;
        va_start(args, format);
        message_format(err, format, args);
        va_end(args);
        char cause[128];
        if (strerror_r(errnum, cause, sizeof cause) != 0) {
            snprintf(cause, sizeof cause, "error %d", errnum);
        }
        size_t len = strlen(err->message);
        snprintf(err->message + len, sizeof err->message - len, ": %s", cause);
        err->code = code;
    }
    return code;
}
