// SPDX-License-Identifier: MIT
// `tshost apply [options] FILE`: --on-stale; the rest is in host/programs/apply.lua.
#include <limits.h>
#include <stdlib.h>

#include "host/base/str.h"
#include "host/cli/command.h"
#include "host/cli/program.h"

struct apply_settings {
    struct ts_program_settings common; // first
    char on_stale[8];
    char path[PATH_MAX]; // of the plan, from the root
};

static enum ts_err set_on_stale(void *settings, const char *value, struct ts_error *err)
{
    if (!ts_str_is(value, "skip") && !ts_str_is(value, "stop")) {
        return ts_error_set(err, TS_ERR_USAGE, "--on-stale %.40s: stop or skip expected", value);
    }
    struct apply_settings *apply = settings;
    ts_str_copy(apply->on_stale, sizeof apply->on_stale, value);
    return TS_OK;
}

const struct ts_option ts_apply_options[] = {
    {"on-stale", 0, TS_OPTION_VALUE, "HOW",
        "a widget is not as the plan saw it: stop (begin nothing more; the default) or skip it",
        set_on_stale},
    {NULL, 0, TS_OPTION_FLAG, NULL, NULL, NULL},
};

static enum ts_err prepare(void *settings, char *args[TS_PROGRAM_ARGS_MAX], struct ts_error *err)
{
    struct apply_settings *apply = settings;
    (void)err; // what cannot be read is said when it is
    if (!realpath(args[0], apply->path)) {
        ts_str_copy(apply->path, sizeof apply->path, args[0]);
    }
    return TS_OK;
}

static int add_args(void *settings, char *args[TS_PROGRAM_ARGS_MAX])
{
    struct apply_settings *apply = settings;
    args[1] = apply->on_stale;
    args[2] = apply->path;
    return 3;
}

int ts_command_apply(int argc, char **argv)
{
    static const struct ts_program program = {
        .name = "apply",
        .options = ts_apply_options,
        .missing = "no plan given",
        .about = "Usage: tshost apply [options] FILE\n\n"
                 "Does what a plan says that `tshost plan -o FILE` has saved, and nothing else. "
                 "Each\nwidget is compared with what the plan saw right before it is written.\n",
        .statuses = "Exit status: 6 when a widget was not as the plan saw it, 5 when the plan was "
                    "applied\nbefore, is for another account, or needs options that were not "
                    "given; else as a run.\n",
        .prepare = prepare,
        .add_args = add_args,
    };
    struct apply_settings apply = {.on_stale = "stop"};
    return ts_program_main(&program, argc, argv, &apply);
}
