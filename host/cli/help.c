// SPDX-License-Identifier: MIT
// The help text, made from the command and option tables.
// Everything goes to standard output: it was asked for.
#include <stdio.h>

#include "host/cli/command.h"

void ts_help_print(void)
{
    printf("tshost runs Lua scripts against Cloudflare's Turnstile widget API.\n\nUsage:\n");
    for (const struct ts_command *command = ts_commands(); command->run; command++) {
        printf("  tshost %-26s %s\n", command->synopsis, command->summary);
    }
    printf("  tshost %-26s %s\n", "[options] -e CODE [ARG...]", "run a line of Lua");
    printf("\nSCRIPT is a path, - for standard input, or the name of a stock script, such as\n"
           "onboard.lua. Options come before it; what follows belongs to the script.\n\n");
    ts_options_print(ts_run_options);
    printf("\nOptions of plan, besides those of a run:\n");
    ts_options_print(ts_plan_options);
    printf("\nOptions of sandbox:\n");
    ts_options_print(ts_sandbox_options);
    printf("\nExit status:\n"
           "  0 done   1 script error   2 usage   3 findings   4 some writes failed\n"
           "  5 refused   6 stale   7 locked   8 credentials   9 API unreachable\n"
           "  10 outcome unknown   130, 143 interrupted\n"
           "\nTo try it without an account: tshost --sandbox SCRIPT\n");
}
