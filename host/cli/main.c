// SPDX-License-Identifier: MIT
// The program: everything is decided by the command table.
// The only file that may end the process.
#include <stdlib.h>

#include "host/cli/command.h"

int main(int argc, char **argv)
{
    exit(ts_command_main(argc, argv));
}
