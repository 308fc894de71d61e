// SPDX-License-Identifier: MIT
// What a run was comes from its row; what it has done is read later, when nobody else can write.
#include "host/runtime/resume.h"

#include <errno.h>
#include <unistd.h>

#include "host/base/str.h"
#include "host/runtime/record.h"
#include "host/state/directory.h"
#include "host/state/journal_read.h"

#define SANDBOX "sandbox:"

enum ts_err ts_resume_find(const char *text, struct ts_journal_origin *out, struct ts_error *err)
{
    char directory[TS_STATE_PATH_MAX], id[TS_RUN_ID_MAX];
    struct ts_journal *journal = NULL;
    *out = (struct ts_journal_origin){.running = ""};
    enum ts_err code = ts_directory_open(directory, err);
    code = code ? code : ts_journal_open(directory, &journal, err);
    code = code ? code : ts_journal_find(journal, text, id, err);
    code = code ? code : ts_journal_origin_read(journal, id, out, err);
    ts_journal_close(journal);
    return code;
}

static enum ts_err script_check(
    const struct ts_journal_origin *origin, bool is_changed_fine, struct ts_error *err)
{
    char sha256[TS_SHA256_MAX] = "";
    if (access(origin->script, R_OK) != 0) {
        return ts_error_set_errno(err, errno, "the script of run %s, %.200s, cannot be read",
            origin->run, origin->script);
    }
    ts_record_digest(origin->script, sha256);
    if (!is_changed_fine && !ts_str_is(sha256, origin->sha256)) {
        return ts_error_set(err, TS_ERR_USAGE,
            "%.200s is not the script that run %s ran (its SHA-256 is %.16s..., it was %.16s...); "
            "--changed-script resumes with it as it is now",
            origin->script, origin->run, sha256, origin->sha256);
    }
    return TS_OK;
}

bool ts_resume_is_plan(const struct ts_journal_origin *origin)
{
    return !ts_str_is(origin->command, "run");
}

enum ts_err ts_resume_configure(const struct ts_journal_origin *origin, bool is_changed_fine,
    struct ts_config *config, struct ts_error *err)
{
    if (ts_str_is(origin->script, "-")) {
        return ts_error_set(err, TS_ERR_USAGE,
            "the script of run %s came from standard input, and is not there any more",
            origin->run);
    }
    bool is_plan = ts_resume_is_plan(origin);
    if ((!is_plan && !origin->arguments.is_known) || !origin->options.is_known) {
        return ts_error_set(
            err, TS_ERR_USAGE, "the command line of run %s is not in the journal", origin->run);
    }
    if (chdir(origin->directory) != 0) {
        return ts_error_set_errno(
            err, errno, "run %s ran in %.200s", origin->run, origin->directory);
    }
    config->of = origin->run;
    if (!is_plan) {
        config->args = origin->arguments.words;
        config->arg_count = origin->arguments.count;
    }
    config->account = origin->account[0] ? origin->account : NULL;
    if (!ts_str_has_prefix(origin->base_url, SANDBOX)) {
        config->base_url = origin->base_url;
    }
    if (is_plan) {
        config->command = "resume_plan";
        return TS_OK;
    }
    if (!config->code) {
        config->script = origin->script;
        return script_check(origin, is_changed_fine, err);
    }
    return TS_OK;
}
