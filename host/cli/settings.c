// SPDX-License-Identifier: MIT
// What each option stores. The same function serves every command that has the option.
// Settings go straight into the runtime's configuration.
#include "host/cli/settings.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "host/base/str.h"

#define CONFIG(settings) (&((struct ts_settings *)(settings))->config)

enum ts_err ts_set_sandbox(void *settings, const char *value, struct ts_error *err)
{
    (void)err;
    CONFIG(settings)->is_sandbox = true;
    CONFIG(settings)->sandbox_db = value;
    return TS_OK;
}

enum ts_err ts_set_account(void *settings, const char *value, struct ts_error *err)
{
    (void)err;
    CONFIG(settings)->account = value;
    return TS_OK;
}

enum ts_err ts_set_token_file(void *settings, const char *value, struct ts_error *err)
{
    (void)err;
    CONFIG(settings)->token_file = value;
    return TS_OK;
}

enum ts_err ts_set_base_url(void *settings, const char *value, struct ts_error *err)
{
    (void)err;
    CONFIG(settings)->base_url = value;
    return TS_OK;
}

enum ts_err ts_set_read_only(void *settings, const char *value, struct ts_error *err)
{
    (void)value;
    (void)err;
    CONFIG(settings)->permissions.is_read_only = true;
    return TS_OK;
}

enum ts_err ts_set_allow(void *settings, const char *value, struct ts_error *err)
{
    return ts_permissions_add(&CONFIG(settings)->permissions, value, err);
}

enum ts_err ts_set_max_create(void *settings, const char *value, struct ts_error *err)
{
    return ts_permissions_cap(&CONFIG(settings)->permissions, TS_ALLOW_CREATE, value, err);
}

enum ts_err ts_set_max_update(void *settings, const char *value, struct ts_error *err)
{
    return ts_permissions_cap(&CONFIG(settings)->permissions, TS_ALLOW_UPDATE, value, err);
}

// "10m" as microseconds; 0 when it is no span from 1 s to 24 h.
static int64_t span_read(const char *text)
{
    static const char units[] = "smh";
    static const int64_t seconds[] = {1, 60, 3600};
    char digits[16];
    int64_t count;
    size_t len = strlen(text);
    const char *unit = len > 1 ? strchr(units, text[len - 1]) : NULL;
    if (!unit || len > sizeof digits) {
        return 0;
    }
    ts_str_copy(digits, len, text); // all but the unit
    bool is_number = ts_str_to_int(digits, &count) && count <= 86400;
    int64_t span_us = is_number ? count * seconds[unit - units] * 1000000 : 0;
    return span_us <= 86400 * INT64_C(1000000) ? span_us : 0;
}

enum ts_err ts_set_if_locked(void *settings, const char *value, struct ts_error *err)
{
    struct ts_config *config = CONFIG(settings);
    config->lock_wait_us = ts_str_has_prefix(value, "wait=") ? span_read(value + 5) : 0;
    if (config->lock_wait_us > 0) {
        config->if_locked = TS_IF_LOCKED_WAIT;
        return TS_OK;
    }
    if (ts_str_is(value, "skip")) {
        config->if_locked = TS_IF_LOCKED_SKIP;
        return TS_OK;
    }
    return ts_error_set(err, TS_ERR_USAGE,
        "--if-locked %.40s: skip expected, or wait=SPAN from 1s to 24h, as in wait=10m", value);
}

enum ts_err ts_set_concurrency(void *settings, const char *value, struct ts_error *err)
{
    long long number;
    enum ts_err code = ts_option_int("concurrency", value, 1, 1024, &number, err);
    if (!code) {
        CONFIG(settings)->concurrency = number;
    }
    return code;
}

enum ts_err ts_set_timeout(void *settings, const char *value, struct ts_error *err)
{
    long long us;
    enum ts_err code = ts_option_seconds("timeout", value, 0.001, &us, err);
    if (!code) {
        CONFIG(settings)->timeout_us = us;
    }
    return code;
}

enum ts_err ts_set_deadline(void *settings, const char *value, struct ts_error *err)
{
    long long us;
    enum ts_err code = ts_option_seconds("deadline", value, 0.001, &us, err);
    if (!code) {
        CONFIG(settings)->deadline_us = us;
    }
    return code;
}

enum ts_err ts_set_max_wait(void *settings, const char *value, struct ts_error *err)
{
    long long us;
    enum ts_err code = ts_option_seconds("max-wait", value, 0, &us, err);
    if (!code) {
        CONFIG(settings)->max_wait_us = us;
    }
    return code;
}

enum ts_err ts_set_fresh(void *settings, const char *value, struct ts_error *err)
{
    long long us;
    enum ts_err code = ts_option_seconds("fresh", value, 0, &us, err);
    if (!code) {
        CONFIG(settings)->fresh_us = us;
    }
    return code;
}

