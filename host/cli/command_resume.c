// SPDX-License-Identifier: MIT
// `tshost resume RUN`: the options of the run first, then those given here over them.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/base/str.h"
#include "host/cli/command.h"
#include "host/cli/given.h"
#include "host/cli/settings.h"
#include "host/runtime/exit_status.h"
#include "host/runtime/report.h"
#include "host/runtime/resume.h"
#include "host/runtime/run.h"

struct resume_settings {
    struct ts_settings settings; // first, for the functions that store there
    bool is_changed_fine;
    char if_unknown[16];
    char on_stale[8];
};

static enum ts_err set_changed_script(void *settings, const char *value, struct ts_error *err)
{
    (void)value;
    (void)err;
    ((struct resume_settings *)settings)->is_changed_fine = true;
    return TS_OK;
}

static enum ts_err set_if_unknown(void *settings, const char *value, struct ts_error *err)
{
    if (!ts_str_is(value, "stop") && !ts_str_is(value, "done") &&
        !ts_str_is(value, "not-applied")) {
        return ts_error_set(
            err, TS_ERR_USAGE, "--if-unknown %.40s: stop, done or not-applied expected", value);
    }
    struct resume_settings *resume = settings;
    ts_str_copy(resume->if_unknown, sizeof resume->if_unknown, value);
    return TS_OK;
}

static enum ts_err set_on_stale(void *settings, const char *value, struct ts_error *err)
{
    if (!ts_str_is(value, "skip") && !ts_str_is(value, "stop")) {
        return ts_error_set(err, TS_ERR_USAGE, "--on-stale %.40s: stop or skip expected", value);
    }
    struct resume_settings *resume = settings;
    ts_str_copy(resume->on_stale, sizeof resume->on_stale, value);
    return TS_OK;
}

const struct ts_option ts_resume_options[] = {
    {"What cannot be told", 0, TS_OPTION_HEADING, NULL, NULL, NULL},
    {"if-unknown", 0, TS_OPTION_VALUE, "HOW",
        "how to take writes of which reading cannot tell what came: stop, done or not-applied "
        "(default: stop, exit status 10)",
        set_if_unknown},
    {"changed-script", 0, TS_OPTION_FLAG, NULL, "go on though the script has been changed since",
        set_changed_script},
    {"In place of the options of the run", 0, TS_OPTION_HEADING, NULL, NULL, NULL},
    {"token-file", 0, TS_OPTION_VALUE, TS_OPTION_FILE, "API token", ts_set_token_file},
    {"allow", 0, TS_OPTION_VALUE, "KIND[=N],...",
        "grant these kinds; N caps how many, with those before", ts_set_allow},
    {"max-create", 0, TS_OPTION_VALUE, "N", "create at most N widgets, with those before",
        ts_set_max_create},
    {"max-update", 0, TS_OPTION_VALUE, "N", "send at most N updates, with those before",
        ts_set_max_update},
    {"on-stale", 0, TS_OPTION_VALUE, "HOW",
        "of a plan: a widget is not as it is to be: stop or skip it", set_on_stale},
    {"concurrency", 0, TS_OPTION_VALUE, "N", "requests in flight", ts_set_concurrency},
    {"fresh", 0, TS_OPTION_VALUE, "S", "how old a listed widget may be when a write relies on it",
        ts_set_fresh},
    {"rate", 0, TS_OPTION_VALUE, "N/S", "N requests in S seconds", ts_set_rate},
    {"reserve", 0, TS_OPTION_VALUE, "P%", "share of the budget left to people and others",
        ts_set_reserve},
    {"timeout", 0, TS_OPTION_VALUE, "S", "seconds for one request", ts_set_timeout},
    {"max-wait", 0, TS_OPTION_VALUE, "S", "seconds to sit out a pause of the API or an outage",
        ts_set_max_wait},
    {"deadline", 0, TS_OPTION_VALUE, "S", "seconds for the whole resume", ts_set_deadline},
    {"Always its own", 0, TS_OPTION_HEADING, NULL, NULL, NULL},
    {"if-locked", 0, TS_OPTION_VALUE, "HOW",
        "when another run has the account: wait=10m (or s, h) or skip (default: exit status 7)",
        ts_set_if_locked},
    {"progress", 0, TS_OPTION_VALUE, "WHEN",
        "auto, always, plain, json, json:FD or never (default: auto)", ts_set_progress},
    {"color", 0, TS_OPTION_VALUE, "WHEN",
        "colours in errors and summary: auto, always or never (default: auto)", ts_set_color},
    {"json", 0, TS_OPTION_FLAG, NULL, "the summary as one JSON object, the last line", ts_set_json},
    {"quiet", 'q', TS_OPTION_FLAG, NULL, "say only what went wrong", ts_set_quiet},
    {"verbose", 'v', TS_OPTION_FLAG, NULL, "say more, tracebacks included", ts_set_verbose},
    {"help", 'h', TS_OPTION_FLAG, NULL, "show this help", ts_set_help},
    {NULL, 0, TS_OPTION_FLAG, NULL, NULL, NULL},
};

