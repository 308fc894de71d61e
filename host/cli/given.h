// SPDX-License-Identifier: MIT
// Words of a command line as a JSON array, for the journal: options that mean the same wherever
// they are read again, and a script's arguments.
#ifndef TS_CLI_GIVEN_H
#define TS_CLI_GIVEN_H

#include <stdbool.h>

#include "host/base/buf.h"

struct ts_option;

struct ts_given {
    struct ts_buf json;          // "[" and the words so far
    const char *const *left_out; // names of options that are not added; NULL: all are
    bool is_odd;                 // a word cannot be kept: it is no UTF-8, or memory has ended
};

// Makes an empty list.
void ts_given_init(struct ts_given *given);

// Releases. Accepts a zeroed struct, may run twice.
void ts_given_fini(struct ts_given *given);

// Adds a word as it is.
void ts_given_add(struct ts_given *given, const char *word);

// Adds an option in full, "--name" or "--name=value"; a file's path from the root.
void ts_given_add_option(struct ts_given *given, const struct ts_option *option, const char *value);

// The array, once all words are there; NULL when one of them could not be kept, as half a command
// line would be another one. Borrowed from the list.
const char *ts_given_text(struct ts_given *given);

#endif
