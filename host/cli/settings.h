// SPDX-License-Identifier: MIT
// What the options of running a script and of doctor store, and the functions that store it.
// One function an option; option rows name them.
#ifndef TS_CLI_SETTINGS_H
#define TS_CLI_SETTINGS_H

#include <stdbool.h>

#include "host/cli/options.h"
#include "host/runtime/config.h"

struct ts_settings {
    struct ts_config config;
    bool is_help;
    bool is_version;
};

// Each is a ts_option_fn on a struct ts_settings.
enum ts_err ts_set_sandbox(void *settings, const char *value, struct ts_error *err);
enum ts_err ts_set_account(void *settings, const char *value, struct ts_error *err);
enum ts_err ts_set_token_file(void *settings, const char *value, struct ts_error *err);
enum ts_err ts_set_base_url(void *settings, const char *value, struct ts_error *err);
enum ts_err ts_set_read_only(void *settings, const char *value, struct ts_error *err);
enum ts_err ts_set_allow(void *settings, const char *value, struct ts_error *err);
enum ts_err ts_set_max_create(void *settings, const char *value, struct ts_error *err);
enum ts_err ts_set_max_update(void *settings, const char *value, struct ts_error *err);
enum ts_err ts_set_if_locked(void *settings, const char *value, struct ts_error *err);
enum ts_err ts_set_concurrency(void *settings, const char *value, struct ts_error *err);
enum ts_err ts_set_timeout(void *settings, const char *value, struct ts_error *err);
enum ts_err ts_set_deadline(void *settings, const char *value, struct ts_error *err);
enum ts_err ts_set_max_wait(void *settings, const char *value, struct ts_error *err);
enum ts_err ts_set_rate(void *settings, const char *value, struct ts_error *err);
enum ts_err ts_set_reserve(void *settings, const char *value, struct ts_error *err);
enum ts_err ts_set_fresh(void *settings, const char *value, struct ts_error *err);
enum ts_err ts_set_progress(void *settings, const char *value, struct ts_error *err);
enum ts_err ts_set_color(void *settings, const char *value, struct ts_error *err);
enum ts_err ts_set_json(void *settings, const char *value, struct ts_error *err);
enum ts_err ts_set_code(void *settings, const char *value, struct ts_error *err);
enum ts_err ts_set_quiet(void *settings, const char *value, struct ts_error *err);
enum ts_err ts_set_verbose(void *settings, const char *value, struct ts_error *err);
enum ts_err ts_set_help(void *settings, const char *value, struct ts_error *err);
enum ts_err ts_set_version(void *settings, const char *value, struct ts_error *err);

#endif
