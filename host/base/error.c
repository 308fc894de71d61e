// SPDX-License-Identifier: MIT
// Formatting of errors into the caller's fixed-size struct; nothing here allocates.
// A message may quote the one it replaces, so the line is composed beside it.
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
    __attribute__((format(printf, 2, 0)));

static void message_format(struct ts_error *err, const char *format, va_list args)
{
    char text[TS_ERROR_MESSAGE_MAX];
    if (vsnprintf(text, sizeof text, format, args) < 0) {
        text[0] = '\0';
    }
    message_clean(text);
    memcpy(err->message, text, strlen(text) + 1);
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
        char space[128];
        const char *cause = strerror_r(errnum, space, sizeof space); // the GNU form
        size_t len = strlen(err->message);
        snprintf(err->message + len, sizeof err->message - len, ": %s", cause);
        err->code = code;
    }
    return code;
}
