// SPDX-License-Identifier: MIT
// One rule for each way in which a run can end; the first step is the one that helps most.
// A command that cannot be copied from a terminal, or may hold what is secret, is told in words.
#include "host/runtime/next_step.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/base/chars.h"
#include "host/base/shell.h"
#include "host/base/str.h"
#include "host/runtime/exit_status.h"

#define SECRET_MIN 30 // letters of the shortest run that may be a token or a secret
#define ACCOUNT_LEN 32

static const char *program_of(const struct ts_config *config)
{
    return config->program ? config->program : "tshost";
}

// Whether a word may hold a token or secret that was typed in the wrong place: a long run of what
// they are made of. Account IDs are shown.
static bool is_private(const char *word)
{
    while (*word) {
        size_t len = ts_chars_span(word, strlen(word), TS_CHARS_WORD);
        bool is_account = len == ACCOUNT_LEN && strspn(word, "0123456789abcdef") == len;
        if (len >= SECRET_MIN && !is_account) {
            return true;
        }
        word += len + (word[len] != '\0');
    }
    return false;
}

static bool command_add(struct ts_next_step *step, const char *word)
{
    return !is_private(word) && ts_shell_add(step->command, sizeof step->command, word);
}

// Adds a step that is `program word...`, the words ending with NULL; why as well when it cannot be
// shown.
static void step_add(struct ts_next_steps *out, const struct ts_config *config,
    const char *const *words, const char *why)
{
    if (out->count == TS_NEXT_MAX) {
        return;
    }
    struct ts_next_step *step = &out->steps[out->count++];
    *step = (struct ts_next_step){.command = ""};
    bool is_shown = command_add(step, program_of(config));
    for (; is_shown && *words; words++) {
        is_shown = command_add(step, *words);
    }
    if (!is_shown) {
        step->command[0] = '\0';
    }
    ts_str_copy(step->why, sizeof step->why, why);
}

// Adds `program command [option] RUN`; option may be NULL.
static void run_step_add(struct ts_next_steps *out, const struct ts_next_facts *facts,
    const char *command, const char *option, const char *why)
{
    const char *words[] = {command, option ? option : facts->run, option ? facts->run : NULL, NULL};
    step_add(out, facts->config, words, why);
}

// Adds the command line as it was typed, with more options; flags is that text, "" for none.
static void again_add(
    struct ts_next_steps *out, const struct ts_config *config, const char *flags, const char *why)
{
    if (out->count == TS_NEXT_MAX || !config->words) {
        return;
    }
    struct ts_next_step *step = &out->steps[out->count++];
    *step = (struct ts_next_step){.command = ""};
    char *command = step->command;
    size_t size = sizeof step->command;
    bool is_shown = true;
    for (int i = 0; is_shown && i <= config->word_count; i++) {
        if (i == config->option_at && *flags) {
            size_t len = strlen(command);
            is_shown = (size_t)snprintf(command + len, size - len, " %s", flags) < size - len;
        }
        is_shown = is_shown && (i == config->word_count || command_add(step, config->words[i]));
    }
    ts_str_copy(step->why, sizeof step->why, why);
    if (!is_shown) {
        command[0] = '\0';
        snprintf(step->why, sizeof step->why, "the same command%s%s", *flags ? " with " : " again",
            flags);
    }
}

static void refused_add(struct ts_next_steps *out, const struct ts_next_facts *facts)
{
    struct ts_needs needs;
    char options[TS_PERMISSIONS_TEXT_MAX] = "";
    ts_door_needs(facts->door, &needs);
    if (!facts->door->permissions.is_read_only) { // else it was meant to be refused
        ts_permissions_options_missing(&facts->door->permissions, &needs, options);
    }
    if (options[0]) {
        again_add(out, facts->config, options, "if you mean it");
    }
}

static void locked_add(struct ts_next_steps *out, const struct ts_config *config)
{
    if (config->if_locked == TS_IF_LOCKED_FAIL) {
        again_add(out, config, "--if-locked wait=10m", "waits for the other run");
    }
}

// The value of an option; NULL when the environment says the same anyway.
static const char *beyond_environment(const char *value, const char *variable)
{
    const char *inherited = getenv(variable);
    return value && inherited && ts_str_is(value, inherited) ? NULL : value;
}