enum ts_err ts_set_rate(void *settings, const char *value, struct ts_error *err)
{
    char text[64];
    int64_t requests = 0, seconds = 0;
    ts_str_copy(text, sizeof text, value);
    char *slash = strchr(text, '/');
    if (slash) {
        *slash = '\0';
    }
    if (!slash || !ts_str_to_int(text, &requests) || !ts_str_to_int(slash + 1, &seconds) ||
        requests < 1 || requests > 1000000000 || seconds < 1 || seconds > 86400) {
        return ts_error_set(err, TS_ERR_USAGE,
            "--rate %.40s: N/SECONDS expected, both whole numbers, as in 1200/300", value);
    }
    CONFIG(settings)->rate_requests = requests;
    CONFIG(settings)->rate_window_us = seconds * 1000000;
    return TS_OK;
}

enum ts_err ts_set_reserve(void *settings, const char *value, struct ts_error *err)
{
    char text[16];
    int64_t percent;
    ts_str_copy(text, sizeof text, value);
    size_t len = strlen(text);
    if (len > 0 && text[len - 1] == '%') {
        text[len - 1] = '\0';
    }
    if (!ts_str_to_int(text, &percent) || percent < 0 || percent > 95) {
        return ts_error_set(err, TS_ERR_USAGE,
            "--reserve %.40s: a percentage from 0 to 95 expected, as in 20%%", value);
    }
    CONFIG(settings)->reserve_percent = percent;
    return TS_OK;
}

enum ts_err ts_set_progress(void *settings, const char *value, struct ts_error *err)
{
    static const struct {
        const char *name;
        enum ts_progress_mode mode;
    } modes[] = {
        {"auto", TS_PROGRESS_AUTO},
        {"always", TS_PROGRESS_LINE},
        {"plain", TS_PROGRESS_PLAIN},
        {"json", TS_PROGRESS_JSON},
        {"never", TS_PROGRESS_NEVER},
    };
    struct ts_config *config = CONFIG(settings);
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        if (ts_str_is(value, modes[i].name)) {
            config->progress = modes[i].mode;
            return TS_OK;
        }
    }
    int64_t fd;
    if (ts_str_has_prefix(value, "json:") && ts_str_to_int(value + 5, &fd) && fd >= 0 &&
        fd <= 1023) {
        int flags = fcntl((int)fd, F_GETFL);
        if (fd == STDOUT_FILENO) {
            return ts_error_set(err, TS_ERR_USAGE,
                "--progress %.40s: standard output is for results; give another descriptor", value);
        }
        if (flags < 0 || (flags & O_ACCMODE) == O_RDONLY) {
            return ts_error_set(err, TS_ERR_USAGE,
                "--progress %.40s: descriptor %d is not open for writing; open it as in: tshost "
                "... "
                "%d>FILE",
                value, (int)fd, (int)fd);
        }
        config->progress = TS_PROGRESS_JSON;
        config->progress_fd = (int)fd;
        return TS_OK;
    }
    return ts_error_set(err, TS_ERR_USAGE,
        "--progress %.40s: auto, always, plain, json, json:FD or never expected", value);
}

enum ts_err ts_set_color(void *settings, const char *value, struct ts_error *err)
{
    static const char *const names[] = {
        [TS_COLOR_AUTO] = "auto", [TS_COLOR_ALWAYS] = "always", [TS_COLOR_NEVER] = "never"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (ts_str_is(value, names[i])) {
            CONFIG(settings)->color = (enum ts_color)i;
            return TS_OK;
        }
    }
    return ts_error_set(err, TS_ERR_USAGE, "--color %.40s: auto, always or never expected", value);
}

enum ts_err ts_set_json(void *settings, const char *value, struct ts_error *err)
{
    (void)value;
    (void)err;
    CONFIG(settings)->is_json = true;
    return TS_OK;
}

enum ts_err ts_set_code(void *settings, const char *value, struct ts_error *err)
{
    if (CONFIG(settings)->code) {
        return ts_error_set(err, TS_ERR_USAGE, "-e is there twice; only one would run");
    }
    CONFIG(settings)->code = value;
    return TS_OK;
}

enum ts_err ts_set_quiet(void *settings, const char *value, struct ts_error *err)
{
    (void)value;
    (void)err;
    CONFIG(settings)->level = TS_LOG_QUIET;
    return TS_OK;
}

enum ts_err ts_set_verbose(void *settings, const char *value, struct ts_error *err)
{
    (void)value;
    (void)err;
    CONFIG(settings)->level = TS_LOG_VERBOSE;
    return TS_OK;
}

enum ts_err ts_set_help(void *settings, const char *value, struct ts_error *err)
{
    (void)value;
    (void)err;
    ((struct ts_settings *)settings)->is_help = true;
    return TS_OK;
}

enum ts_err ts_set_version(void *settings, const char *value, struct ts_error *err)
{
    (void)value;
    (void)err;
    ((struct ts_settings *)settings)->is_version = true;
    return TS_OK;
}
