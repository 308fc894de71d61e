// SPDX-License-Identifier: MIT
// Options may stand before and behind the operand, as there is nothing behind it that they could be
// taken for.
#include "host/cli/program.h"

#include <stdio.h>

#include "host/cli/command.h"
#include "host/cli/given.h"
#include "host/runtime/exit_status.h"
#include "host/runtime/report.h"
#include "host/runtime/run.h"

static int help_print(const struct ts_program *program, const struct ts_option *rows)
{
    printf("%s\n", program->about);
    ts_options_print(rows);
    printf("\n%s", program->statuses);
    return fflush(stdout) ? TS_EXIT_SCRIPT : TS_EXIT_DONE;
}

static int program_run(
    const struct ts_program *program, int argc, char **argv, void *settings, struct ts_given *given)
{
    struct ts_option rows[TS_RUN_ROWS_MAX];
    struct ts_program_settings *own = settings;
    struct ts_config *config = &own->common.config;
    struct ts_error err;
    int operand;
    ts_run_options_join(rows, program->options);
    ts_config_init(config);
    if (ts_options_parse_mixed(rows, argc, argv, settings, given, &operand, &err)) {
        return ts_usage_error(&err);
    }
    if (own->common.is_help) {
        return help_print(program, rows);
    }
    if (config->is_json && config->level == TS_LOG_QUIET) {
        config->level = TS_LOG_SILENT; // nothing but the object
    }
    if (argc - operand != 1) {
        ts_error_set(&err, TS_ERR_USAGE, "%s: %s; see tshost %s --help", program->name,
            operand < argc ? "one at a time" : program->missing, program->name);
        return ts_report_failure(config, TS_EXIT_USAGE, err.message);
    }
    own->args[0] = argv[operand];
    enum ts_err code = program->prepare ? program->prepare(settings, own->args, &err) : TS_OK;
    if (code) {
        int status = code == TS_ERR_USAGE ? TS_EXIT_USAGE : TS_EXIT_UNREACHABLE;
        return ts_report_failure(config, status, err.message);
    }
    config->program = "tshost";
    config->command = program->name;
    config->args = own->args;
    config->arg_count = program->add_args(settings, own->args);
    config->options_text = ts_given_text(given);
    return ts_run(config);
}

int ts_program_main(const struct ts_program *program, int argc, char **argv, void *settings)
{
    struct ts_given given;
    ts_given_init(&given);
    int status = program_run(program, argc, argv, settings, &given);
    ts_given_fini(&given);
    return status;
}