// Whether the API has seen the credentials. Else the message says all that is known.
static bool were_credentials_sent(const struct ts_ledger *ledger)
{
    for (size_t i = 0; i < ledger->len; i++) {
        const struct ts_facts *facts = &ledger->entries[i].facts;
        if (facts->kind == TS_ENTRY_CREDENTIALS && facts->status) {
            return true;
        }
    }
    return false;
}

static void credentials_add(struct ts_next_steps *out, const struct ts_next_facts *facts)
{
    const struct ts_config *config = facts->config;
    const struct {
        const char *name;
        const char *value;
    } options[] = {
        {"--account", beyond_environment(config->account, "CLOUDFLARE_ACCOUNT_ID")},
        {"--token-file", config->token_file},
        {"--base-url", beyond_environment(config->base_url, "CLOUDFLARE_BASE_URL")},
    };
    enum { COUNT = sizeof options / sizeof options[0] };
    const char *words[2 * COUNT + 2] = {"doctor"};
    size_t count = 1;
    if (!were_credentials_sent(&facts->door->ledger)) {
        return;
    }
    for (size_t i = 0; i < COUNT; i++) {
        if (options[i].value) {
            words[count++] = options[i].name;
            words[count++] = options[i].value;
        }
    }
    step_add(out, config, words, "what this token may do");
}

// A sandbox that lived as long as the run took everything with it.
static bool is_rehearsal(const struct ts_config *config)
{
    return config->is_sandbox && !config->sandbox_db;
}

static void doubt_add(struct ts_next_steps *out, const struct ts_next_facts *facts)
{
    if (facts->run[0]) {
        run_step_add(out, facts, "resume", NULL, "finds out what is in doubt, and goes on");
    } else if (!is_rehearsal(facts->config)) {
        struct ts_next_step *step = &out->steps[out->count++];
        *step = (struct ts_next_step){.command = ""};
        ts_str_copy(step->why, sizeof step->why,
            "before running again, look whether what is in doubt was applied: a create that is "
            "repeated blindly makes a twin");
    }
}

static bool has_failures(const struct ts_ledger *ledger)
{
    for (size_t i = 0; i < TS_ENTRY_KIND_COUNT; i++) {
        if (ledger->counts[i] > 0) {
            return true;
        }
    }
    return false;
}

// What mends or finishes the run. A status that the script chose itself means nothing here.
static void remedy_add(struct ts_next_steps *out, const struct ts_next_facts *facts)
{
    const uint64_t *counts = facts->door->ledger.counts;
    if (counts[TS_ENTRY_WRITE_UNKNOWN]) {
        doubt_add(out, facts);
    } else if (counts[TS_ENTRY_CREDENTIALS]) {
        credentials_add(out, facts);
    } else if (counts[TS_ENTRY_LOCKED]) {
        locked_add(out, facts->config);
    } else if (counts[TS_ENTRY_JOURNAL] && facts->run[0]) {
        run_step_add(out, facts, "resume", NULL,
            "when the journal can be written again: finds out what it lacks, and goes on");
    } else if (counts[TS_ENTRY_REFUSED]) {
        refused_add(out, facts);
    } else if (counts[TS_ENTRY_STALE]) {
        again_add(out, facts->config, "", "reads what is there now");
    } else if (facts->run[0] && (facts->is_broken_off || counts[TS_ENTRY_WRITE_UNSENT])) {
        run_step_add(out, facts, "resume", NULL, "does what is left");
    }
}

void ts_next_steps_find(const struct ts_next_facts *facts, struct ts_next_steps *out)
{
    bool has_failed = has_failures(&facts->door->ledger);
    out->count = 0;
    remedy_add(out, facts);
    if (facts->run[0] && (has_failed || facts->is_wordy)) {
        run_step_add(out, facts, "log", has_failed ? "--failed" : NULL, "");
    }
    const uint64_t *done = facts->door->ledger.done;
    if (facts->run[0] && facts->is_wordy && done[TS_OP_CREATE] + done[TS_OP_UPDATE] > 0) {
        run_step_add(out, facts, "undo", NULL, "takes back what this run has done");
    }
}
