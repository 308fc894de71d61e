// SPDX-License-Identifier: MIT
// Where the journal and the run meet: ops knows neither where the journal is nor what a run is.
#ifndef TS_RUNTIME_RECORD_H
#define TS_RUNTIME_RECORD_H

#include <stdbool.h>

#include "host/base/digest.h"
#include "host/ops/recorder.h"
#include "host/runtime/config.h"
#include "host/runtime/script.h"

struct ts_parts;
struct ts_purpose;

// What is said of the run in the journal. Zeroed: nothing is known yet.
struct ts_record {
    struct ts_parts *parts;
    const struct ts_purpose *purpose; // while the run is added
    char script[TS_SCRIPT_PATH_MAX];
    char sha256[TS_SHA256_MAX];
    char directory[TS_SCRIPT_PATH_MAX];
    char sandbox[TS_SCRIPT_PATH_MAX];
    bool is_prepared;
    struct ts_error key_err; // why fingerprints would say nothing to other runs
    char host[256];
    char user[256];
};

// The run's writes are recorded from now on, unless there can be none (--read-only).
void ts_record_start(struct ts_record *record, struct ts_parts *parts);

// Notes which script has been loaded: its path, or "-e" with its code, or "-".
void ts_record_script(struct ts_record *record, const char *path, const char *code);

// Adds the run to the journal now, with what a program says of it. Fails as ts_recorder_begin.
enum ts_err ts_record_begin(
    struct ts_record *record, const struct ts_purpose *purpose, struct ts_error *err);

// The run's account, NULL when none is configured.
const char *ts_record_account(const struct ts_record *record);

// Where that account is: a base URL, "sandbox:/srv/fleet/rehearsal.db", or "sandbox:" for one that
// ends with the run. Lives as long as the record and the configuration.
const char *ts_record_origin(struct ts_record *record);
// The SHA-256 of a script's file in hexadecimal, "" when it cannot be read.
void ts_record_digest(const char *path, char out[TS_SHA256_MAX]);

// To be called before the first request to the API: makes the fingerprints of the run's secrets
// those of all runs on this machine. When that fails, no write is recorded, and so none is sent.
void ts_record_prepare(struct ts_record *record);

// The id of the run in the journal; "" while it has none, and for one that nobody could look up
// because its journal ends with it. Borrowed.
const char *ts_record_run(const struct ts_record *record);

// Notes how the run has ended, and with which figures (a JSON object, or NULL), if it is in the
// journal. JOURNAL when that, or what was noted before, could not be made durable.
enum ts_err ts_record_end(
    struct ts_record *record, int status, const char *figures, struct ts_error *err);

#endif
