// SPDX-License-Identifier: MIT
// `tshost log`: its options; the reading and printing is in host/programs/log.lua.
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "host/base/str.h"
#include "host/cli/command.h"
#include "host/cli/settings.h"
#include "host/runtime/exit_status.h"
#include "host/runtime/run.h"

#define LIMIT 50 // of the runs that a person is shown; a program gets all

struct log_settings {
    struct ts_settings settings; // first, for the functions that store there
    bool is_json;
    bool is_failed;
    bool is_verify;
    int64_t limit;   // -1: not given
    int64_t prune_s; // -1: nothing is removed
};

static enum ts_err set_json(void *settings, const char *value, struct ts_error *err)
{
    (void)value;
    (void)err;
    ((struct log_settings *)settings)->is_json = true;
    return TS_OK;
}

static enum ts_err set_failed(void *settings, const char *value, struct ts_error *err)
{
    (void)value;
    (void)err;
    ((struct log_settings *)settings)->is_failed = true;
    return TS_OK;
}

static enum ts_err set_verify(void *settings, const char *value, struct ts_error *err)
{
    (void)value;
    (void)err;
    ((struct log_settings *)settings)->is_verify = true;
    return TS_OK;
}

static enum ts_err set_limit(void *settings, const char *value, struct ts_error *err)
{
    long long number;
    enum ts_err code = ts_option_int("limit", value, 0, 1000000000, &number, err);
    if (!code) {
        ((struct log_settings *)settings)->limit = number;
    }
    return code;
}

// "90d", "12h", "30m"
static enum ts_err set_prune(void *settings, const char *value, struct ts_error *err)
{
    static const struct {
        char letter;
        int64_t seconds;
    } units[] = {{'d', 86400}, {'h', 3600}, {'m', 60}};
    char number[16];
    size_t len = strlen(value);
    int64_t count = -1;
    if (len > 1 && ts_str_copy(number, sizeof number, value)) {
        number[len - 1] = '\0';
        for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
            if (value[len - 1] == units[i].letter && ts_str_to_int(number, &count) && count >= 0 &&
                count <= 1000000) {
                ((struct log_settings *)settings)->prune_s = count * units[i].seconds;
                return TS_OK;
            }
        }
    }
    return ts_error_set(err, TS_ERR_USAGE,
        "--prune %.40s: an age expected, in days, hours or minutes, as in 90d", value);
}

const struct ts_option ts_log_options[] = {
    {"failed", 0, TS_OPTION_FLAG, NULL, "of a run, only what was not done", set_failed},
    {"json", 0, TS_OPTION_FLAG, NULL, "one JSON object a line", set_json},
    {"limit", 0, TS_OPTION_VALUE, "N", "list N runs, 0: all (default: 50; --json: all)", set_limit},
    {"verify", 0, TS_OPTION_FLAG, NULL, "check that the journal is sound", set_verify},
    {"prune", 0, TS_OPTION_VALUE, "AGE", "remove runs that ended longer ago, as in 90d", set_prune},
    {"help", 'h', TS_OPTION_FLAG, NULL, "show this help", ts_set_help},
    {NULL, 0, TS_OPTION_FLAG, NULL, NULL, NULL},
};

static int help_print(void)
{
    printf("Usage: tshost log [options] [RUN]\n\n"
           "Without RUN, the runs that have written something, newest first. RUN is the name of a\n"
           "run, a part of it that no other has, or last: then each of its operations.\n\n");
    ts_options_print(ts_log_options);
    return fflush(stdout) ? TS_EXIT_SCRIPT : TS_EXIT_DONE;
}

// What is asked for, if it makes sense.
static enum ts_err action_choose(
    const struct log_settings *log, int operands, const char **action, struct ts_error *err)
{
    bool is_prune = log->prune_s >= 0;
    if (operands > 1) {
        return ts_error_set(err, TS_ERR_USAGE, "log takes one run, not several");
    }
    if (operands + log->is_verify + is_prune > 1) {
        return ts_error_set(err, TS_ERR_USAGE, "a run, --verify and --prune go one at a time");
    }
    if (log->is_failed && operands == 0) {
        return ts_error_set(err, TS_ERR_USAGE, "--failed is of one run: tshost log --failed last");
    }
    *action = log->is_verify ? "verify" : is_prune ? "prune" : operands > 0 ? "run" : "list";
    return TS_OK;
}

int ts_command_log(int argc, char **argv)
{
    struct log_settings log = {.limit = -1, .prune_s = -1};
    struct ts_config *config = &log.settings.config;
    struct ts_error err;
    const char *action = NULL;
    int operand;
    ts_config_init(config);
    if (ts_options_parse_mixed(ts_log_options, argc, argv, &log, NULL, &operand, &err)) {
        return ts_usage_error(&err);
    }
    if (log.settings.is_help) {
        return help_print();
    }
    if (action_choose(&log, argc - operand, &action, &err)) {
        return ts_usage_error(&err);
    }
    char verb[16], format[8], limit[24], filter[8], age[24];
    ts_str_copy(verb, sizeof verb, action);
    ts_str_copy(format, sizeof format, log.is_json ? "json" : "text");
    ts_str_copy(filter, sizeof filter, log.is_failed ? "failed" : "all");
    int64_t usual = log.is_json ? 0 : LIMIT;
    snprintf(limit, sizeof limit, "%" PRId64, log.limit < 0 ? usual : log.limit);
    snprintf(age, sizeof age, "%" PRId64, log.prune_s);
    char *args[] = {verb, format, limit, filter, operand < argc ? argv[operand] : age};
    config->program = argv[0];
    config->command = "log";
    config->args = args;
    config->arg_count = sizeof args / sizeof args[0];
    return ts_run(config);
}
