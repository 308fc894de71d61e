// SPDX-License-Identifier: MIT
// Commands that are programs of ours (host/programs) and write: the options of a run and some of
// their own, and one operand.
#ifndef TS_CLI_PROGRAM_H
#define TS_CLI_PROGRAM_H

#include "host/cli/settings.h"

// Room for the arguments of a program.
#define TS_PROGRAM_ARGS_MAX 4

struct ts_program_settings {
    struct ts_settings common; // first: the options of a run store there
    char *args[TS_PROGRAM_ARGS_MAX];
};

struct ts_program {
    const char *name;
    const struct ts_option
        *options;         // its own; they store in a struct that begins with the settings
    const char *missing;  // "no plan given"
    const char *about;    // the help above the options
    const char *statuses; // and below
    // Looks up what the operand, args[0], means. NULL: nothing is to be looked up.
    enum ts_err (*prepare)(void *settings, char *args[TS_PROGRAM_ARGS_MAX], struct ts_error *err);
    // Fills in args behind the operand, which is the first. Returns their number, operand included.
    int (*add_args)(void *settings, char *args[TS_PROGRAM_ARGS_MAX]);
};

// Runs the program with argv as a command gets it. settings begins with a struct
// ts_program_settings and is zeroed. Returns the exit status.
int ts_program_main(const struct ts_program *program, int argc, char **argv, void *settings);

#endif
