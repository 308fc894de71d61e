// SPDX-License-Identifier: MIT
// What a run tells of itself is looked up when it is first asked for, which is with its first
// write.
#include "host/runtime/record.h"

#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/api/client.h"
#include "host/base/buf.h"
#include "host/base/process.h"
#include "host/base/str.h"
#include "host/net/loop.h"
#include "host/runtime/exit_status.h"
#include "host/runtime/parts.h"
#include "host/state/directory.h"
#include "host/state/key.h"

#define SCRIPT_MAX (64 * 1024 * 1024)

// A rehearsal leaves nothing behind: there is nothing to resume or to undo once its sandbox is
// gone.
static bool is_ephemeral(const struct ts_config *config)
{
    return config->is_plan || (config->is_sandbox && !config->sandbox_db);
}

static enum ts_err record_open(void *self, struct ts_journal **out, struct ts_error *err)
{
    struct ts_record *record = self;
    const char *directory;
    if (is_ephemeral(record->parts->config)) {
        return ts_journal_open(NULL, out, err);
    }
    if (record->key_err.code) {
        return ts_error_set(err, record->key_err.code, "%s", record->key_err.message);
    }
    enum ts_err code = ts_directory_find(&record->parts->directory, &directory, err);
    return code ? code : ts_journal_open(directory, out, err);
}

static void path_copy(char out[TS_SCRIPT_PATH_MAX], const char *path)
{
    char real[PATH_MAX];
    ts_str_copy(out, TS_SCRIPT_PATH_MAX, realpath(path, real) ? real : path);
}

static void user_copy(struct ts_record *record)
{
    struct passwd entry, *found = NULL;
    char room[1024];
    if (getpwuid_r(getuid(), &entry, room, sizeof room, &found) == 0 && found) {
        ts_str_copy(record->user, sizeof record->user, found->pw_name);
    } else {
        snprintf(record->user, sizeof record->user, "%ld", (long)getuid());
    }
}

// "sandbox:/srv/fleet/rehearsal.db", "sandbox:" for one that ends with the run.
const char *ts_record_origin(struct ts_record *record)
{
    const struct ts_config *config = record->parts->config;
    if (!config->is_sandbox) {
        return config->base_url ? config->base_url : TS_API_BASE_URL;
    }
    char real[TS_SCRIPT_PATH_MAX] = "";
    if (config->sandbox_db) {
        path_copy(real, config->sandbox_db);
    }
    snprintf(record->sandbox, sizeof record->sandbox, "sandbox:%.*s",
        (int)(sizeof record->sandbox - sizeof "sandbox:"), real);
    return record->sandbox;
}

static enum ts_err record_describe(void *self, struct ts_journal_run *run, struct ts_error *err)
{
    struct ts_record *record = self;
    const struct ts_config *config = record->parts->config;
    (void)err;
    user_copy(record);
    if (gethostname(record->host, sizeof record->host - 1) != 0) {
        record->host[0] = '\0';
    }
    if (!getcwd(record->directory, sizeof record->directory)) {
        record->directory[0] = '\0';
    }
    const struct ts_purpose *purpose = record->purpose ? record->purpose : &(struct ts_purpose){0};
    const char *script = purpose->script ? purpose->script : record->script;
    *run = (struct ts_journal_run){
        .command = config->of        ? "resume"
                   : config->command ? config->command
                                     : "run",
        .of = config->of ? config->of : purpose->of,
        .plan_id = purpose->plan_id,
        .plan = purpose->plan,
        .script = script[0] ? script : NULL,
        .sha256 = record->sha256[0] ? record->sha256 : NULL,
        .arguments = config->args_text,
        .options = config->options_text,
        .directory = record->directory[0] ? record->directory : NULL,
        .account = ts_record_account(record),
        .base_url = ts_record_origin(record),
        .host = record->host,
        .user = record->user,
        .version = TSHOST_VERSION,
        .pid = getpid(),
        .process_start = ts_process_start(getpid()),
        .started_us = record->parts->begun_wall_us,
    };
    return TS_OK;
}

const char *ts_record_account(const struct ts_record *record)
{
    const struct ts_config *config = record->parts->config;
    return config->account || !config->is_sandbox ? config->account : TS_SANDBOX_ACCOUNT;
}

enum ts_err ts_record_begin(
    struct ts_record *record, const struct ts_purpose *purpose, struct ts_error *err)
{
    record->purpose = purpose;
    enum ts_err code = ts_recorder_begin(&record->parts->door.recorder, err);
    record->purpose = NULL;
    return code;
}

static void on_named(void *self, const char *run)
{
    const struct ts_record *record = self;
    ts_locks_name_run(&record->parts->locks, run);
}

static void wake(void *self)
{
    const struct ts_record *record = self;
    ts_loop_wake(record->parts->loop);
}

void ts_record_start(struct ts_record *record, struct ts_parts *parts)
{
    record->parts = parts;
    if (parts->config->permissions.is_read_only) {
        return;
    }
    struct ts_recorder_source source = {.open = record_open,
        .describe = record_describe,
        .on_named = on_named,
        .wake = wake,
        .self = record};
    ts_recorder_start(&parts->door.recorder, &source);
    ts_queue_set_gate(&parts->queue, &parts->door.gate);
}

void ts_record_digest(const char *path, char out[TS_SHA256_MAX])
{
    char block[8192];
    struct ts_buf text;
    ts_buf_init(&text, SCRIPT_MAX);
    FILE *file = fopen(path, "rb");
    bool is_read = file != NULL;
    while (is_read && !feof(file)) {
        size_t len = fread(block, 1, sizeof block, file);
        is_read = !ferror(file) && ts_buf_add(&text, block, len) == TS_OK;
    }
    if (is_read) {
        ts_digest_sha256(ts_buf_text(&text), text.len, out);
    }
    if (file) {
        fclose(file);
    }
    ts_buf_fini(&text);
}

void ts_record_script(struct ts_record *record, const char *path, const char *code)
{
    if (code) {
        ts_str_copy(record->script, sizeof record->script, path);
        ts_digest_sha256(code, strlen(code), record->sha256);
    } else if (ts_str_is(path, "-")) {
        ts_str_copy(record->script, sizeof record->script, path);
    } else {
        path_copy(record->script, path);
        ts_record_digest(path, record->sha256);
    }
}

void ts_record_prepare(struct ts_record *record)
{
    const struct ts_config *config = record->parts->config;
    const char *directory;
    unsigned char key[TS_STATE_KEY_SIZE];
    struct ts_error *err = &record->key_err;
    if (record->is_prepared || config->permissions.is_read_only || is_ephemeral(config)) {
        return;
    }
    record->is_prepared = true;
    err->code = ts_directory_find(&record->parts->directory, &directory, err);
    if (!err->code) {
        err->code = ts_state_key(directory, key, err);
    }
    if (!err->code) {
        ts_secret_pool_set_key(record->parts->secrets, key);
    }
    explicit_bzero(key, sizeof key); // a key that could not be read to its end, too
}

const char *ts_record_run(const struct ts_record *record)
{
    return is_ephemeral(record->parts->config) ? ""
                                               : ts_recorder_run(&record->parts->door.recorder);
}

enum ts_err ts_record_end(
    struct ts_record *record, int status, const char *figures, struct ts_error *err)
{
    return ts_recorder_end(
        &record->parts->door.recorder, status, ts_exit_word(status), figures, err);
}
