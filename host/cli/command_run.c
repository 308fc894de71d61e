// SPDX-License-Identifier: MIT
// `tshost [options] SCRIPT`, `-e CODE`, `--help`, `--version`: the options of a run as a table.
// Settings go straight into the runtime's configuration.
#include <stdio.h>
#include <unistd.h>

#include "host/cli/command.h"
#include "host/runtime/exit_status.h"
#include "host/runtime/run.h"
#include "host/runtime/versions.h"

struct run_settings {
    struct ts_config config;
    bool is_help;
    bool is_version;
};

#define CONFIG(settings) (&((struct run_settings *)(settings))->config)

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

static enum ts_err set_read_only(void *settings, const char *value, struct ts_error *err)
{
    (void)value;
    (void)err;
    CONFIG(settings)->permissions.is_read_only = true;
    return TS_OK;
}

static enum ts_err set_allow(void *settings, const char *value, struct ts_error *err)
{
    return ts_permissions_add(&CONFIG(settings)->permissions, value, err);
}

static enum ts_err set_concurrency(void *settings, const char *value, struct ts_error *err)
{
    long long number;
    enum ts_err code = ts_option_int("concurrency", value, 1, 1024, &number, err);
    if (!code) {
        CONFIG(settings)->concurrency = number;
    }
    return code;
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

static enum ts_err set_code(void *settings, const char *value, struct ts_error *err)
{
    (void)err;
    CONFIG(settings)->code = value;
    return TS_OK;
}

static enum ts_err set_quiet(void *settings, const char *value, struct ts_error *err)
{
    (void)value;
    (void)err;
    CONFIG(settings)->level = TS_LOG_QUIET;
    return TS_OK;
}

static enum ts_err set_verbose(void *settings, const char *value, struct ts_error *err)
{
    (void)value;
    (void)err;
    CONFIG(settings)->level = TS_LOG_VERBOSE;
    return TS_OK;
}

static enum ts_err set_help(void *settings, const char *value, struct ts_error *err)
{
    (void)value;
    (void)err;
    ((struct run_settings *)settings)->is_help = true;
    return TS_OK;
}

static enum ts_err set_version(void *settings, const char *value, struct ts_error *err)
{
    (void)value;
    (void)err;
    ((struct run_settings *)settings)->is_version = true;
    return TS_OK;
}

const struct ts_option ts_run_options[] = {
    {"sandbox", 0, TS_OPTION_OPTIONAL, "FILE",
        "run against a sandbox started for this run; FILE keeps its state", set_sandbox},
    {"account", 0, TS_OPTION_VALUE, "ID", "account (default: CLOUDFLARE_ACCOUNT_ID)", set_account},
    {"token-file", 0, TS_OPTION_VALUE, "FILE",
        "API token (default: CLOUDFLARE_API_TOKEN and others)", set_token_file},
    {"base-url", 0, TS_OPTION_VALUE, "URL",
        "API to talk to (default: CLOUDFLARE_BASE_URL, else the public one)", set_base_url},
    {"read-only", 0, TS_OPTION_FLAG, NULL, "no write leaves the process", set_read_only},
    {"allow", 0, TS_OPTION_VALUE, "KIND[=N],...",
        "grant delete, rotate, any-hostname, reveal; N caps how many", set_allow},
    {"concurrency", 0, TS_OPTION_VALUE, "N", "requests in flight (default: 16)", set_concurrency},
    {"timeout", 0, TS_OPTION_VALUE, "S", "seconds for one request (default: 60)", set_timeout},
    {"execute", 'e', TS_OPTION_VALUE, "CODE", "run a line of Lua instead of a script", set_code},
    {"quiet", 'q', TS_OPTION_FLAG, NULL, "say only what went wrong", set_quiet},
    {"verbose", 'v', TS_OPTION_FLAG, NULL, "say more, tracebacks included", set_verbose},
    {"help", 'h', TS_OPTION_FLAG, NULL, "show this help", set_help},
    {"version", 'V', TS_OPTION_FLAG, NULL, "show versions, also of the libraries", set_version},
    {NULL, 0, TS_OPTION_FLAG, NULL, NULL, NULL},
};

static int check_output(void)
{
    return fflush(stdout) || ferror(stdout) ? TS_EXIT_SCRIPT : TS_EXIT_DONE;
}

int ts_command_run(int argc, char **argv)
{
    struct run_settings settings = {.is_help = false};
    struct ts_config *config = &settings.config;
    struct ts_error err;
    int operand;
    ts_config_init(config);
    config->program = argv[0];
    if (ts_options_parse(ts_run_options, argc, argv, &settings, &operand, &err)) {
        return ts_usage_error(&err);
    }
    if (settings.is_help || settings.is_version) {
        if (settings.is_help) {
            ts_help_print();
        } else {
            ts_versions_print();
        }
        return check_output();
    }
    if (!config->code) {
        if (operand >= argc) {
            ts_error_set(
                &err, TS_ERR_USAGE, "no script given: tshost SCRIPT [ARG...], or tshost --help");
            return ts_usage_error(&err);
        }
        config->script = argv[operand++];
        if (ts_command_find(config->script) && access(config->script, F_OK) != 0) {
            ts_error_set(&err, TS_ERR_USAGE,
                "%s is a command, and a command comes first: tshost %s [options]", config->script,
                config->script);
            return ts_usage_error(&err);
        }
    }
    config->args = argv + operand;
    config->arg_count = argc - operand;
    return ts_run(config);
}
