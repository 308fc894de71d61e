// SPDX-License-Identifier: MIT
// `tshost doctor`: the options that say what to look at; the looking is in runtime.
// It shares the option rows of a run that concern the account.
#include <stdio.h>

#include "host/cli/command.h"
#include "host/cli/settings.h"
#include "host/runtime/doctor.h"
#include "host/runtime/exit_status.h"

const struct ts_option ts_doctor_options[] = {
    {"sandbox", 0, TS_OPTION_OPTIONAL, TS_OPTION_FILE, "look at a sandbox instead", ts_set_sandbox},
    {"account", 0, TS_OPTION_VALUE, "ID", "account (default: CLOUDFLARE_ACCOUNT_ID)",
        ts_set_account},
    {"token-file", 0, TS_OPTION_VALUE, TS_OPTION_FILE, "API token", ts_set_token_file},
    {"base-url", 0, TS_OPTION_VALUE, "URL", "API to talk to", ts_set_base_url},
    {"timeout", 0, TS_OPTION_VALUE, "S", "seconds for one request (default: 60)", ts_set_timeout},
    {"rate", 0, TS_OPTION_VALUE, "N/S", "rate budget as the runs have it (default: 1200/300)",
        ts_set_rate},
    {"reserve", 0, TS_OPTION_VALUE, "P%", "share of it left to others, as the runs have it",
        ts_set_reserve},
    {"help", 'h', TS_OPTION_FLAG, NULL, "show this help", ts_set_help},
    {NULL, 0, TS_OPTION_FLAG, NULL, NULL, NULL},
};

int ts_command_doctor(int argc, char **argv)
{
    struct ts_settings settings = {.is_help = false};
    struct ts_error err;
    int operand;
    ts_config_init(&settings.config);
    if (ts_options_parse(ts_doctor_options, argc, argv, &settings, NULL, &operand, &err)) {
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
