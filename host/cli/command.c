// SPDX-License-Identifier: MIT
// The command table and the choice among it.
// Standard output is checked when help or versions were all that was asked for.
#include "host/cli/command.h"

#include <stdio.h>

#include "host/base/log.h"
#include "host/base/str.h"
#include "host/runtime/exit_status.h"

static const struct ts_command commands[] = {
    {NULL, "[options] SCRIPT [ARG...]", "run a script", ts_run_options, ts_command_run},
    {"apply", "apply [options] FILE", "do exactly what a saved plan says", ts_apply_options,
        ts_command_apply},
    {"undo", "undo [options] RUN", "take back what a run has done", ts_undo_options,
        ts_command_undo},
    {"log", "log [options] [RUN]", "what runs have done", ts_log_options, ts_command_log},
    {"plan", "plan [options] SCRIPT [ARG...]", "show what it would change", ts_plan_options,
        ts_command_plan},
    {"resume", "resume [options] RUN", "go on with a run that was cut short", ts_resume_options,
        ts_command_resume},
    {"sandbox", "sandbox [options]", "serve the sandbox", ts_sandbox_options, ts_command_sandbox},
    {"doctor", "doctor [options]", "what this machine, token and account can do", ts_doctor_options,
        ts_command_doctor},
    {NULL, NULL, NULL, NULL, NULL},
};

const struct ts_command *ts_commands(void)
{
    return commands;
}

int ts_usage_error(const struct ts_error *err)
{
    struct ts_log log;
    ts_log_init(&log, stderr, TS_LOG_NORMAL);
    ts_log_line(&log, TS_LOG_QUIET, "tshost: %s", err->message);
    return TS_EXIT_USAGE;
}

const struct ts_command *ts_command_find(const char *name)
{
    for (const struct ts_command *command = commands + 1; command->run; command++) {
        if (ts_str_is(command->name, name)) {
            return command;
        }
    }
    return NULL;
}

int ts_command_main(int argc, char **argv)
{
    const struct ts_command *command = argc > 1 ? ts_command_find(argv[1]) : NULL;
    return command ? command->run(argc - 1, argv + 1) : commands[0].run(argc, argv);
}
