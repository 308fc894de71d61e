// SPDX-License-Identifier: MIT
// The error that every room passes upwards: a code to branch on and one line to show.
// Fixed size and owned by the caller, so that reporting a failure cannot itself fail.
#ifndef TS_BASE_ERROR_H
#define TS_BASE_ERROR_H

enum ts_err {
    TS_OK = 0,
    TS_ERR_NOMEM,       // an allocation failed
    TS_ERR_USAGE,       // the caller, the command line or the configuration is wrong
    TS_ERR_INVALID,     // a value breaks a rule of the API; nothing was sent
    TS_ERR_SYSTEM,      // a system call failed; the message ends in its cause
    TS_ERR_EXISTS,      // what was to be made is there already
    TS_ERR_TOO_LARGE,   // a ceiling was reached
    TS_ERR_TRANSPORT,   // the exchange broke: resolve, connect, TLS, reset, garbage
    TS_ERR_TRUST,       // no TLS: a certificate is not trusted, or the trust store is unusable
    TS_ERR_TIMEOUT,     // a deadline passed
    TS_ERR_REFUSED,     // permission, cap or read-only; the message names the flag
    TS_ERR_CREDENTIALS, // credentials are missing or unusable
    TS_ERR_LOCKED,      // another process holds it
    TS_ERR_CANCELLED,   // stopped on purpose
    TS_ERR_LATE,        // it could not begin in time, and what it relies on may be out of date
    TS_ERR_JOURNAL,     // what has to be recorded cannot be: nothing may be done
    TS_ERR_INTERNAL,    // a library broke its word
};

#define TS_ERROR_MESSAGE_MAX 512

struct ts_error {
    enum ts_err code;
    char message[TS_ERROR_MESSAGE_MAX]; // one line, no newline, no secret
};

// Fills *err (which may be NULL) with a printf-formatted line, cut at TS_ERROR_MESSAGE_MAX.
// Control characters become spaces, so a hostile text cannot write to a terminal. The arguments may
// include the message that is there. Returns code, so that failing reads
// `return ts_error_set(err, TS_ERR_INVALID, "...")`.
enum ts_err ts_error_set(struct ts_error *err, enum ts_err code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

// The same with ": " and the text of errnum behind it; the code is TS_ERR_SYSTEM, or TS_ERR_NOMEM
// when errnum is ENOMEM.
enum ts_err ts_error_set_errno(struct ts_error *err, int errnum, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
