// SPDX-License-Identifier: MIT
// One line at the bottom of a terminal that is drawn over and over, and streams that make way for
// it: what is written to them appears above the line, whole, whoever writes.
#ifndef TS_BASE_TERMINAL_H
#define TS_BASE_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

// Longest line that is shown, in bytes.
#define TS_TERMINAL_LINE_MAX 1024

struct ts_terminal;

// A standard stream whose bytes pass by the line on their way.
struct ts_terminal_stream {
    struct ts_terminal *terminal;
    FILE **place; // the variable, as &stdout; NULL while not guarded
    FILE *plain;  // what stood there before
    FILE *guarded;
    int fd;
};

struct ts_terminal {
    int fd; // where the line is drawn; -1: nowhere
    bool is_wanted;
    bool is_shown;
    bool is_in_line; // what a stream wrote last has no newline: its line is not ours to draw over
    char line[TS_TERMINAL_LINE_MAX + 1];
    struct ts_terminal_stream streams[2];
};

// Whether a line can be drawn over there: a terminal whose TERM is not dumb or unknown.
bool ts_terminal_is_capable(int fd);

// Its width now, in columns: the window's, else $COLUMNS, else 80.
int ts_terminal_columns(int fd);

// Makes a terminal without a line on the descriptor, which stays the caller's.
void ts_terminal_init(struct ts_terminal *terminal, int fd);

// Clears the line, flushes the streams and puts the plain ones back. Accepts a zeroed struct and
// may run twice.
void ts_terminal_fini(struct ts_terminal *terminal);

// Replaces the stream in *place, which writes to fd, by one that makes way for the line; for stdout
// and stderr, which are variables in the GNU C library. The plain one comes back with fini. At most
// two streams. False leaves all as it was: no memory.
bool ts_terminal_guard(struct ts_terminal *terminal, FILE **place, int fd, int buffering);

// Shows the line in place of what is shown: clean text without a newline, narrower than the
// terminal. The cursor stays in its first column, because a terminal that is made narrower and
// breaks the line into several keeps the cursor at its beginning, from where all of it is cleared.
void ts_terminal_show(struct ts_terminal *terminal, const char *line);

// Takes the line off the screen and changes nothing else: for the handler of a signal that is about
// to end the process.
void ts_terminal_abandon(const struct ts_terminal *terminal);

// Takes the line away until the next ts_terminal_show.
void ts_terminal_hide(struct ts_terminal *terminal);

#endif
