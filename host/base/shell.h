// SPDX-License-Identifier: MIT
// Command lines to be typed again, as a shell of POSIX reads them.
#ifndef TS_BASE_SHELL_H
#define TS_BASE_SHELL_H

#include <stdbool.h>
#include <stddef.h>

// Appends the word to the command line in line, behind a space unless that is empty, quoted where
// it has to be. False, and nothing appended, when it does not fit or holds what cannot be shown on
// a terminal: then the line could not be copied from there.
bool ts_shell_add(char *line, size_t size, const char *word);

#endif