// Not the run's: they belong to whoever resumes it.
static const char *const own[] = {"if-unknown", "changed-script", "if-locked", "progress", "color",
    "json", "quiet", "verbose", NULL};

// What is not noted as it was given: grants of the run and of its resume would add up.
static const char *const noted_otherwise[] = {"if-unknown", "changed-script", "if-locked",
    "progress", "color", "json", "quiet", "verbose", "allow", "max-create", "max-update", NULL};

// Whether a word is the option of that name, "--name" or "--name=value".
static bool is_option(const char *word, const char *name)
{
    size_t len = strlen(name);
    return ts_str_has_prefix(word, "--") && strncmp(word + 2, name, len) == 0 &&
           (word[2 + len] == '\0' || word[2 + len] == '=');
}

static bool is_one_of(const char *word, const char *const *name)
{
    while (*name && !is_option(word, *name)) {
        name++;
    }
    return *name != NULL;
}

// Whether there is such an option, as "--name" or "--name=value". A plan that is undone or applied
// has options that mean nothing any more.
static bool is_known(const char *word, const struct ts_option *rows)
{
    while (rows->name && (rows->kind == TS_OPTION_HEADING || !is_option(word, rows->name))) {
        rows++;
    }
    return rows->name != NULL;
}

// Reads the options that the run had.
static enum ts_err inherit(const struct ts_journal_words *options, bool is_plan,
    struct resume_settings *settings, struct ts_given *given, struct ts_error *err)
{
    static const struct ts_option of_plans[] = {
        {"on-stale", 0, TS_OPTION_VALUE, "HOW", NULL, set_on_stale},
        {NULL, 0, TS_OPTION_FLAG, NULL, NULL, NULL},
    };
    struct ts_option joined[TS_RUN_ROWS_MAX];
    ts_run_options_join(joined, of_plans);
    const struct ts_option *rows = is_plan ? joined : ts_run_options;
    char program[] = "tshost";
    char **argv = calloc((size_t)options->count + 2, sizeof *argv);
    if (!argv) {
        return ts_error_set(err, TS_ERR_NOMEM, "out of memory");
    }
    int argc = 0, operand;
    argv[argc++] = program;
    for (int i = 0; i < options->count; i++) {
        if (!is_known(options->words[i], rows)) {
            continue;
        }
        if (!is_one_of(options->words[i], own)) {
            argv[argc++] = options->words[i];
        }
        if (!is_one_of(options->words[i], noted_otherwise)) {
            ts_given_add(given, options->words[i]);
        }
    }
    enum ts_err code = ts_options_parse(rows, argc, argv, settings, NULL, &operand, err);
    free(argv); // what settings keep are the words
    return code;
}

static void permissions_note(const struct ts_permissions *permissions, struct ts_given *given)
{
    char text[TS_PERMISSIONS_TEXT_MAX];
    ts_permissions_options(permissions, text);
    // "--allow delete=3 --max-create 5" in words of one option each.
    for (char *option = text[0] ? text : NULL; option;) {
        char *next = strstr(option, " --");
        if (next) {
            *next++ = '\0';
        }
        char *space = strchr(option, ' ');
        if (space) {
            *space = '=';
        }
        ts_given_add(given, option);
        option = next;
    }
}

// Puts the options of the run and those of the command line together. Kinds that are granted here
// are granted anew, and all else that is said twice holds as it is said here.
static enum ts_err options_join(int argc, char **argv, const struct ts_journal_origin *origin,
    struct resume_settings *out, struct ts_given *given, struct ts_error *err)
{
    struct resume_settings first = {.is_changed_fine = false};
    struct ts_config *config = &out->settings.config;
    int operand;
    ts_config_init(&first.settings.config);
    ts_config_init(config);
    enum ts_err code = ts_options_parse(ts_resume_options, argc, argv, &first, NULL, &operand, err);
    code = code ? code : inherit(&origin->options, ts_resume_is_plan(origin), out, given, err);
    struct ts_permissions before = config->permissions;
    if (!code) {
        code = ts_options_parse(ts_resume_options, argc, argv, out, given, &operand, err);
    }
    config->permissions = first.settings.config.permissions;
    ts_permissions_inherit(&config->permissions, &before);
    permissions_note(&config->permissions, given);
    return code;
}

