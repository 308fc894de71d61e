// SPDX-License-Identifier: MIT
// `tshost plan [options] SCRIPT [ARG...] [-o FILE]`: the options of a run, and those of a plan.
#include <stdio.h>
#include <string.h>

#include "host/base/str.h"
#include "host/cli/command.h"
#include "host/cli/settings.h"
#include "host/runtime/exit_status.h"
#include "host/runtime/plan.h"

#define ROWS_MAX 64

struct plan_settings {
    struct ts_settings common; // first: the options of a run store there
    struct ts_plan_options plan;
};

static enum ts_err set_output(void *settings, const char *value, struct ts_error *err)
{
    struct plan_settings *plan = settings;
    if (plan->plan.file) {
        return ts_error_set(err, TS_ERR_USAGE, "-o is there twice; a plan is saved once");
    }
    plan->plan.file = value;
    return TS_OK;
}

static enum ts_err set_json(void *settings, const char *value, struct ts_error *err)
{
    (void)value;
    (void)err;
    ((struct plan_settings *)settings)->plan.is_json = true;
    return TS_OK;
}

const struct ts_option ts_plan_options[] = {
    {"output", 'o', TS_OPTION_VALUE, "FILE", "save the plan, for tshost apply FILE", set_output},
    {"json", 0, TS_OPTION_FLAG, NULL, "print the plan as it is saved", set_json},
    {NULL, 0, TS_OPTION_FLAG, NULL, NULL, NULL},
};

static bool is_row(const struct ts_option *rows, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (ts_str_is(rows[i].name, name)) {
            return true;
        }
    }
    return false;
}

// The rows of a plan and those of a run, as one table; --json means the plan.
static void rows_join(struct ts_option rows[ROWS_MAX])
{
    static const struct ts_option *const tables[] = {ts_plan_options, ts_run_options};
    size_t count = 0;
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        for (const struct ts_option *row = tables[i]; row->name && count < ROWS_MAX - 1; row++) {
            if (!is_row(rows, count, row->name)) {
                rows[count++] = *row;
            }
        }
    }
    rows[count] = (struct ts_option){.name = NULL};
}

// `-o FILE` may also stand at the end, behind the script's own arguments, unless it is given before
// the script: then all that follows is the script's.
static enum ts_err take_last_output(
    struct plan_settings *settings, int *argc, char **argv, int first, struct ts_error *err)
{
    if (settings->plan.file || *argc - first < 2) {
        return TS_OK;
    }
    const char *last = argv[*argc - 1];
    if (ts_str_is(argv[*argc - 2], "-o") || ts_str_is(argv[*argc - 2], "--output")) {
        *argc -= 2;
        return set_output(settings, last, err);
    }
    if (ts_str_has_prefix(last, "--output=")) {
        *argc -= 1;
        return set_output(settings, last + strlen("--output="), err);
    }
    return TS_OK;
}

static int print_help(const struct ts_option *rows)
{
    printf("Usage: tshost plan [options] SCRIPT [ARG...] [-o FILE]\n\n"
           "Runs the script against a copy of the account and shows what it would change.\n"
           "Nothing is written but the plan, if it is saved.\n\n");
    ts_options_print(rows);
    printf("\nExit status: 3 when there are changes, 0 when there are none; else as in a run,\n"
           "and then there is no plan.\n");
    return fflush(stdout) ? TS_EXIT_SCRIPT : TS_EXIT_DONE;
}

int ts_command_plan(int argc, char **argv)
{
    struct ts_option rows[ROWS_MAX];
    struct plan_settings settings = {.plan = {.file = NULL}};
    struct ts_config *config = &settings.common.config;
    struct ts_error err;
    int operand;
    rows_join(rows);
    ts_config_init(config);
    config->program = "tshost";
    if (ts_options_parse(rows, argc, argv, &settings, NULL, &operand, &err)) {
        return ts_usage_error(&err);
    }
    if (settings.common.is_help) {
        return print_help(rows);
    }
    if (!config->code) {
        if (operand >= argc) {
            ts_error_set(&err, TS_ERR_USAGE, "plan: no script given; see tshost plan --help");
            return ts_usage_error(&err);
        }
        config->script = argv[operand++];
    }
    if (take_last_output(&settings, &argc, argv, operand, &err)) {
        return ts_usage_error(&err);
    }
    config->args = argv + operand;
    config->arg_count = argc - operand;
    return ts_plan(config, &settings.plan);
}
