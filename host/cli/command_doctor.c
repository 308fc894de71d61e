// SPDX-License-Identifier: MIT
// `tshost doctor`: the options that say what to look at; the looking is in runtime.
// It shares the option rows of a run that concern the account.
#include <stdio.h>

#include "host/cli/command.h"
#include "host/runtime/doctor.h"
#include "host/runtime/exit_status.h"

struct doctor_settings {
    struct ts_config config;
    bool is_help;
};

#define CONFIG(settings) (&((struct doctor_settings *)(settings))->config)

static enum ts_err set_sandbox(void *settings, const char *value, struct ts_error *err)
{
    (void)err;
    CONFIG(settings)->is_sandbox = true;
    CONFIG(settings)->sandbox_db = value;
    return TS_OK;
}

static enum ts_err set_account(void *settings, const char *value, struct ts_error *err)
{
    (void)err;
    CONFIG(settings)->account = value;
    return TS_OK;
}

static enum ts_err set_token_file(void *settings, const char *value, struct ts_error *err)
{
    (void)err;
    CONFIG(settings)->token_file = value;
    return TS_OK;
}

static enum ts_err set_base_url(void *settings, const char *value, struct ts_error *err)
{
    (void)err;
    CONFIG(settings)->base_url = value;
    return TS_OK;
}

static enum ts_err set_timeout(void *settings, const char *value, struct ts_error *err)
{
    long long us;
    enum ts_err code = ts_option_seconds("timeout", value, &us, err);
    if (!code) {
        CONFIG(settings)->timeout_us = us;
    }
    return code;
}

static enum ts_err set_help(void *settings, const char *value, struct ts_error *err)
{
    (void)value;
    (void)err;
    ((struct doctor_settings *)settings)->is_help = true;
    return TS_OK;
}

const struct ts_option ts_doctor_options[] = {
    {"sandbox", 0, TS_OPTION_OPTIONAL, "FILE", "look at a sandbox instead", set_sandbox},
    {"account", 0, TS_OPTION_VALUE, "ID", "account (default: CLOUDFLARE_ACCOUNT_ID)", set_account},
    {"token-file", 0, TS_OPTION_VALUE, "FILE", "API token", set_token_file},
    {"base-url", 0, TS_OPTION_VALUE, "URL", "API to talk to", set_base_url},
    {"timeout", 0, TS_OPTION_VALUE, "S", "seconds for one request (default: 60)", set_timeout},
    {"help", 'h', TS_OPTION_FLAG, NULL, "show this help", set_help},
    {NULL, 0, TS_OPTION_FLAG, NULL, NULL, NULL},
};

int ts_command_doctor(int argc, char **argv)
{
    struct doctor_settings settings = {.is_help = false};
    struct ts_error err;
    int operand;
    ts_config_init(&settings.config);
    if (ts_options_parse(ts_doctor_options, argc, argv, &settings, &operand, &err)) {
        return ts_usage_error(&err);
    }
    if (settings.is_help) {
        printf("Usage: tshost doctor [options]\n\n");
        ts_options_print(ts_doctor_options);
        return fflush(stdout) ? TS_EXIT_SCRIPT : TS_EXIT_DONE;
    }
    if (operand < argc) {
        ts_error_set(&err, TS_ERR_USAGE, "doctor takes options only, not \"%s\"", argv[operand]);
        return ts_usage_error(&err);
    }
    return ts_doctor(&settings.config);
}
