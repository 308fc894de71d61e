// SPDX-License-Identifier: MIT
// A leveled line writer for what a person reads: progress, warnings, the story of a request.
// It masks nothing, so it must never be handed a secret.
#ifndef TS_BASE_LOG_H
#define TS_BASE_LOG_H

#include <stdbool.h>
#include <stdio.h>

enum ts_log_level {
    TS_LOG_SILENT,  // nothing at all; no line has this level
    TS_LOG_QUIET,   // what must be said in any case
    TS_LOG_NORMAL,  // what most people want to see
    TS_LOG_VERBOSE, // each request and decision
};

// Longest line, in bytes; longer ones are cut and end in "...".
#define TS_LOG_LINE_MAX 4096

struct ts_log {
    FILE *file;              // borrowed, never closed here
    enum ts_log_level level; // lines above it are dropped
    int errnum;              // first write error, 0 while there is none
    bool is_colored;         // lines in parts have their colours
    bool is_folded;          // and go on in rows below, on the terminal that `file` is
};

// Makes a log that writes to file, which must outlive it. Needs no fini.
void ts_log_init(struct ts_log *log, FILE *file, enum ts_log_level level);

// How lines in parts (line.h) are written: with colours or not; folded to the width of the terminal
// that standard error is, or not. A log begins without both.
void ts_log_style(struct ts_log *log, bool is_colored, bool is_folded);

// Columns to fold to, as wide as the terminal is now; 0: lines are not folded.
int ts_log_columns(const struct ts_log *log);

// Writes the bytes as they are, flushed; whoever made them made them harmless. A failed write is
// remembered in log->errnum and does not stop later ones.
void ts_log_write(struct ts_log *log, const char *data, size_t len);

// Whether a line of this level would be written; saves the work of composing one.
bool ts_log_is_shown(const struct ts_log *log, enum ts_log_level level);

// Writes one printf-formatted line and its newline, flushed. Control characters, C1 ones and
// malformed UTF-8 become '?', so that hostile text can neither drive a terminal nor forge a line.
// A failed write is remembered as above.
void ts_log_line(struct ts_log *log, enum ts_log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
