// SPDX-License-Identifier: MIT
// The commands as a table. A first argument that is no command is a script to run.
#ifndef TS_CLI_COMMAND_H
#define TS_CLI_COMMAND_H

#include "host/base/error.h"
#include "host/cli/options.h"

struct ts_command {
    const char *name;     // NULL in the first row: running a script
    const char *synopsis; // behind "tshost"
    const char *summary;
    const struct ts_option *options;
    // Runs with argv[0] the command's name and returns the exit status.
    int (*run)(int argc, char **argv);
};

// The table, ending with a row whose run is NULL. Lives for ever.
const struct ts_command *ts_commands(void);

// The command of that name, NULL when there is none. Running a script has no name.
const struct ts_command *ts_command_find(const char *name);

// Runs the program and returns its exit status.
int ts_command_main(int argc, char **argv);

// Implemented one per file.
extern const struct ts_option ts_run_options[];
extern const struct ts_option ts_log_options[];
extern const struct ts_option ts_plan_options[];
extern const struct ts_option ts_resume_options[];
extern const struct ts_option ts_sandbox_options[];
extern const struct ts_option ts_doctor_options[];
int ts_command_plan(int argc, char **argv);
extern const struct ts_option ts_apply_options[];
extern const struct ts_option ts_undo_options[];
int ts_command_run(int argc, char **argv);
int ts_command_apply(int argc, char **argv);
int ts_command_undo(int argc, char **argv);
int ts_command_log(int argc, char **argv);
int ts_command_resume(int argc, char **argv);
int ts_command_sandbox(int argc, char **argv);
int ts_command_doctor(int argc, char **argv);

// Room for a command's own options and those of a run.
#define TS_RUN_ROWS_MAX 48

// Writes a command's own rows, and behind them those of a run but for -e and --version.
void ts_run_options_join(struct ts_option rows[TS_RUN_ROWS_MAX], const struct ts_option *own);

// Says what is wrong with the usage on standard error and returns the exit status for it, 2.
int ts_usage_error(const struct ts_error *err);

// --help of the program, on standard output.
void ts_help_print(void);

#endif
