// SPDX-License-Identifier: MIT
// `tshost log`: its options; the reading and printing is in host/programs/log.lua.
#include <stdio.h>

#include "host/cli/command.h"
#include "host/cli/settings.h"
#include "host/runtime/exit_status.h"
#include "host/runtime/run.h"

struct log_settings {
    struct ts_settings settings; // first, for the functions that store there
    bool is_json;
};

static enum ts_err set_json(void *settings, const char *value, struct ts_error *err)
{
    (void)value;
    (void)err;
    ((struct log_settings *)settings)->is_json = true;
    return TS_OK;
}

const struct ts_option ts_log_options[] = {
    {"json", 0, TS_OPTION_FLAG, NULL, "one JSON object a line", set_json},
    {"help", 'h', TS_OPTION_FLAG, NULL, "show this help", ts_set_help},
    {NULL, 0, TS_OPTION_FLAG, NULL, NULL, NULL},
};

int ts_command_log(int argc, char **argv)
{
    struct log_settings log = {.is_json = false};
    struct ts_config *config = &log.settings.config;
    struct ts_error err;
    int operand;
    ts_config_init(config);
    if (ts_options_parse(ts_log_options, argc, argv, &log, NULL, &operand, &err)) {
        return ts_usage_error(&err);
    }
    if (log.settings.is_help) {
        printf("Usage: tshost log [options]\n\n");
        ts_options_print(ts_log_options);
        return fflush(stdout) ? TS_EXIT_SCRIPT : TS_EXIT_DONE;
    }
    char text[] = "text", json[] = "json";
    char *args[] = {log.is_json ? json : text};
    config->program = argv[0];
    config->command = "log";
    config->args = args;
    config->arg_count = 1;
    return ts_run(config);
}
