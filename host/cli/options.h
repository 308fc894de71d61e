// SPDX-License-Identifier: MIT
// Options as data: a row each, from which parsing and help are made.
// getopt_long does the parsing.
#ifndef TS_CLI_OPTIONS_H
#define TS_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "host/base/error.h"

enum ts_option_kind {
    TS_OPTION_FLAG,     // no value
    TS_OPTION_VALUE,    // --name VALUE or --name=VALUE
    TS_OPTION_OPTIONAL, // --name or --name=VALUE
    TS_OPTION_HEADING,  // no option: the name stands above those that follow in the help
};

// Stores the value (NULL for a flag) in the command's settings. USAGE with what is wrong with it.
typedef enum ts_err (*ts_option_fn)(void *settings, const char *value, struct ts_error *err);

// The metavar of options whose value is a path.
#define TS_OPTION_FILE "FILE"

struct ts_given;

struct ts_option {
    const char *name; // without the dashes; of a heading, its text
    char letter;      // '\0': none
    enum ts_option_kind kind;
    const char *metavar;
    const char *help;
    ts_option_fn apply;
};

// Parses the options before the first operand; rows end with a NULL name. *operands is the index in
// argv of the first operand. given gets the options that were there; NULL: nobody wants to know.
// USAGE, with a suggestion for a misspelt name.
enum ts_err ts_options_parse(const struct ts_option *rows, int argc, char **argv, void *settings,
    struct ts_given *given, int *operands, struct ts_error *err);

// The same for commands whose operands are their own, not a script's: options may also stand behind
// operands, which are moved to the end of argv; "--" ends the options.
enum ts_err ts_options_parse_mixed(const struct ts_option *rows, int argc, char **argv,
    void *settings, struct ts_given *given, int *operands, struct ts_error *err);

// Prints the rows as the option part of a help text, to standard output.
void ts_options_print(const struct ts_option *rows);

// Readers of common values. USAGE, naming the option.
enum ts_err ts_option_int(const char *name, const char *value, long long min, long long max,
    long long *out, struct ts_error *err);
enum ts_err ts_option_seconds(
    const char *name, const char *value, double min, long long *out_us, struct ts_error *err);

#endif
