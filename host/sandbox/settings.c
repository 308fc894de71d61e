// SPDX-License-Identifier: MIT
// Configuration checks. Zero and NULL mean the default, so that callers fill in what they know.
// Upper limits keep later arithmetic on times far from overflow.
#include "host/sandbox/settings.h"

#include <stdlib.h>
#include <string.h>

#include "host/base/str.h"
#include "host/sandbox/ratelimit.h"

#define DEFAULT_WINDOW_S 300
#define DEFAULT_GRACE_S 7200
#define DEFAULT_MAX_DOMAINS 15
#define LARGEST INT64_C(1000000000)
#define LARGEST_LATENCY_MS INT64_C(600000)
#define LARGEST_MAX_DOMAINS 10000

bool ts_sandbox_settings_is_account(const char *text)
{
    return strlen(text) == TS_SANDBOX_ACCOUNT_LEN &&
           strspn(text, "0123456789abcdef") == TS_SANDBOX_ACCOUNT_LEN;
}

static enum ts_err settings_check(const struct ts_sandbox_config *config, struct ts_error *err)
{
    if (config->account && !ts_sandbox_settings_is_account(config->account)) {
        return ts_error_set(
            err, TS_ERR_USAGE, "the sandbox's account must be 32 lower-case hex digits");
    }
    if (config->token && !*config->token) {
        return ts_error_set(err, TS_ERR_USAGE, "the sandbox's token is empty");
    }
    const struct {
        const char *name;
        int64_t value;
        int64_t least;
        int64_t most;
    } limits[] = {
        {"rate", config->rate_requests, 0, TS_SANDBOX_RATE_MAX},
        {"rate window", config->rate_window_s, 0, TS_SANDBOX_RATE_WINDOW_MAX_S},
        {"grace", config->grace_s, INT64_MIN, LARGEST},
        {"max-domains", config->max_domains, 0, LARGEST_MAX_DOMAINS},
        {"max-widgets", config->max_widgets, 0, LARGEST},
        {"latency", config->latency_ms, 0, LARGEST_LATENCY_MS},
    };
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        if (limits[i].value < limits[i].least || limits[i].value > limits[i].most) {
            return ts_error_set(
                err, TS_ERR_USAGE, "the sandbox's %s is out of range", limits[i].name);
        }
    }
    return TS_OK;
}

// Reads the comma list; white space around a name is fine, an empty name is not.
static enum ts_err settings_entitle(
    struct ts_sandbox_settings *settings, const char *list, struct ts_error *err)
{
    static const struct {
        const char *name;
        enum ts_sandbox_entitlement bit;
    } names[] = {
        {"any-hostname", TS_SANDBOX_ENTITLED_ANY_HOSTNAME},
        {"bot_fight_mode", TS_SANDBOX_ENTITLED_BOT_FIGHT_MODE},
        {"ephemeral_id", TS_SANDBOX_ENTITLED_EPHEMERAL_ID},
        {"offlabel", TS_SANDBOX_ENTITLED_OFFLABEL},
    };
    for (const char *p = list; p && *p;) {
        const char *name = p;
        size_t len = strcspn(p, ",");
        p += len + (p[len] == ',');
        ts_str_trim(&name, &len);
        unsigned bit = 0;
        for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
            if (strlen(names[i].name) == len && memcmp(names[i].name, name, len) == 0) {
                bit = names[i].bit;
            }
        }
        if (!bit) {
            return ts_error_set(err, TS_ERR_USAGE, "unknown entitlement \"%.*s\"",
                (int)(len > 64 ? 64 : len), name);
        }
        settings->entitlements |= bit;
    }
    return TS_OK;
}

enum ts_err ts_sandbox_settings_init(struct ts_sandbox_settings *settings,
    const struct ts_sandbox_config *config, struct ts_error *err)
{
    *settings = (struct ts_sandbox_settings){
        .rate_requests = config->rate_requests,
        .rate_window_s = config->rate_window_s ? config->rate_window_s : DEFAULT_WINDOW_S,
        .latency_ms = config->latency_ms,
        .max_domains = config->max_domains ? (size_t)config->max_domains : DEFAULT_MAX_DOMAINS,
        .max_widgets = config->max_widgets,
        .clock = config->clock ? config->clock : ts_clock_system(),
    };
    enum ts_err code = settings_check(config, err);
    if (code) {
        return code;
    }
    settings->grace_us =
        (config->grace_s < 0 ? DEFAULT_GRACE_S : config->grace_s) * INT64_C(1000000);
    code = settings_entitle(settings, config->entitle, err);
    if (code) {
        return code;
    }
    settings->account = config->account ? strdup(config->account) : NULL;
    settings->token = config->token ? strdup(config->token) : NULL;
    if ((config->account && !settings->account) || (config->token && !settings->token)) {
        ts_sandbox_settings_fini(settings);
        return ts_error_set(err, TS_ERR_NOMEM, "out of memory");
    }
    return TS_OK;
}

void ts_sandbox_settings_fini(struct ts_sandbox_settings *settings)
{
    if (settings->token) {
        explicit_bzero(settings->token, strlen(settings->token));
    }
    free(settings->token);
    free(settings->account);
    *settings = (struct ts_sandbox_settings){0};
}
