// SPDX-License-Identifier: MIT
// `tshost undo [options] RUN`: where the run was, its undo is; the rest is in
// host/programs/undo.lua.
#include <string.h>

#include "host/base/str.h"
#include "host/cli/command.h"
#include "host/cli/program.h"
#include "host/runtime/resume.h"

#define SANDBOX "sandbox:"

struct undo_settings {
    struct ts_program_settings common; // first
    struct ts_journal_origin origin;
    char mode[8];
};

static enum ts_err set_dry_run(void *settings, const char *value, struct ts_error *err)
{
    struct undo_settings *undo = settings;
    (void)value;
    (void)err;
    undo->common.common.config.is_dry_run = true;
    ts_str_copy(undo->mode, sizeof undo->mode, "show");
    return TS_OK;
}

const struct ts_option ts_undo_options[] = {
    {"dry-run", 'n', TS_OPTION_FLAG, NULL, "show what would be done; nothing is written",
        set_dry_run},
    {NULL, 0, TS_OPTION_FLAG, NULL, NULL, NULL},
};

// The account and its place are the run's, whatever is configured here.
static enum ts_err prepare(void *settings, char *args[TS_PROGRAM_ARGS_MAX], struct ts_error *err)
{
    struct undo_settings *undo = settings;
    struct ts_config *config = &undo->common.common.config;
    struct ts_journal_origin *origin = &undo->origin;
    enum ts_err code = ts_resume_find(args[0], origin, err);
    if (code) {
        return code;
    }
    args[0] = origin->run;
    config->account = origin->account[0] ? origin->account : config->account;
    if (!ts_str_has_prefix(origin->base_url, SANDBOX)) {
        config->base_url = origin->base_url;
        config->is_sandbox = false;
        return TS_OK;
    }
    config->is_sandbox = true;
    config->sandbox_db = origin->base_url + strlen(SANDBOX);
    if (!config->sandbox_db[0]) {
        return ts_error_set(err, TS_ERR_USAGE,
            "run %s was against a sandbox that ended with it; there is nothing to undo", args[0]);
    }
    return TS_OK;
}

static int add_args(void *settings, char *args[TS_PROGRAM_ARGS_MAX])
{
    args[1] = ((struct undo_settings *)settings)->mode;
    return 2;
}

int ts_command_undo(int argc, char **argv)
{
    static const struct ts_program program = {
        .name = "undo",
        .options = ts_undo_options,
        .missing = "no run given; tshost log lists them",
        .about =
            "Usage: tshost undo [options] RUN\n\n"
            "Takes back what a run and its resumes have done, where nobody has changed it since:\n"
            "widgets that it created are deleted, which needs --allow delete, and fields that it\n"
            "changed go back. Deletions and rotations cannot be undone. RUN is the name of a run,\n"
            "a part of it that no other has, or last.\n",
        .statuses =
            "Exit status: 6 when something was changed since and left as it is, 10 when it is not\n"
            "known what the run has done; with --dry-run 3 when there is something to undo, else "
            "0;\nelse as a run.\n",
        .prepare = prepare,
        .add_args = add_args,
    };
    struct undo_settings undo = {.mode = "do"};
    int status = ts_program_main(&program, argc, argv, &undo);
    ts_journal_origin_fini(&undo.origin);
    return status;
}
