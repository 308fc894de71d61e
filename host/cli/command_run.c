// SPDX-License-Identifier: MIT
// `tshost [options] SCRIPT`, `-e CODE`, `--help`, `--version`: the options of a run as a table.
// What the options store is in settings.c.
#include <stdio.h>
#include <unistd.h>

#include "host/base/str.h"
#include "host/cli/command.h"
#include "host/cli/given.h"
#include "host/cli/settings.h"
#include "host/runtime/exit_status.h"
#include "host/runtime/report.h"
#include "host/runtime/run.h"
#include "host/runtime/versions.h"

const struct ts_option ts_run_options[] = {
    {"Connection", 0, TS_OPTION_HEADING, NULL, NULL, NULL},
    {"sandbox", 0, TS_OPTION_OPTIONAL, TS_OPTION_FILE,
        "run against a sandbox started for this run; FILE keeps its state", ts_set_sandbox},
    {"account", 0, TS_OPTION_VALUE, "ID", "account (default: CLOUDFLARE_ACCOUNT_ID)",
        ts_set_account},
    {"token-file", 0, TS_OPTION_VALUE, TS_OPTION_FILE,
        "API token (default: CLOUDFLARE_API_TOKEN and others)", ts_set_token_file},
    {"base-url", 0, TS_OPTION_VALUE, "URL",
        "API to talk to (default: CLOUDFLARE_BASE_URL, else the public one)", ts_set_base_url},
    {"concurrency", 0, TS_OPTION_VALUE, "N", "requests in flight (default: 16)",
        ts_set_concurrency},
    {"Writes", 0, TS_OPTION_HEADING, NULL, NULL, NULL},
    {"read-only", 0, TS_OPTION_FLAG, NULL, "no write leaves the process", ts_set_read_only},
    {"allow", 0, TS_OPTION_VALUE, "KIND[=N],...",
        "grant delete, rotate, any-hostname, reveal; N caps how many", ts_set_allow},
    {"max-create", 0, TS_OPTION_VALUE, "N", "create at most N widgets (default: any number)",
        ts_set_max_create},
    {"max-update", 0, TS_OPTION_VALUE, "N", "send at most N updates (default: any number)",
        ts_set_max_update},
    {"if-locked", 0, TS_OPTION_VALUE, "HOW",
        "when another run has the account: wait=10m (or s, h) or skip (default: exit status 7)",
        ts_set_if_locked},
    {"fresh", 0, TS_OPTION_VALUE, "S",
        "how old a listed widget may be when a write relies on it (default: 15; 0 reads each)",
        ts_set_fresh},
    {"Rate budget", 0, TS_OPTION_HEADING, NULL, NULL, NULL},
    {"rate", 0, TS_OPTION_VALUE, "N/S",
        "N requests in S seconds, for all runs with the same token (default: 1200/300)",
        ts_set_rate},
    {"reserve", 0, TS_OPTION_VALUE, "P%", "share of the budget left to people and others",
        ts_set_reserve},
    {"Time", 0, TS_OPTION_HEADING, NULL, NULL, NULL},
    {"timeout", 0, TS_OPTION_VALUE, "S", "seconds for one request (default: 60)", ts_set_timeout},
    {"max-wait", 0, TS_OPTION_VALUE, "S",
        "seconds to sit out a pause of the API or an outage (default: 600)", ts_set_max_wait},
    {"deadline", 0, TS_OPTION_VALUE, "S",
        "seconds for the whole run: after them nothing new is started (exit status 4)",
        ts_set_deadline},
    {"Output", 0, TS_OPTION_HEADING, NULL, NULL, NULL},
    {"progress", 0, TS_OPTION_VALUE, "WHEN",
        "auto, always, plain, json, json:FD or never (default: auto)", ts_set_progress},
    {"color", 0, TS_OPTION_VALUE, "WHEN",
        "colours in errors and summary: auto, always or never (default: auto)", ts_set_color},
    {"json", 0, TS_OPTION_FLAG, NULL, "the summary as one JSON object, the last line", ts_set_json},
    {"quiet", 'q', TS_OPTION_FLAG, NULL, "say only what went wrong", ts_set_quiet},
    {"verbose", 'v', TS_OPTION_FLAG, NULL, "say more, tracebacks included", ts_set_verbose},
    {"Other", 0, TS_OPTION_HEADING, NULL, NULL, NULL},
    {"execute", 'e', TS_OPTION_VALUE, "CODE", "run a line of Lua instead of a script", ts_set_code},
    {"help", 'h', TS_OPTION_FLAG, NULL, "show this help", ts_set_help},
    {"version", 'V', TS_OPTION_FLAG, NULL, "show versions, also of the libraries", ts_set_version},
    {NULL, 0, TS_OPTION_FLAG, NULL, NULL, NULL},
};

static size_t rows_add(
    struct ts_option rows[TS_RUN_ROWS_MAX], size_t count, const struct ts_option *more)
{
    for (; more->name && count < TS_RUN_ROWS_MAX - 1; more++) {
        if (more->apply != ts_set_code && more->apply != ts_set_version) {
            rows[count++] = *more;
        }
    }
    return count;
}

void ts_run_options_join(struct ts_option rows[TS_RUN_ROWS_MAX], const struct ts_option *own)
{
    size_t count = rows_add(rows, rows_add(rows, 0, own), ts_run_options);
    rows[count] = (struct ts_option){.name = NULL};
}

static int check_output(void)
{
    return fflush(stdout) || ferror(stdout) ? TS_EXIT_SCRIPT : TS_EXIT_DONE;
}

static int run_parsed(int argc, char **argv, struct ts_given *options, struct ts_given *arguments)
{
    struct ts_settings settings = {.is_help = false};
    struct ts_config *config = &settings.config;
    struct ts_error err;
    int operand;
    ts_config_init(config);
    config->program = argv[0];
    config->words = argv;
    config->word_count = argc;
    config->option_at = 1;
    if (ts_options_parse(ts_run_options, argc, argv, &settings, options, &operand, &err)) {
        return ts_usage_error(&err);
    }
    // Behind all that were given, so that it holds, but in front of a "--" that ends them.
    bool is_ended = ts_str_is(argv[operand - 1], "--") && argv[operand - 1] != config->code;
    config->option_at = operand - is_ended;
    if (config->is_json && config->level == TS_LOG_QUIET) {
        config->level = TS_LOG_SILENT; // nothing but the object
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
            return ts_report_failure(
                config, TS_EXIT_USAGE, "no script given: tshost SCRIPT [ARG...], or tshost --help");
        }
        config->script = argv[operand++];
        if (ts_command_find(config->script) && access(config->script, F_OK) != 0) {
            ts_error_set(&err, TS_ERR_USAGE,
                "%s is a command, and a command comes first: tshost %s [options]", config->script,
                config->script);
            return ts_report_failure(config, TS_EXIT_USAGE, err.message);
        }
    }
    config->args = argv + operand;
    config->arg_count = argc - operand;
    for (int i = operand; i < argc; i++) {
        ts_given_add(arguments, argv[i]);
    }
    config->options_text = ts_given_text(options);
    config->args_text = ts_given_text(arguments);
    return ts_run(config);
}

int ts_command_run(int argc, char **argv)
{
    struct ts_given options, arguments;
    ts_given_init(&options);
    ts_given_init(&arguments);
    int status = run_parsed(argc, argv, &options, &arguments);
    ts_given_fini(&options);
    ts_given_fini(&arguments);
    return status;
}