static void quieten(struct ts_config *config)
{
    if (config->is_json && config->level == TS_LOG_QUIET) {
        config->level = TS_LOG_SILENT; // nothing but the object
    }
}

// Runs, and notes the arguments of the script once more.
static int run_with(struct ts_config *config, const struct ts_journal_words *words)
{
    struct ts_given arguments;
    ts_given_init(&arguments);
    for (int i = 0; i < words->count; i++) {
        ts_given_add(&arguments, words->words[i]);
    }
    config->args_text = words->is_known ? ts_given_text(&arguments) : NULL;
    int status = ts_run(config);
    ts_given_fini(&arguments);
    return status;
}

static int resume(int argc, char **argv, struct resume_settings *resume,
    struct ts_journal_origin *origin, struct ts_given *given)
{
    struct ts_config *config = &resume->settings.config;
    struct ts_error err;
    if (origin->running[0]) {
        ts_error_set(&err, TS_ERR_LOCKED, "run %s goes on (pid %s): there is nothing to resume yet",
            origin->running, origin->running_pid);
        return ts_report_failure(config, TS_EXIT_LOCKED, err.message);
    }
    if (origin->is_finished) {
        ts_error_set(&err, TS_OK, "run %s is finished: there is nothing to resume", origin->run);
        return ts_report_nothing(config, err.message);
    }
    struct resume_settings joined = {.if_unknown = "stop", .on_stale = "stop"};
    enum ts_err code = options_join(argc, argv, origin, &joined, given, &err);
    config = &joined.settings.config;
    config->program = resume->settings.config.program;
    config->words = resume->settings.config.words;
    config->word_count = resume->settings.config.word_count;
    config->option_at = resume->settings.config.option_at;
    quieten(config);
    code = code ? code : ts_resume_configure(origin, joined.is_changed_fine, config, &err);
    if (code) {
        return ts_report_failure(config, TS_EXIT_USAGE, err.message);
    }
    char *of_plan[] = {origin->run, joined.if_unknown, joined.on_stale};
    if (config->command) {
        config->args = of_plan;
        config->arg_count = sizeof of_plan / sizeof *of_plan;
    }
    config->if_unknown = joined.if_unknown;
    config->options_text = ts_given_text(given);
    return run_with(config, &origin->arguments);
}

int ts_command_resume(int argc, char **argv)
{
    struct resume_settings settings = {.is_changed_fine = false};
    struct ts_config *config = &settings.settings.config;
    struct ts_error err;
    int operand;
    ts_config_init(config);
    config->program = argv[-1];
    config->words = argv - 1;
    config->word_count = argc + 1;
    config->option_at = 2;
    if (ts_options_parse(ts_resume_options, argc, argv, &settings, NULL, &operand, &err)) {
        return ts_usage_error(&err);
    }
    quieten(config);
    if (settings.settings.is_help) {
        printf("Usage: tshost resume [options] RUN\n\n"
               "RUN is the id of a run, a part of it that no other has, or \"last\".\n\n");
        ts_options_print(ts_resume_options);
        return fflush(stdout) ? TS_EXIT_SCRIPT : TS_EXIT_DONE;
    }
    if (operand != argc - 1) {
        return ts_report_failure(config, TS_EXIT_USAGE,
            operand == argc ? "no run given: tshost resume RUN, and tshost log lists them"
                            : "one run expected: tshost resume [options] RUN");
    }
    struct ts_journal_origin origin;
    struct ts_given given;
    ts_given_init(&given);
    given.left_out = noted_otherwise;
    enum ts_err code = ts_resume_find(argv[operand], &origin, &err);
    int status = code == TS_ERR_USAGE ? ts_report_failure(config, TS_EXIT_USAGE, err.message)
                 : code               ? ts_report_failure(config, TS_EXIT_UNREACHABLE, err.message)
                                      : resume(argc, argv, &settings, &origin, &given);
    ts_given_fini(&given);
    ts_journal_origin_fini(&origin);
    return status;
}
