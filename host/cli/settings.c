// SPDX-License-Identifier: MIT
// What each option stores. The same function serves every command that has the option.
// Settings go straight into the runtime's configuration.
#include "host/cli/settings.h"

#define CONFIG(settings) (&((struct ts_settings *)(settings))->config)

enum ts_err ts_set_sandbox(void *settings, const char *value, struct ts_error *err)
{
    (void)err;
    CONFIG(settings)->is_sandbox = true;
    CONFIG(settings)->sandbox_db = value;
    return TS_OK;
}

enum ts_err ts_set_account(void *settings, const char *value, struct ts_error *err)
{
    (void)err;
    CONFIG(settings)->account = value;
    return TS_OK;
}

enum ts_err ts_set_token_file(void *settings, const char *value, struct ts_error *err)
{
    (void)err;
    CONFIG(settings)->token_file = value;
    return TS_OK;
}

enum ts_err ts_set_base_url(void *settings, const char *value, struct ts_error *err)
{
    (void)err;
    CONFIG(settings)->base_url = value;
    return TS_OK;
}

enum ts_err ts_set_read_only(void *settings, const char *value, struct ts_error *err)
{
    (void)value;
    (void)err;
    CONFIG(settings)->permissions.is_read_only = true;
    return TS_OK;
}

enum ts_err ts_set_allow(void *settings, const char *value, struct ts_error *err)
{
    return ts_permissions_add(&CONFIG(settings)->permissions, value, err);
}

enum ts_err ts_set_concurrency(void *settings, const char *value, struct ts_error *err)
{
    long long number;
    enum ts_err code = ts_option_int("concurrency", value, 1, 1024, &number, err);
    if (!code) {
        CONFIG(settings)->concurrency = number;
    }
    return code;
}

enum ts_err ts_set_timeout(void *settings, const char *value, struct ts_error *err)
{
    long long us;
    enum ts_err code = ts_option_seconds("timeout", value, &us, err);
    if (!code) {
        CONFIG(settings)->timeout_us = us;
    }
    return code;
}

enum ts_err ts_set_code(void *settings, const char *value, struct ts_error *err)
{
    if (CONFIG(settings)->code) {
        return ts_error_set(err, TS_ERR_USAGE, "-e is there twice; only one would run");
    }
    CONFIG(settings)->code = value;
    return TS_OK;
}

enum ts_err ts_set_quiet(void *settings, const char *value, struct ts_error *err)
{
    (void)value;
    (void)err;
    CONFIG(settings)->level = TS_LOG_QUIET;
    return TS_OK;
}

enum ts_err ts_set_verbose(void *settings, const char *value, struct ts_error *err)
{
    (void)value;
    (void)err;
    CONFIG(settings)->level = TS_LOG_VERBOSE;
    return TS_OK;
}

enum ts_err ts_set_help(void *settings, const char *value, struct ts_error *err)
{
    (void)value;
    (void)err;
    ((struct ts_settings *)settings)->is_help = true;
    return TS_OK;
}

enum ts_err ts_set_version(void *settings, const char *value, struct ts_error *err)
{
    (void)value;
    (void)err;
    ((struct ts_settings *)settings)->is_version = true;
    return TS_OK;
}
