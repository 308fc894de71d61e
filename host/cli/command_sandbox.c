// SPDX-License-Identifier: MIT
// `tshost sandbox`: serves the sandbox until SIGINT or SIGTERM. One line on standard output when it
// is ready, the base URL, so that a script can wait for it.
#include <stdio.h>
#include <string.h>

#include "host/cli/command.h"
#include "host/runtime/exit_status.h"
#include "host/runtime/serve.h"

struct sandbox_settings {
    struct ts_sandbox_config config;
    bool is_help;
};

#define CONFIG(settings) (&((struct sandbox_settings *)(settings))->config)

static enum ts_err set_listen(void *settings, const char *value, struct ts_error *err)
{
    (void)err;
    CONFIG(settings)->listen = value;
    return TS_OK;
}

static enum ts_err set_account(void *settings, const char *value, struct ts_error *err)
{
    (void)err;
    CONFIG(settings)->account = value;
    return TS_OK;
}

static enum ts_err set_token(void *settings, const char *value, struct ts_error *err)
{
    (void)err;
    CONFIG(settings)->token = value;
    return TS_OK;
}

static enum ts_err set_db(void *settings, const char *value, struct ts_error *err)
{
    (void)err;
    CONFIG(settings)->db = value;
    return TS_OK;
}

static enum ts_err set_entitle(void *settings, const char *value, struct ts_error *err)
{
    (void)err;
    CONFIG(settings)->entitle = value;
    return TS_OK;
}

static enum ts_err set_rate(void *settings, const char *value, struct ts_error *err)
{
    char text[64];
    long long requests, window;
    size_t len = strlen(value);
    const char *slash = strchr(value, '/');
    if (!slash || len >= sizeof text) {
        return ts_error_set(err, TS_ERR_USAGE,
            "--rate %.40s: requests and seconds expected, as in 1200/300", value);
    }
    memcpy(text, value, len + 1);
    text[slash - value] = '\0';
    enum ts_err code = ts_option_int("rate", text, 1, 1000000000, &requests, err);
    if (!code) {
        code = ts_option_int("rate", text + (slash - value) + 1, 1, 86400, &window, err);
    }
    if (!code) {
        CONFIG(settings)->rate_requests = requests;
        CONFIG(settings)->rate_window_s = window;
    }
    return code;
}

static enum ts_err set_limiter(void *settings, const char *value, struct ts_error *err)
{
    (void)err;
    CONFIG(settings)->limiter = value;
    return TS_OK;
}

static enum ts_err set_int(const char *name, const char *value, long long min, long long max,
    int64_t *out, struct ts_error *err)
{
    long long number;
    enum ts_err code = ts_option_int(name, value, min, max, &number, err);
    if (!code) {
        *out = number;
    }
    return code;
}

static enum ts_err set_grace(void *settings, const char *value, struct ts_error *err)
{
    return set_int("grace", value, 0, 86400 * 30, &CONFIG(settings)->grace_s, err);
}

static enum ts_err set_max_domains(void *settings, const char *value, struct ts_error *err)
{
    return set_int("max-domains", value, 1, 10000, &CONFIG(settings)->max_domains, err);
}

static enum ts_err set_max_widgets(void *settings, const char *value, struct ts_error *err)
{
    return set_int("max-widgets", value, 1, 1000000000, &CONFIG(settings)->max_widgets, err);
}

static enum ts_err set_latency(void *settings, const char *value, struct ts_error *err)
{
    return set_int("latency", value, 0, 60000, &CONFIG(settings)->latency_ms, err);
}

static enum ts_err set_log(void *settings, const char *value, struct ts_error *err)
{
    (void)value;
    (void)err;
    CONFIG(settings)->log = true;
    return TS_OK;
}

static enum ts_err set_help(void *settings, const char *value, struct ts_error *err)
{
    (void)value;
    (void)err;
    ((struct sandbox_settings *)settings)->is_help = true;
    return TS_OK;
}

const struct ts_option ts_sandbox_options[] = {
    {"listen", 0, TS_OPTION_VALUE, "ADDRESS:PORT", "loopback only (default: 127.0.0.1:0)",
        set_listen},
    {"account", 0, TS_OPTION_VALUE, "ID", "the one account served (default: any)", set_account},
    {"token", 0, TS_OPTION_VALUE, "TOKEN", "the one made-up token accepted (default: any)",
        set_token},
    {"db", 0, TS_OPTION_VALUE, TS_OPTION_FILE, "keep the state there (default: in memory)", set_db},
    {"rate", 0, TS_OPTION_VALUE, "N/SECONDS", "request limit (default: none)", set_rate},
    {"limiter", 0, TS_OPTION_VALUE, "KIND",
        "fixed-window (default), sliding-log, sliding-counter, token-bucket", set_limiter},
    {"grace", 0, TS_OPTION_VALUE, "S", "how long a rotated secret stays valid (default: 7200)",
        set_grace},
    {"entitle", 0, TS_OPTION_VALUE, "A,B", "any-hostname, bot_fight_mode, ephemeral_id, offlabel",
        set_entitle},
    {"max-domains", 0, TS_OPTION_VALUE, "N", "hostnames per widget (default: 15)", set_max_domains},
    {"max-widgets", 0, TS_OPTION_VALUE, "N", "widgets per account (default: no limit)",
        set_max_widgets},
    {"latency", 0, TS_OPTION_VALUE, "MS", "added to every answer", set_latency},
    {"log", 0, TS_OPTION_FLAG, NULL, "one line per request on standard error", set_log},
    {"help", 'h', TS_OPTION_FLAG, NULL, "show this help", set_help},
    {NULL, 0, TS_OPTION_FLAG, NULL, NULL, NULL},
};

int ts_command_sandbox(int argc, char **argv)
{
    struct sandbox_settings settings = {.config = {.grace_s = -1}};
    struct ts_error err;
    int operand;
    if (ts_options_parse(ts_sandbox_options, argc, argv, &settings, NULL, &operand, &err)) {
        return ts_usage_error(&err);
    }
    if (settings.is_help) {
        printf("Usage: tshost sandbox [options]\n\n");
        ts_options_print(ts_sandbox_options);
        return fflush(stdout) ? TS_EXIT_SCRIPT : TS_EXIT_DONE;
    }
    if (operand < argc) {
        ts_error_set(&err, TS_ERR_USAGE, "sandbox takes options only, not \"%s\"", argv[operand]);
        return ts_usage_error(&err);
    }
    return ts_serve(&settings.config);
}
